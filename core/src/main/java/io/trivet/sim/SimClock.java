package io.trivet.sim;

import io.trivet.net.Clock;
import java.time.Duration;

/**
 * The clock of a {@link SimNetwork}. It advances only during {@link SimNetwork#run} and during waits on the network. Its start
 * value is drawn from the seed, and is often shortly before {@link Long#MAX_VALUE}, where the clock wraps around. Only
 * differences are meaningful.
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
     * Returns the time since the network was created.
     *
     * @return zero or more
     */
    public Duration elapsed() {
        return Duration.ofNanos(elapsedNanos);
    }

    /**
     * Returns the time since the network was created.
     *
     * @return nanoseconds, zero or more
     */
    public long elapsedNanos() {
        return elapsedNanos;
    }

    /** Converts a value of {@link #nanoTime} to the time since the network was created; 0 if it is earlier. */
    long elapsedAt(long nanoTime) {
        return Math.max(0, nanoTime - origin);
    }

    void moveTo(long nanos) {
        elapsedNanos = Math.max(elapsedNanos, nanos);
    }
}
