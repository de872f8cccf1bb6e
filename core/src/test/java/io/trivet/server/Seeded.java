package io.trivet.server;

import java.time.Duration;
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
            runOnce(seed, body);
        }
    }

    /** Runs it again and again, at least once, until the time is over. A seed that is given is used each time: threads go their own ways. */
    static void runFor(Duration time, Body body) throws Exception {
        long begun = System.nanoTime();
        long seed = GIVEN != null ? GIVEN : begun;
        do {
            runOnce(seed, body);
            seed += GIVEN != null ? 0 : 1;
        } while (System.nanoTime() - begun < time.toNanos());
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
