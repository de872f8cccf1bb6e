package io.trivet.scenarios;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Collects the seeds of scenarios that reach a rare combination: the reason for which a connection ended, a fault that had occurred
 * before, and the state in which the connection was last observed. Later scenarios are put together from parts of theirs. Not
 * thread-safe.
 */
public final class CorpusBuilder {
    /** A combination is rare if at most one scenario in this number reaches it. */
    private static final int RARE_ONE_IN = 1000;

    private static final List<String> HEAD = List.of(
            "# Seeds of scenarios that have reached a rare combination: the reason for which a connection ended, a fault that had occurred before,",
            "# and the last state. Written by: ./trivet sim --seeds A..B --corpus FILE");

    private static final class Reached {
        final long firstSeed;
        long scenarios;

        Reached(long firstSeed) {
            this.firstSeed = firstSeed;
        }
    }

    private final Map<String, Reached> combinations = new TreeMap<>();
    private long scenarios;

    /** Creates a builder without scenarios. */
    public CorpusBuilder() {}

    /**
     * Adds what a scenario has reached. Leaves out scenarios that have failed, and those that consist of parts of the corpus
     * themselves.
     *
     * @param outcome the outcome of the scenario, which was run whole
     */
    public void add(Outcome outcome) {
        long seed = outcome.scenario().seed();
        if (outcome.failure() != null || Corpus.appliesTo(seed)) {
            return;
        }
        scenarios++;
        for (String name : outcome.tally().counts().keySet()) {
            if (name.startsWith(Coverage.COMBINATION)) {
                combinations.computeIfAbsent(name.substring(Coverage.COMBINATION.length()), _ -> new Reached(seed)).scenarios++;
            }
        }
    }

    /**
     * Returns the seeds that together have reached all rare combinations.
     *
     * @return the file of the corpus: lines that start with # and describe it, and then a line for each seed: the seed, a space, and
     *     the combinations that it was the first to reach; in the order of seeds
     */
    public List<String> lines() {
        Map<Long, List<String>> bySeed = new TreeMap<>();
        combinations.forEach((name, reached) -> {
            if (reached.scenarios * RARE_ONE_IN <= Math.max(scenarios, RARE_ONE_IN)) {
                bySeed.computeIfAbsent(reached.firstSeed, _ -> new ArrayList<>()).add(name);
            }
        });
        List<String> lines = new ArrayList<>(HEAD);
        bySeed.forEach((seed, names) -> lines.add(seed + " " + String.join(", ", names)));
        return lines;
    }
}
