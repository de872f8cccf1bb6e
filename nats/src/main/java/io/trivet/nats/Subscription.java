package io.trivet.nats;

/** A stream that this server receives, of all other servers together. Loop thread only. */
final class Subscription {
    final long sinceNanos;
    /** Messages that were delivered here. */
    long delivered;
    /** Messages that were reported as missed. */
    long missed;

    Subscription(long sinceNanos) {
        this.sinceNanos = sinceNanos;
    }
}
