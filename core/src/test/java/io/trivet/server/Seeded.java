package io.trivet.server;

import java.util.Random;

/** Runs what is drawn from a seed, and names the seed when it fails. {@code -Dtrivet.seed=…} repeats a run. */
final class Seeded {
    private static final Long GIVEN = Long.getLong("trivet.seed");

    private Seeded() {}

    /** Something drawn from random numbers. */
    @FunctionalInterface
    interface Body {
        void run(Random random) throws Exception;
    }

    /** Runs it so many times, each with a seed of its own. */
    static void run(int times, Body body) throws Exception {
        long first = GIVEN != null ? GIVEN : System.nanoTime();
        for (long seed = first; seed < first + (GIVEN != null ? 1 : times); seed++) {
            try {
                body.run(new Random(seed));
            } catch (Throwable t) {
                t.addSuppressed(new AssertionError("-Dtrivet.seed=" + seed));
                System.out.println("failed with -Dtrivet.seed=" + seed);
                throw t;
            }
        }
    }
}
