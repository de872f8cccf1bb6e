package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.scenarios.Outcome;
import io.trivet.scenarios.Tally;
import io.trivet.scenarios.Verdict;
import io.trivet.scenarios.World;
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

/** Which seeds are run, and what is told meanwhile and at the end; with worlds that are drawn and not played. */
final class SeedRunsTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration AT_ONCE = Duration.ofMillis(1);
    private static final SeedRuns.Times LONG = new SeedRuns.Times(HOUR, HOUR, HOUR);
    private static final long PATIENCE_SECONDS = 30;

    private final ByteArrayOutputStream told = new ByteArrayOutputStream();
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(told, true, StandardCharsets.UTF_8);
    private final PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
    private final List<Long> played = new CopyOnWriteArrayList<>();

    private Outcome allWell(World world) {
        played.add(world.seed());
        return new Outcome(world, null, 1_000_000_000, 100, 1, Tally.empty());
    }

    @Test
    void theLastSeedOfAllIsTheEnd() throws InterruptedException {
        SeedRange range = new SeedRange(Long.MAX_VALUE - 2, Long.MAX_VALUE);
        SeedRuns runs = new SeedRuns(range, 2, 1, false, err, this::allWell, LONG);
        runs.run();
        assertThat(runs.report(out, false)).isEqualTo(Verdict.RIGHT);
        assertThat(played).containsExactlyInAnyOrder(Long.MAX_VALUE - 2, Long.MAX_VALUE - 1, Long.MAX_VALUE);
        assertThat(printed.toString(StandardCharsets.UTF_8)).startsWith("3 of 3 seeds, 0 failed; ");
    }

    @Test
    @Timeout(PATIENCE_SECONDS)
    void itIsToldWhichSeedRunsForLongAndHowFarTheOthersAreWhileItDoes() throws InterruptedException {
        SeedRuns.Times times = new SeedRuns.Times(AT_ONCE, AT_ONCE, HOUR);
        SeedRuns runs = new SeedRuns(new SeedRange(1, 3), 1, 1, false, err, world -> {
            while (world.seed() == 2 && !(tells("seed 2 has run for 0 s") && tells("1 of 3 seeds, 0 failed; "))) {
                Thread.onSpinWait(); // a world that hangs until somebody says so
            }
            return allWell(world);
        }, times);
        runs.run();
        assertThat(played).containsExactly(1L, 2L, 3L);
    }

    private boolean tells(String text) {
        return told.toString(StandardCharsets.UTF_8).contains(text);
    }

    @Test
    void whoIsStoppedEndsWithTheWorldThatIsBeingRunAndSaysHowFarItCame() throws InterruptedException {
        SeedRuns[] runs = new SeedRuns[1];
        runs[0] = new SeedRuns(new SeedRange(1, 1000), 1, 1, false, err, world -> {
            if (world.seed() == 4) {
                runs[0].stop();
            }
            return allWell(world);
        }, LONG);
        runs[0].run();
        assertThat(runs[0].report(out, false)).isEqualTo(Verdict.RIGHT);
        assertThat(runs[0].isInterrupted()).isTrue();
        assertThat(printed.toString(StandardCharsets.UTF_8).lines().toList())
                .startsWith("interrupted: of the seeds 1..1000 those up to 4 were run")
                .element(1).asString().startsWith("4 of 1,000 seeds, 0 failed; ");
    }

    @Test
    void aWorldThatHangsIsNotWaitedForWhenItIsStopped() throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        SeedRuns[] runs = new SeedRuns[1];
        runs[0] = new SeedRuns(new SeedRange(1, 1000), 1, 1, false, err, world -> {
            if (world.seed() == 4) {
                runs[0].stop();
                hang(never);
            }
            return allWell(world);
        }, new SeedRuns.Times(HOUR, AT_ONCE, AT_ONCE));
        runs[0].run();
        runs[0].report(out, false);
        never.countDown();
        assertThat(printed.toString(StandardCharsets.UTF_8)).startsWith(
                "interrupted: of the seeds 1..1000 those up to 4 were run, but for 4, which had not ended after 0 s")
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
