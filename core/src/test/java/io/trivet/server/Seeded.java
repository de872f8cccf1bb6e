package io.trivet.server;

import java.time.Duration;
import java.util.Random;

/** Runs randomized tests, and prints the seed of a run that fails. {@code -Dtrivet.seed=…} repeats that run. */
final class Seeded {
    private static final Long CONFIGURED_SEED = Long.getLong("trivet.seed");

    private Seeded() {}

    /** A randomized test. */
    @FunctionalInterface
    interface Body {
        void run(Random random) throws Exception;
    }

    /** Runs a test the given number of times, each with another seed. */
    static void run(int times, Body body) throws Exception {
        long first = CONFIGURED_SEED != null ? CONFIGURED_SEED : System.nanoTime();
        for (long seed = first; seed < first + (CONFIGURED_SEED != null ? 1 : times); seed++) {
            runOnce(seed, body);
        }
    }

    /**
     * Runs a test repeatedly, at least once, until the time has passed. A configured seed is used in every run, because threads make the
     * runs differ.
     */
    static void runFor(Duration time, Body body) throws Exception {
        long start = System.nanoTime();
        long seed = CONFIGURED_SEED != null ? CONFIGURED_SEED : start;
        do {
            runOnce(seed, body);
            seed += CONFIGURED_SEED != null ? 0 : 1;
        } while (System.nanoTime() - start < time.toNanos());
    }

    private static void runOnce(long seed, Body body) throws Exception {
        try {
            body.run(new Random(seed));
        } catch (Throwable t) {
            t.addSuppressed(new AssertionError("-Dtrivet.seed=" + seed));
            System.out.println("failed with -Dtrivet.seed=" + seed);
            throw t;
        }
    }
}
