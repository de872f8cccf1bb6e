package io.trivet.contract;

import java.time.Duration;

/**
 * How many times slower than usual this machine is, such as an emulated one: {@code -Dtrivet.slowness=8}. Tests multiply by it
 * how long they wait for what should happen at once. What a test measures, or lets pass on purpose, stays as it is.
 */
public final class Slowness {
    private static final int FACTOR = Integer.getInteger("trivet.slowness", 1);

    private Slowness() {}

    /** Returns a timeout for this machine. */
    public static Duration scaled(Duration timeout) {
        return timeout.multipliedBy(FACTOR);
    }
}
