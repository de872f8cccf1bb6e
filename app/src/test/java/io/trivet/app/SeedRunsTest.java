package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.scenarios.Outcome;
import io.trivet.scenarios.Scenario;
import io.trivet.scenarios.Tally;
import io.trivet.scenarios.Verdict;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests which seeds are run, and what is reported; with scenarios that are generated and not run. */
final class SeedRunsTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration AT_ONCE = Duration.ofMillis(1);
    private static final SeedRuns.Times LONG = new SeedRuns.Times(HOUR, HOUR, HOUR);
    private static final long PATIENCE_SECONDS = 30;

    private final ByteArrayOutputStream reported = new ByteArrayOutputStream();
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(reported, true, StandardCharsets.UTF_8);
    private final PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
    private final List<Long> ran = new CopyOnWriteArrayList<>();

    private Outcome passed(Scenario scenario) {
        ran.add(scenario.seed());
        return new Outcome(scenario, null, 1_000_000_000, 100, 1, Tally.empty());
    }

    @Test
    void runsUpToTheLargestSeed() throws InterruptedException {
        SeedRange range = new SeedRange(Long.MAX_VALUE - 2, Long.MAX_VALUE);
        SeedRuns runs = new SeedRuns(range, 2, 1, false, err, this::passed, LONG);
        runs.run();
        assertThat(runs.report(out, false)).isEqualTo(Verdict.PASSED);
        assertThat(ran).containsExactlyInAnyOrder(Long.MAX_VALUE - 2, Long.MAX_VALUE - 1, Long.MAX_VALUE);
        assertThat(printed.toString(StandardCharsets.UTF_8)).startsWith("3 of 3 seeds, 0 failed; ");
    }

    @Test
    @Timeout(PATIENCE_SECONDS)
    void reportsSlowSeedsAndProgressWhileTheyRun() throws InterruptedException {
        SeedRuns.Times times = new SeedRuns.Times(AT_ONCE, AT_ONCE, HOUR);
        SeedRuns runs = new SeedRuns(new SeedRange(1, 3), 1, 1, false, err, scenario -> {
            while (scenario.seed() == 2 && !(reports("seed 2 has been running for 0 s") && reports("1 of 3 seeds, 0 failed; "))) {
                Thread.onSpinWait(); // hangs until it is reported
            }
            return passed(scenario);
        }, times);
        runs.run();
        assertThat(ran).containsExactly(1L, 2L, 3L);
    }

    private boolean reports(String text) {
        return reported.toString(StandardCharsets.UTF_8).contains(text);
    }

    @Test
    void stopsAfterTheRunningScenarioAndReportsHowFarItGot() throws InterruptedException {
        SeedRuns[] runs = new SeedRuns[1];
        runs[0] = new SeedRuns(new SeedRange(1, 1000), 1, 1, false, err, scenario -> {
            if (scenario.seed() == 4) {
                runs[0].stop();
            }
            return passed(scenario);
        }, LONG);
        runs[0].run();
        assertThat(runs[0].report(out, false)).isEqualTo(Verdict.PASSED);
        assertThat(runs[0].isInterrupted()).isTrue();
        assertThat(printed.toString(StandardCharsets.UTF_8).lines().toList())
                .startsWith("interrupted: seeds 1..1000, run up to 4")
                .element(1).asString().startsWith("4 of 1,000 seeds, 0 failed; ");
    }

    @Test
    void doesNotWaitForAHangingScenarioAfterAStop() throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        SeedRuns[] runs = new SeedRuns[1];
        runs[0] = new SeedRuns(new SeedRange(1, 1000), 1, 1, false, err, scenario -> {
            if (scenario.seed() == 4) {
                runs[0].stop();
                hang(never);
            }
            return passed(scenario);
        }, new SeedRuns.Times(HOUR, AT_ONCE, AT_ONCE));
        runs[0].run();
        runs[0].report(out, false);
        never.countDown();
        assertThat(printed.toString(StandardCharsets.UTF_8)).startsWith(
                "interrupted: seeds 1..1000, run up to 4, except 4, which was still running after 0 s")
                .contains("3 of 1,000 seeds");
    }

    private static void hang(CountDownLatch never) {
        try {
            assertThat(never.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
