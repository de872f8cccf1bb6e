package io.trivet.sim;

/** Decides which faults happen, and counts them. Each kind draws from numbers of its own, so that leaving one out changes little else. */
@SuppressWarnings("EnumOrdinal") // asked at every call of a socket: an array is quicker than a map
final class FaultInjector {
    private static final Fault[] KINDS = Fault.values();

    private final long[] thresholds = new long[KINDS.length];
    private final SimRandom[] randoms = new SimRandom[KINDS.length];
    private final long[] fired = new long[KINDS.length];
    private boolean healed;

    FaultInjector(long seed, FaultPlan plan) {
        for (Fault kind : KINDS) {
            thresholds[kind.ordinal()] = SimRandom.threshold(plan.probability(kind));
            randoms[kind.ordinal()] = new SimRandom(seed, kind.ordinal());
        }
    }

    /** Whether the kind happens now; it is counted. Ask only where it can. */
    boolean happens(Fault kind) {
        int index = kind.ordinal();
        long threshold = thresholds[index];
        if (threshold == 0 || healed || !randoms[index].happens(threshold)) {
            return false;
        }
        fired[index]++;
        return true;
    }

    /** Whether the kind can happen at all. */
    boolean isEnabled(Fault kind) {
        return thresholds[kind.ordinal()] != 0 && !healed;
    }

    /** The numbers of a kind, to draw how bad it is. */
    SimRandom random(Fault kind) {
        return randoms[kind.ordinal()];
    }

    long count(Fault kind) {
        return fired[kind.ordinal()];
    }

    /** From now on nothing happens any more. */
    void stop() {
        healed = true;
    }
}
