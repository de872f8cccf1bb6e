package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * Runs seeds of three servers over a bus that fails. {@code -Dtrivet.relay.seeds=1..20000} runs these seeds, instead of a few new ones. A
 * single seed prints its events.
 */
final class RelaySeedsTest {
    private static final String SEEDS = System.getProperty("trivet.relay.seeds", "");
    private static final int NEW_SEEDS = 200;
    /** Seeds that have found mistakes. */
    private static final long[] KNOWN = {1_000_044, 32_036_398};

    @Test
    void noLossIsSilent() throws IOException {
        long first = new Random().nextInt(1 << 30);
        long last = first + NEW_SEEDS - 1;
        if (!SEEDS.isEmpty()) {
            int dots = SEEDS.indexOf("..");
            first = Long.parseLong(SEEDS.substring(0, dots));
            last = Long.parseLong(SEEDS.substring(dots + 2));
        }
        Consumer<String> trace = first == last ? System.out::println : _ -> {};
        for (long seed : SEEDS.isEmpty() ? KNOWN : new long[0]) {
            RelayRun.of(seed, trace);
        }
        long messages = 0;
        long gaps = 0;
        for (long seed = first; seed <= last; seed++) {
            try {
                RelayRun run = RelayRun.of(seed, trace);
                messages += run.messages();
                gaps += run.missed();
            } catch (AssertionError | RuntimeException | IOException e) {
                throw new AssertionError(e.getMessage() + "; replay with: mvn test -pl core,nats -Dtest=RelaySeedsTest"
                        + " -Dsurefire.failIfNoSpecifiedTests=false -Dtrivet.relay.seeds=" + seed + ".." + seed, e);
            }
            if (seed % 1000 == 0) {
                System.out.println("RelaySeedsTest: seed " + seed + ", " + messages + " messages, " + gaps + " missed");
            }
        }
        System.out.println("RelaySeedsTest: seeds " + first + ".." + last + ": " + messages + " messages received, " + gaps
                + " reported as missed");
        assertThat(first == last || messages > 0).as("runs without a message check nothing").isTrue();
    }
}
