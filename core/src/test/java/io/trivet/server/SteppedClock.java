package io.trivet.server;

import io.trivet.net.Clock;
import java.time.Duration;

/**
 * A clock that advances only when it is stepped. It starts shortly before the overflow of a long: only differences are meaningful. Steps of whole
 * milliseconds never lead to the number that stands for no deadline.
 */
final class SteppedClock implements Clock {
    private volatile long nanos = Long.MAX_VALUE - 3_000_000_007L;

    /** Advances the clock. One thread. */
    void step(Duration duration) {
        long next = nanos + duration.toNanos();
        nanos = next;
    }

    @Override
    public long nanoTime() {
        return nanos;
    }
}
