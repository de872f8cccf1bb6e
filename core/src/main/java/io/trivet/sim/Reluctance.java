package io.trivet.sim;

/** A fault that would stop all progress if it happened every time: so it happens a few times in a row at most. */
final class Reluctance {
    /** How often in a row a call may pretend that it would block. */
    static final int IN_A_ROW_MAX = 3;

    private final Dice dice;
    private final Fault fault;
    private final int inARowMax;
    private int inARow;

    Reluctance(Dice dice, Fault fault, int inARowMax) {
        this.dice = dice;
        this.fault = fault;
        this.inARowMax = inARowMax;
    }

    /** Whether the fault happens now. */
    boolean strikes() {
        if (inARow >= inARowMax || !dice.wants(fault)) {
            inARow = 0;
            return false;
        }
        inARow++;
        dice.count(fault);
        return true;
    }
}
