package io.trivet.sim;

/** A fault that would stop all progress if it happened every time: so it happens a few times in a row at most. */
final class BoundedFault {
    /** How often in a row a call may pretend that it would block. */
    static final int IN_A_ROW_MAX = 3;

    private final TortureInjector injector;
    private final Fault fault;
    private final int inARowMax;
    private int inARow;

    BoundedFault(TortureInjector injector, Fault fault, int inARowMax) {
        this.injector = injector;
        this.fault = fault;
        this.inARowMax = inARowMax;
    }

    /** Whether the fault happens now. */
    boolean occurs() {
        if (inARow >= inARowMax || !injector.shouldInject(fault)) {
            inARow = 0;
            return false;
        }
        inARow++;
        injector.count(fault);
        return true;
    }
}
