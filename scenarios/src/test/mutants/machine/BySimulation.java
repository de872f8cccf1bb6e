package io.trivet.mutants;

import io.trivet.scenarios.CheckFailure;
import io.trivet.scenarios.Rule;
import io.trivet.scenarios.Run;
import io.trivet.scenarios.Scenario;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.LogManager;

/**
 * Searches for mutants with the scenario tester, one after another, in one process: a mutant is planted by redefining its class.
 * A scenario is determined by its seed. So a seed that does not execute the changed instruction without the change would not
 * find the mutant, and only the others are run.
 */
final class BySimulation {
    private static final double HANG_CPU_SECONDS = 5;
    private static final double HANG_SECONDS = 150;
    /** The exit code after a scenario that fails although the mutant has been removed: the process cannot be trusted. */
    private static final int SPOILED = 5;

    private final Places places;
    private final long firstSeed;
    private final int seeds;
    /** For each place, the seeds that reach it, counted from the first. */
    private final BitSet[] reaching;
    /** The seeds that fail without any change. */
    private final BitSet failing = new BitSet();
    private String current = "";
    private int currentSeed;
    /** True until a mutant has been found. */
    private boolean first = true;

    private BySimulation(Places places, long firstSeed, int seeds) {
        this.places = places;
        this.firstSeed = firstSeed;
        this.seeds = seeds;
        reaching = new BitSet[places.count()];
    }

    /**
     * The arguments: the folder of the classes; the prefixes of the names of classes, separated by commas; the first seed; the
     * number of seeds; the file that keeps which seed reaches what; then, to search, the file of the mutants' names and the most
     * seconds of processor time for each. Without them, prints all mutants and how many seeds reach each.
     */
    public static void main(String[] arguments) throws IOException {
        LogManager.getLogManager().reset(); // failing servers would log thousands of lines
        Places places = new Places(Path.of(arguments[0]), List.of(arguments[1].split(",")));
        BySimulation search = new BySimulation(places, Long.parseLong(arguments[2]), Integer.parseInt(arguments[3]));
        search.reach(Path.of(arguments[4]));
        if (arguments.length == 5) {
            places.mutations.values().forEach(mutation -> System.out.printf("%d\t%s%n",
                    search.reaching[places.number(mutation)].cardinality(), mutation.id()));
            return;
        }
        Watch watch = new Watch(() -> System.out.printf("killed\t%s\t%d\t?\t%.1f\tHANG\ta scenario does not end%n",
                search.current, search.currentSeed + 1, HANG_CPU_SECONDS));
        for (String mutant : Files.readAllLines(Path.of(arguments[5]))) {
            search.search(mutant, watch, Double.parseDouble(arguments[6]));
        }
        System.exit(0);
    }

    private void reach(Path file) throws IOException {
        if (Files.exists(file)) {
            try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
                failing.or(read(in));
                for (int i = 0; i < reaching.length; i++) {
                    reaching[i] = read(in);
                }
            }
            return;
        }
        for (int i = 0; i < reaching.length; i++) {
            reaching[i] = new BitSet();
        }
        Reached.reset(places.count());
        places.probe();
        for (int seed = 0; seed < seeds; seed++) {
            Reached.reset(places.count());
            CheckFailure failure = run(seed);
            if (failure != null) {
                failing.set(seed);
                System.err.printf("false alarm: without any change, seed %d fails: %s%n", firstSeed + seed, failure.text());
            }
            boolean[] reached = Reached.places();
            for (int i = 0; i < reached.length; i++) {
                if (reached[i]) {
                    reaching[i].set(seed);
                }
            }
        }
        places.restore();
        try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            write(out, failing);
            for (BitSet each : reaching) {
                write(out, each);
            }
        }
    }

    private static BitSet read(DataInputStream in) throws IOException {
        long[] words = new long[in.readInt()];
        for (int i = 0; i < words.length; i++) {
            words[i] = in.readLong();
        }
        return BitSet.valueOf(words);
    }

    private static void write(DataOutputStream out, BitSet bits) throws IOException {
        long[] words = bits.toLongArray();
        out.writeInt(words.length);
        for (long word : words) {
            out.writeLong(word);
        }
    }

    /** Returns the seeds that reach any of some lines, given as {@code Class:from-to Class:from-to}. */
    private BitSet reaching(String lines) {
        BitSet found = new BitSet();
        for (String range : lines.split(" ")) {
            String[] parts = range.split("[:-]");
            for (Mutation mutation : places.mutations.values()) {
                boolean isSameFile = mutation.className().equals(parts[0]) || mutation.className().startsWith(parts[0] + "$");
                if (isSameFile && mutation.line() >= Integer.parseInt(parts[1]) && mutation.line() <= Integer.parseInt(parts[2])) {
                    found.or(reaching[places.number(mutation)]);
                }
            }
        }
        return found;
    }

    private CheckFailure run(int seed) {
        try {
            return Run.of(Scenario.of(firstSeed + seed)).failure();
        } catch (StackOverflowError | OutOfMemoryError e) {
            return new CheckFailure(Rule.CRASH, 0, e.toString(), e);
        }
    }

    /** Searches for a mutant: its name, or the name of a bug, the folder of its classes, and the lines that it changes. */
    private void search(String mutant, Watch watch, double secondsMax) throws IOException {
        Map<String, byte[]> changed = new LinkedHashMap<>();
        BitSet reached;
        String[] fields = mutant.split("\t");
        try {
            if (fields.length == 1) {
                Mutation mutation = places.named(mutant);
                reached = reaching[places.number(mutation)];
                if (!reached.isEmpty()) {
                    changed.put(mutation.className(), places.mutator.mutated(mutation));
                }
            } else {
                Mutator bug = new Mutator(Path.of(fields[1]));
                for (String name : bug.classes(List.of(""))) {
                    changed.put(name, bug.original(name));
                }
                reached = reaching(fields[2]);
            }
            current = fields[0];
            if (reached.isEmpty()) {
                System.out.printf("unreached\t%s%n", current);
                return;
            }
            changed.forEach(Agent::redefine);
        } catch (VerifyError | IllegalArgumentException | UnsupportedOperationException e) {
            System.out.printf("impossible\t%s\t%s%n", current, String.valueOf(e).lines().findFirst().orElse(""));
            changed.keySet().forEach(name -> Agent.redefine(name, places.mutator.original(name)));
            return;
        }
        long start = watch.cpu();
        int runs = 0;
        CheckFailure failure = null;
        int seed = -1;
        while (failure == null && (seed = reached.nextSetBit(seed + 1)) >= 0 && watch.cpu() - start < secondsMax * 1e9) {
            if (!failing.get(seed)) {
                currentSeed = seed;
                watch.start(HANG_CPU_SECONDS, HANG_SECONDS);
                failure = run(seed);
                watch.stop();
                runs++;
            }
        }
        double seconds = (watch.cpu() - start) / 1e9;
        changed.keySet().forEach(name -> Agent.redefine(name, places.mutator.original(name)));
        if (failure == null) {
            System.out.printf("missed\t%s\t%d\t%d\t%.1f%n", current, seed < 0 ? seeds : seed, runs, seconds);
            return;
        }
        boolean spoiled = run(seed) != null;
        if (!spoiled || first) { // otherwise an earlier mutant may have spoiled the process
            System.out.printf("killed\t%s\t%d\t%d\t%.1f\t%s\t%s%n", current, seed + 1, runs, seconds, failure.rule(),
                    failure.text().lines().findFirst().orElse("").replace('\t', ' '));
        }
        if (spoiled) {
            System.out.flush();
            Runtime.getRuntime().halt(SPOILED);
        }
        first = false;
    }
}
