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

/** Worlds are the same for the same seed, nothing goes wrong in them, and what goes wrong on purpose is reported and cut down. */
final class WorldTest {
    private static final int SEEDS = 30;
    private static final int MORE_SEEDS = 5;

    /** Held, so that its level is not lost with it. */
    private final Logger logger = Logger.getLogger("io.trivet.server");

    @BeforeEach
    void silence() {
        logger.setLevel(Level.OFF); // handlers throw on purpose here
    }

    @AfterEach
    void speak() {
        logger.setLevel(null);
    }

    @Test
    void nothingGoesWrongInWorldsOfFixedSeeds() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            assertAllWell(seed);
        }
    }

    @Test
    void nothingGoesWrongInWorldsOfFreshSeeds() {
        long first = ThreadLocalRandom.current().nextLong(1L << 40);
        System.out.println("fresh worlds: trivet sim --seeds " + first + ".." + (first + MORE_SEEDS - 1));
        for (int i = 0; i < MORE_SEEDS; i++) {
            assertAllWell(first + i);
        }
    }

    private static void assertAllWell(long seed) {
        Outcome outcome = Play.of(World.of(seed));
        assertThat(outcome.finding()).as("replay it with: trivet sim --seed %d", seed).isNull();
        assertThat(outcome.verdict()).isEqualTo(Verdict.RIGHT);
    }

    @Test
    void worldsAreNotSmall() {
        List<Long> connections = new ArrayList<>();
        List<Long> operations = new ArrayList<>();
        for (long seed = 1; seed <= 15; seed++) {
            Outcome outcome = Play.of(World.of(seed));
            connections.add(outcome.connections());
            operations.add(outcome.operations());
        }
        assertThat(connections.stream().sorted().toList().get(7)).isGreaterThanOrEqualTo(20);
        assertThat(operations.stream().sorted().toList().get(7)).isGreaterThanOrEqualTo(2_000);
    }

    @Test
    void theSameSeedTellsTheSameAndAnotherSomethingElse() {
        assertThat(told(World.of(11))).isNotEmpty().isEqualTo(told(World.of(11))).isNotEqualTo(told(World.of(12)));
        assertThat(World.of(11)).hasToString(World.of(11).toString());
    }

    private static List<String> told(World world) {
        List<String> lines = new ArrayList<>();
        Play.of(world, lines::add);
        return lines;
    }

    @Test
    void listeningChangesNothing() {
        World world = World.of(13);
        Outcome heard = Play.of(world, line -> {});
        Outcome unheard = Play.of(world);
        assertThat(heard.operations()).isEqualTo(unheard.operations());
        assertThat(heard.simulatedNanos()).isEqualTo(unheard.simulatedNanos());
        assertThat(heard.tally().counts()).isEqualTo(unheard.tally().counts());
    }

    @Test
    void theCanaryIsFoundAndCutDownToAShortStoryThatReplays() {
        World world = World.of(3);
        Finding finding = Objects.requireNonNull(Play.canary(world, null).finding());
        assertThat(finding.rule()).isEqualTo(Rule.CANARY);
        Cut cut = Shrinker.shrink(world, Rule.CANARY, 400, Duration.ofHours(1), true);
        World smaller = world.without(Cut.parse(cut.toString()));
        assertThat(smaller.size()).isLessThanOrEqualTo(3).isLessThan(world.size());
        assertThat(Objects.requireNonNull(Play.canary(smaller, null).finding()).rule()).isEqualTo(Rule.CANARY);
        assertThat(Play.of(smaller).finding()).isNull();
    }

    @Test
    void aCutIsReadAsItIsWritten() {
        Cut cut = Cut.parse("f.RESET,a0-3,p1,p3-5,p7.2-4,p8.1.0,p3.1,p3.PACE,p7.PACE,s0.LOOPS");
        assertThat(cut).hasToString("a0-3,f.RESET,p1,p3-5,p7.2-4,p7.PACE,p8.1.0,s0.LOOPS");
        assertThat(cut.has(Part.ofServer(0, Plain.LOOPS))).isTrue();
        assertThat(cut.has(Part.peer(4))).isTrue();
        assertThat(cut.has(Part.step(7, 3))).isTrue();
        assertThat(cut.has(Part.step(7, 5))).isFalse();
        assertThat(Cut.parse(cut.toString())).hasToString(cut.toString());
        assertThat(Cut.none()).hasToString("");
        assertThatThrownBy(() -> Cut.parse("p1,everything")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("everything");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "p0-2147483647 | p0-2147483647 has a number of more than 5 digits",
        "p1-99999999999 | p1-99999999999 has a number of more than 5 digits",
        "p3,p99999999999 | p99999999999 has a number of more than 5 digits",
        "p5-3 | p5-3 ends before it begins",
        "p0-x | no part of a world: p0-x"})
    void aCutThatCannotBeReadSaysWhatIsWrong(String text, String message) {
        assertThatThrownBy(() -> Cut.parse(text)).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }

    @Test
    void aCutOfPartsThatAreNotThereIsRefused() {
        World world = World.of(7);
        assertThatThrownBy(() -> world.without(Cut.parse("p3,p999,f.NONSENSE,s7.FOO")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("the world of seed 7 has no f.NONSENSE, nor 2 others that are named; it has ")
                .hasMessageContaining(",p0-");
        assertThatThrownBy(() -> world.without(Cut.parse("p0-999"))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("the world of seed 7 has no p");
        assertThat(world.without(Cut.parse("p3")).size()).isLessThan(world.size());
    }

    @Test
    void aWorldThatSpinsEndsByItself() {
        World world = World.of(5);
        World empty = world.without(Cut.of(world.parts()));
        Finding finding = Objects.requireNonNull(Play.of(empty, Planted.SPIN, 100_000).finding());
        assertThat(finding.rule()).isEqualTo(Rule.SPIN);
        assertThat(finding.text()).isEqualTo("this world has not ended after 100,000 rounds of its loops");
        assertThat(Play.of(empty, Planted.NOTHING, 100_000).finding()).isNull();
    }

    @Test
    void shrinkingEndsInTime() {
        World world = World.of(3);
        assertThat(Shrinker.shrink(world, Rule.CANARY, 400, Duration.ZERO, true)).hasToString("");
    }

    @Test
    void everyPartCanBeCutOut() {
        World world = World.of(5);
        World empty = world.without(Cut.of(world.parts()));
        assertThat(empty.size()).isZero();
        assertThat(empty.faults().faults()).isEmpty();
        assertThat(empty.parts()).as("what is special about servers").isEmpty();
        assertThat(Play.of(empty).finding()).isNull();
    }
}
