package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.sim.world.Outcome;
import io.trivet.sim.world.Tally;
import io.trivet.sim.world.Verdict;
import io.trivet.sim.world.World;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Which seeds are run, and what is told meanwhile and at the end; with worlds that are drawn and not played. */
final class SeedRunsTest {
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
        SeedRuns runs = new SeedRuns(range, 2, 1, false, err, this::allWell);
        runs.run();
        assertThat(runs.report(out, false)).isEqualTo(Verdict.RIGHT);
        assertThat(played).containsExactlyInAnyOrder(Long.MAX_VALUE - 2, Long.MAX_VALUE - 1, Long.MAX_VALUE);
        assertThat(printed.toString(StandardCharsets.UTF_8)).startsWith("3 of 3 seeds, 0 failed; ");
    }
}
