package io.trivet.scenarios;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The seeds of scenarios that have reached something rare, and scenarios that are put together from parts of them: the servers and some
 * clients of one, and the faults of another. Combinations that few scenarios reach occur more often near those that have reached one.
 * The file is written by {@code trivet sim --corpus}, see {@link CorpusBuilder}.
 */
final class Corpus {
    /** In the folder of this class. The first word of each line is a seed; the rest says what it has reached. */
    private static final String FILE = "corpus.txt";
    private static final long[] SEEDS = read();
    private static final int PERCENT = 10;
    private static final int CLIENTS_KEPT_PERCENT = 70;

    private Corpus() {}

    private static long[] read() {
        try (InputStream in = Corpus.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new IllegalStateException("the resource " + FILE + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("#"))
                    .mapToLong(line -> Long.parseLong(line.substring(0, line.indexOf(' ')))).toArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static SeededRandom random(long seed) {
        return new SeededRandom(seed ^ 0x636f72707573L); // "corpus" in ASCII
    }

    /** Returns true if the scenario of a seed consists of parts of others. */
    static boolean appliesTo(long seed) {
        return SEEDS.length > 0 && random(seed).chance(PERCENT);
    }

    /** Returns the scenario of a seed: for most seeds the one generated for it, otherwise one that consists of parts of the corpus. */
    static Scenario scenario(long seed) {
        Scenario generated = new ScenarioGenerator(seed).generate();
        return appliesTo(seed) ? recombine(generated) : generated;
    }

    private static Scenario recombine(Scenario generated) {
        SeededRandom random = random(generated.seed());
        random.chance(PERCENT); // the draw of appliesTo
        long ofServers = SEEDS[random.below(SEEDS.length)];
        long ofFaults = SEEDS[random.below(SEEDS.length)];
        Scenario servers = new ScenarioGenerator(ofServers).generate();
        Scenario faults = new ScenarioGenerator(ofFaults).generate();
        List<ClientPlan> clients = new ArrayList<>(servers.clients());
        clients.removeIf(_ -> !random.chance(CLIENTS_KEPT_PERCENT));
        List<ExternalAction> actions = new ArrayList<>(servers.actions());
        actions.removeIf(ExternalAction.RunTrial.class::isInstance);
        generated.actions().stream().filter(ExternalAction.RunTrial.class::isInstance).forEach(actions::add);
        return new Scenario(generated.seed(), servers.servers(), clients, actions, faults.faults(), servers.recoveryNanos());
    }
}
