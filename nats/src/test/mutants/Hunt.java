package io.trivet.nats;

import java.io.IOException;
import java.util.logging.LogManager;

/**
 * Runs the seeds of the relay from a first one on, until one fails, or the time is over. Prints {@code found}, the seed and what has failed, or
 * {@code missed} and the number of seeds, separated by tabs.
 */
public final class Hunt {
    private Hunt() {}

    /** The arguments: the first seed, the greatest number of seeds, and the seconds. */
    public static void main(String[] arguments) {
        LogManager.getLogManager().reset();
        long first = Long.parseLong(arguments[0]);
        long seeds = Long.parseLong(arguments[1]);
        long until = System.nanoTime() + Long.parseLong(arguments[2]) * 1_000_000_000;
        long seed = first;
        for (; seed < first + seeds && System.nanoTime() - until < 0; seed++) {
            try {
                RelayRun.of(seed, _ -> {});
            } catch (AssertionError | RuntimeException | IOException e) {
                System.out.println("found\t" + seed + "\t" + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
                return;
            }
        }
        System.out.println("missed\t" + (seed - first));
    }
}
