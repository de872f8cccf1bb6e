package io.trivet.nats;

/**
 * How much longer the last heartbeat of a server took than its fastest one: on the way to the bus, in the bus, and until this server's loop has
 * read it. A heartbeat says how long its sender has been running, so the clocks of the two servers need not agree. Loop thread only.
 */
final class Lag {
    /** Two clocks may drift apart by 1/DRIFT_DIVISOR. A constant lag appears to shrink at this rate. */
    private static final long DRIFT_DIVISOR = 10_000;

    private boolean isKnown;
    /** When the sender would have started, had its fastest heartbeat taken no time. */
    private long startNanos;
    private long heardNanos;
    private long nanos;

    /**
     * Handles a heartbeat.
     *
     * @param uptimeNanos how long its sender had been running, by its own clock
     */
    void heartbeat(long uptimeNanos, long nowNanos) {
        long start = nowNanos - uptimeNanos;
        if (isKnown) {
            startNanos += (nowNanos - heardNanos) / DRIFT_DIVISOR;
        }
        if (!isKnown || start - startNanos < 0) {
            startNanos = start;
        }
        isKnown = true;
        heardNanos = nowNanos;
        nanos = start - startNanos;
    }

    /** Returns the lag of the last heartbeat. */
    long nanos() {
        return nanos;
    }
}
