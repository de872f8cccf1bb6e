package io.trivet.sim;

/** Limits how often in a row a fault of a tortured socket occurs. A fault that always occurred would prevent all progress. */
final class BoundedFault {
    /** The maximum number of consecutive calls that pretend to block. */
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
