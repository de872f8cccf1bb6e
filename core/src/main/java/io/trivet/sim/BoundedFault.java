package io.trivet.sim;

/** A fault of a tortured socket that would prevent all progress if it always occurred: it occurs at most a few times in a row. */
final class BoundedFault {
    /** How often in a row a call may pretend that it would block. */
    static final int WOULD_BLOCK_IN_A_ROW_MAX = 3;

    private final TortureInjector injector;
    private final Fault fault;
    private final int inARowMax;
    private int inARow;

    BoundedFault(TortureInjector injector, Fault fault, int inARowMax) {
        this.injector = injector;
        this.fault = fault;
        this.inARowMax = inARowMax;
    }

    /** Draws whether the fault occurs now, and counts it. */
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
