package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The remaining time of a wait, as a struct timespec for the kernel. It is recomputed from a start time in nanoseconds when the
 * wait is interrupted, so that rounding never loses time, however often that happens. Not thread-safe.
 */
final class Timeout {
    /** struct timespec { sec 0; nsec 8; }. */
    static final int TIMESPEC_SIZE = 16;
    static final int TV_NSEC = 8;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final long NANOS_PER_MILLI = 1_000_000L;

    private final MemorySegment timespec = Arena.ofAuto().allocate(TIMESPEC_SIZE, 8);
    private long timeoutNanos;
    private long startNanos;
    private long leftNanos;

    /** Starts a wait: negative has no limit, 0 does not wait. */
    void start(long timeoutNanos) {
        this.timeoutNanos = timeoutNanos;
        leftNanos = timeoutNanos;
        if (timeoutNanos > 0) {
            startNanos = System.nanoTime();
        }
    }

    /** Recomputes the remaining time; at least 0. */
    void update() {
        if (timeoutNanos > 0) {
            leftNanos = Math.max(0, timeoutNanos - (System.nanoTime() - startNanos));
        }
    }

    /** Returns whether no time is left. */
    boolean isExpired() {
        return leftNanos == 0;
    }

    /** Returns whether the wait has a limit and time is left. */
    boolean isLimited() {
        return leftNanos > 0;
    }

    /** Returns the address of a timespec with the remaining time, or 0, which the kernel treats as no limit. */
    long timespec() {
        if (leftNanos < 0) {
            return 0;
        }
        timespec.set(ValueLayout.JAVA_LONG, 0, leftNanos / NANOS_PER_SECOND);
        timespec.set(ValueLayout.JAVA_LONG, TV_NSEC, leftNanos % NANOS_PER_SECOND);
        return timespec.address();
    }

    /** Returns the address of a timespec with the remaining time, but at most {@code nanosMax}. */
    long timespec(long nanosMax) {
        if (leftNanos >= 0 && leftNanos <= nanosMax) {
            return timespec();
        }
        timespec.set(ValueLayout.JAVA_LONG, 0, nanosMax / NANOS_PER_SECOND);
        timespec.set(ValueLayout.JAVA_LONG, TV_NSEC, nanosMax % NANOS_PER_SECOND);
        return timespec.address();
    }

    /** Returns the remaining time in milliseconds, rounded up (rounding down would make a loop spin); -1: no limit. */
    int millis() {
        if (leftNanos < 0) {
            return -1;
        }
        long millis = leftNanos / NANOS_PER_MILLI + (leftNanos % NANOS_PER_MILLI == 0 ? 0 : 1);
        return (int) Math.min(millis, Integer.MAX_VALUE);
    }
}
