package io.trivet.sim;

import io.trivet.net.Clock;
import java.time.Duration;

/**
 * The time of a {@link SimNetwork}: it stands still but for what {@link SimNetwork#run} and waits on the network let pass. It begins at a
 * number drawn from the seed, often shortly before {@link Long#MAX_VALUE}, where it wraps around: only differences mean something.
 */
public final class SimClock implements Clock {
    private final long origin;
    private long elapsedNanos;

    SimClock(long origin) {
        this.origin = origin;
    }

    @Override
    public long nanoTime() {
        return origin + elapsedNanos;
    }

    /**
     * The time since the network began.
     *
     * @return zero or more
     */
    public Duration elapsed() {
        return Duration.ofNanos(elapsedNanos);
    }

    /**
     * The time since the network began.
     *
     * @return nanoseconds, zero or more
     */
    public long elapsedNanos() {
        return elapsedNanos;
    }

    /** The moment of a {@link #nanoTime} as time since the beginning; 0: before it. */
    long elapsedAt(long nanoTime) {
        return Math.max(0, nanoTime - origin);
    }

    void moveTo(long nanos) {
        elapsedNanos = Math.max(elapsedNanos, nanos);
    }
}
