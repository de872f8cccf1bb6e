package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.sim.FaultPlan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class CorpusTest {
    private static final int LINES_CHECKED = 20;

    private static List<String> lines() throws IOException {
        try (InputStream in = Corpus.class.getResourceAsStream("corpus.txt")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.startsWith("#")).toList();
        }
    }

    private static long seedOf(String line) {
        return Long.parseLong(line.substring(0, line.indexOf(' ')));
    }

    /**
     * A change of the server shifts when faults occur, so a few seeds no longer reach what they have reached. If most do not, the
     * generator has changed: write the corpus again, with trivet sim --corpus.
     */
    @Test
    void mostSeedsReachWhatTheirLinesSay() throws IOException {
        List<String> lines = lines();
        assertThat(lines).hasSizeGreaterThan(100);
        int reaching = 0;
        for (int i = 0; i < LINES_CHECKED; i++) {
            String line = lines.get(i * lines.size() / LINES_CHECKED);
            Tally tally = Run.of(Scenario.of(seedOf(line))).tally();
            if (Stream.of(line.substring(line.indexOf(' ') + 1).split(", ", -1))
                    .allMatch(name -> tally.count("end " + name) > 0)) {
                reaching++;
            }
        }
        assertThat(reaching).as("of %d seeds of the corpus", LINES_CHECKED).isGreaterThanOrEqualTo(LINES_CHECKED / 2);
    }

    @Test
    void someScenariosConsistOfPartsOfTheCorpus() throws IOException {
        List<Scenario> corpus = lines().stream().map(line -> new ScenarioGenerator(seedOf(line)).generate()).toList();
        long[] seeds = LongStream.range(0, 1000).filter(Corpus::appliesTo).toArray();
        assertThat(seeds.length).isBetween(50, 200);
        for (long seed : LongStream.of(seeds).limit(5).toArray()) {
            Scenario scenario = Scenario.of(seed);
            List<FaultPlan> faults = corpus.stream().map(Scenario::faults).toList();
            Scenario source = corpus.stream().filter(each -> each.servers().equals(scenario.servers())).findAny().orElseThrow();
            assertThat(source.clients()).containsAll(scenario.clients());
            assertThat(faults.stream().map(FaultPlan::toString)).contains(scenario.faults().toString());
            assertThat(scenario.toString()).isEqualTo(Scenario.of(seed).toString());
        }
    }

    @Test
    void theFirstSeedThatReachesARareCombinationIsKept() {
        CorpusBuilder builder = new CorpusBuilder();
        long seed = LongStream.range(0, 100).filter(each -> !Corpus.appliesTo(each)).findFirst().orElseThrow();
        for (int i = 0; i < 2000; i++) {
            Tally tally = Tally.empty();
            tally.add("end RESET OFTEN OPEN", 1);
            tally.add("policy OTHER", 1);
            if (i < 2) {
                tally.add("end CLOSED RARE NEW", 7);
            }
            builder.add(new Outcome(new ScenarioGenerator(i < 2 ? seed : withoutCorpus(i)).generate(), null, 0, 0, 0, tally));
        }
        assertThat(builder.lines()).filteredOn(line -> !line.startsWith("#")).containsExactly(seed + " CLOSED RARE NEW");
    }

    /** Returns a seed, a different one for each number, whose scenario does not consist of parts of others. */
    private static long withoutCorpus(int number) {
        return LongStream.iterate(1_000_000L * number, each -> each + 1).filter(each -> !Corpus.appliesTo(each)).findFirst()
                .orElseThrow();
    }
}
