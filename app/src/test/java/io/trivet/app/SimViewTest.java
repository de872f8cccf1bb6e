package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.scenarios.Outcome;
import io.trivet.scenarios.Run;
import io.trivet.scenarios.Scenario;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A scenario that is recorded for the view runs as one that is not. */
final class SimViewTest {
    private static final int SEEDS = Integer.getInteger("trivet.view.seeds", 6);

    @Test
    void recordedScenarioIsTheSame() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            Scenario scenario = Scenario.of(seed);
            List<String> usual = new ArrayList<>();
            List<String> recorded = new ArrayList<>();
            Outcome expected = Run.of(scenario, line -> add(line, usual));
            Outcome outcome = Run.observed(scenario, new SimView("seed " + seed, line -> add(line, recorded)), false);
            assertThat(recorded).as("seed " + seed).isEqualTo(usual);
            assertThat(outcome.operations()).as("seed " + seed).isEqualTo(expected.operations());
            assertThat(outcome.verdict()).as("seed " + seed).isEqualTo(expected.verdict());
        }
    }

    /** Adds a line, unless it is of a stack, in which the method that runs the scenario differs. */
    private static void add(String line, List<String> lines) {
        if (!line.contains(" log     at ")) {
            lines.add(line);
        }
    }
}
