package io.trivet.sim;

/**
 * Decides which faults occur on a simulated host, and counts them. Each fault has a random stream of its own, so that removing
 * one from the plan leaves the random numbers of the others unchanged.
 */
@SuppressWarnings("EnumOrdinal") // consulted at every call of a socket: an array is faster than a map
final class FaultInjector {
    private static final Fault[] FAULTS = Fault.values();

    private final long[] thresholds = new long[FAULTS.length];
    private final SimRandom[] randoms = new SimRandom[FAULTS.length];
    private final long[] counts = new long[FAULTS.length];
    private boolean stopped;

    FaultInjector(long seed, FaultPlan plan) {
        for (Fault fault : FAULTS) {
            thresholds[fault.ordinal()] = SimRandom.threshold(plan.probability(fault));
            randoms[fault.ordinal()] = new SimRandom(seed, fault.ordinal());
        }
    }

    /** Draws whether a fault occurs now, and counts it. Call this only where it can take effect. */
    boolean happens(Fault fault) {
        int index = fault.ordinal();
        long threshold = thresholds[index];
        if (threshold == 0 || stopped || !randoms[index].happens(threshold)) {
            return false;
        }
        counts[index]++;
        return true;
    }

    /** Returns whether a fault can occur: the plan has it, and faults are not stopped. */
    boolean isEnabled(Fault fault) {
        return thresholds[fault.ordinal()] != 0 && !stopped;
    }

    /** Returns the random stream of a fault, to draw its severity. */
    SimRandom random(Fault fault) {
        return randoms[fault.ordinal()];
    }

    /** Returns how often a fault has occurred. */
    long count(Fault fault) {
        return counts[fault.ordinal()];
    }

    /** Stops all faults. */
    void stop() {
        stopped = true;
    }
}
