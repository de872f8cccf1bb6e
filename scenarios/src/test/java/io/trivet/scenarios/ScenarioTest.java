package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that scenarios are reproducible and pass, and that a planted bug is reported and shrunk. */
final class ScenarioTest {
    private static final int SEEDS = 30;
    private static final int MORE_SEEDS = 5;

    /** Referenced, since a collected logger loses its level. */
    private final Logger logger = Logger.getLogger("io.trivet.server");

    @BeforeEach
    void silence() {
        logger.setLevel(Level.OFF); // handlers throw on purpose
    }

    @AfterEach
    void restore() {
        logger.setLevel(null);
    }

    @Test
    void scenariosOfFixedSeedsPass() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            assertPasses(seed);
        }
    }

    @Test
    void scenariosOfFreshSeedsPass() {
        long first = ThreadLocalRandom.current().nextLong(1L << 40);
        System.out.println("fresh scenarios: trivet sim --seeds " + first + ".." + (first + MORE_SEEDS - 1));
        for (int i = 0; i < MORE_SEEDS; i++) {
            assertPasses(first + i);
        }
    }

    private static void assertPasses(long seed) {
        Outcome outcome = Run.of(Scenario.of(seed));
        assertThat(outcome.failure()).as("replay with: trivet sim --seed %d", seed).isNull();
        assertThat(outcome.verdict()).isEqualTo(Verdict.PASSED);
    }

    @Test
    void scenariosAreNotSmall() {
        List<Long> connections = new ArrayList<>();
        List<Long> operations = new ArrayList<>();
        for (long seed = 1; seed <= 15; seed++) {
            Outcome outcome = Run.of(Scenario.of(seed));
            connections.add(outcome.connections());
            operations.add(outcome.operations());
        }
        assertThat(connections.stream().sorted().toList().get(7)).isGreaterThanOrEqualTo(20);
        assertThat(operations.stream().sorted().toList().get(7)).isGreaterThanOrEqualTo(2_000);
    }

    @Test
    void sameSeedGivesSameTimelineAndAnotherSeedAnother() {
        assertThat(timeline(Scenario.of(11))).isNotEmpty().isEqualTo(timeline(Scenario.of(11)))
                .isNotEqualTo(timeline(Scenario.of(12)));
        assertThat(Scenario.of(11)).hasToString(Scenario.of(11).toString());
    }

    private static List<String> timeline(Scenario scenario) {
        List<String> lines = new ArrayList<>();
        Run.of(scenario, lines::add);
        return lines;
    }

    @Test
    void aListenerDoesNotChangeTheRun() {
        Scenario scenario = Scenario.of(13);
        Outcome withListener = Run.of(scenario, line -> {});
        Outcome withoutListener = Run.of(scenario);
        assertThat(withListener.operations()).isEqualTo(withoutListener.operations());
        assertThat(withListener.simulatedNanos()).isEqualTo(withoutListener.simulatedNanos());
        assertThat(withListener.tally().counts()).isEqualTo(withoutListener.tally().counts());
    }

    @Test
    void canaryIsFoundAndShrunkToAShortScenarioThatReplays() {
        Scenario scenario = Scenario.of(3);
        CheckFailure failure = Objects.requireNonNull(Run.canary(scenario, null).failure());
        assertThat(failure.rule()).isEqualTo(Rule.CANARY);
        RemovedParts removed = Shrinker.shrink(scenario, Rule.CANARY, 400, Duration.ofHours(1), true);
        Scenario smaller = scenario.without(RemovedParts.parse(removed.toString()));
        assertThat(smaller.size()).isLessThanOrEqualTo(3).isLessThan(scenario.size());
        assertThat(Objects.requireNonNull(Run.canary(smaller, null).failure()).rule()).isEqualTo(Rule.CANARY);
        assertThat(Run.of(smaller).failure()).isNull();
    }

    @Test
    void removedPartsParseTheirOwnText() {
        RemovedParts removed = RemovedParts.parse("f.RESET,a0-3,c1,c3-5,c7.2-4,c8.1.0,c3.1,c3.PACE,c7.PACE,s0.LOOPS");
        assertThat(removed).hasToString("a0-3,c1,c3-5,c7.2-4,c7.PACE,c8.1.0,f.RESET,s0.LOOPS");
        assertThat(removed.removes(ScenarioPart.ofServer(0, Simplification.LOOPS))).isTrue();
        assertThat(removed.removes(ScenarioPart.client(4))).isTrue();
        assertThat(removed.removes(ScenarioPart.step(7, 3))).isTrue();
        assertThat(removed.removes(ScenarioPart.step(7, 5))).isFalse();
        assertThat(RemovedParts.parse(removed.toString())).hasToString(removed.toString());
        assertThat(RemovedParts.none()).hasToString("");
        assertThatThrownBy(() -> RemovedParts.parse("c1,everything")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("everything");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "c0-2147483647 | c0-2147483647 has a number of more than 5 digits",
        "c1-99999999999 | c1-99999999999 has a number of more than 5 digits",
        "c3,c99999999999 | c99999999999 has a number of more than 5 digits",
        "c5-3 | c5-3 ends before it begins",
        "c0-x | not a part of a scenario: c0-x"})
    void malformedListOfPartsNamesTheMistake(String text, String message) {
        assertThatThrownBy(() -> RemovedParts.parse(text)).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }

    @Test
    void removalOfUnknownPartsIsRejected() {
        Scenario scenario = Scenario.of(7);
        assertThatThrownBy(() -> scenario.without(RemovedParts.parse("c3,c999,f.NONSENSE,s7.FOO")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("the scenario of seed 7 has no c999, nor 2 other named parts; it has ")
                .hasMessageContaining("c0-");
        assertThatThrownBy(() -> scenario.without(RemovedParts.parse("c0-999"))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("the scenario of seed 7 has no c");
        assertThat(scenario.without(RemovedParts.parse("c3")).size()).isLessThan(scenario.size());
    }

    @Test
    void spinningRunEndsByItself() {
        Scenario scenario = Scenario.of(5);
        Scenario empty = scenario.without(RemovedParts.of(scenario.parts()));
        CheckFailure failure = Objects.requireNonNull(Run.of(empty, PlantedBug.SPINNING_LOOP, 100_000).failure());
        assertThat(failure.rule()).isEqualTo(Rule.SPIN);
        assertThat(failure.text()).isEqualTo("the run has not ended after 100,000 rounds of its loops");
        assertThat(Run.of(empty, PlantedBug.NONE, 100_000).failure()).isNull();
    }

    @Test
    void shrinkingRespectsItsTimeLimit() {
        Scenario scenario = Scenario.of(3);
        assertThat(Shrinker.shrink(scenario, Rule.CANARY, 400, Duration.ZERO, true)).hasToString("");
    }

    @Test
    void everyPartCanBeLeftOut() {
        Scenario scenario = Scenario.of(5);
        Scenario empty = scenario.without(RemovedParts.of(scenario.parts()));
        assertThat(empty.size()).isZero();
        assertThat(empty.faults().faults()).isEmpty();
        assertThat(empty.parts()).as("properties of servers that differ from the default").isEmpty();
        assertThat(Run.of(empty).failure()).isNull();
    }
}
