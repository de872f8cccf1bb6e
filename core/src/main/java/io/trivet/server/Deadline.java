package io.trivet.server;

import io.trivet.net.Loop;

/** Arithmetic on deadlines: times of the network's clock, which may wrap around, or {@link Loop#NO_DEADLINE}. */
final class Deadline {
    private Deadline() {}

    /**
     * Returns the deadline that is this long after a time. If the sum is {@link Loop#NO_DEADLINE}, a value that a clock may
     * reach, returns one nanosecond less: otherwise the deadline would be lost.
     */
    static long after(long timeNanos, long delayNanos) {
        return Math.min(timeNanos + delayNanos, Loop.NO_DEADLINE - 1);
    }

    /** Returns the earlier of two deadlines. */
    static long earlier(long one, long other) {
        return one == Loop.NO_DEADLINE || (other != Loop.NO_DEADLINE && other - one < 0) ? other : one;
    }

    /** Returns true if there is a deadline, and it has passed. */
    static boolean isOver(long deadline, long nowNanos) {
        return deadline != Loop.NO_DEADLINE && deadline - nowNanos <= 0;
    }
}
