package io.trivet.mutants;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.platform.engine.CancellationToken;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherExecutionRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Searches for mutants with the tests of the library: for each, the test classes that execute the changed instruction, the
 * fastest first, until a test fails.
 */
final class ByTests {
    private static final int SPOILED = 5;
    private static final double SECONDS_MORE = 300;
    private static final int TIMES_LONGER = 8;

    private record TestClass(String name, double seconds, BitSet reached) {}

    private final Places places;
    private final Launcher launcher = LauncherFactory.create();
    private final List<TestClass> tests = new ArrayList<>();
    private String current = "";
    private String currentTest = "";

    private ByTests(Places places) {
        this.places = places;
    }

    /**
     * The arguments: the folder of the classes; the prefixes of the names of classes; the file of the names of test classes; the
     * longest a test class may take, in seconds; the file that keeps what each reaches, and how long it took; then, to search,
     * the file of the mutants' names.
     */
    public static void main(String[] arguments) throws IOException {
        ByTests search = new ByTests(new Places(Path.of(arguments[0]), List.of(arguments[1].split(","))));
        search.reach(Files.readAllLines(Path.of(arguments[2])), Double.parseDouble(arguments[3]), Path.of(arguments[4]));
        if (arguments.length > 5) {
            Watch watch = new Watch(() -> System.out.printf("%nkilled\t%s\t%s\tdoes not end%n", search.current,
                    search.currentTest));
            for (String id : Files.readAllLines(Path.of(arguments[5]))) {
                search.search(search.places.named(id), watch);
            }
        }
        System.out.flush();
        Runtime.getRuntime().halt(0); // threads of tests may be left
    }

    /** Runs each test class once, twice if it fails, and appends to the file what it reaches. Continues where it was ended. */
    private void reach(List<String> names, double secondsMax, Path file) throws IOException {
        Map<String, String> known = new LinkedHashMap<>();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                known.put(line.substring(0, line.indexOf('\t')), line);
            }
        }
        if (!known.keySet().containsAll(names)) {
            Reached.reset(places.count());
            places.probe();
            for (String name : names) {
                if (known.containsKey(name)) {
                    continue;
                }
                Reached.reset(places.count());
                long start = System.nanoTime();
                String failure = failure(name);
                if (failure != null) {
                    failure = failure(name);
                }
                double seconds = failure == null ? (System.nanoTime() - start) / 1e9 : Double.POSITIVE_INFINITY;
                boolean[] reached = Reached.places();
                BitSet bits = new BitSet();
                for (int i = 0; i < reached.length; i++) {
                    bits.set(i, reached[i]);
                }
                String line = name + "\t" + seconds + "\t" + Base64.getEncoder().encodeToString(bits.toByteArray());
                known.put(name, line);
                Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                System.err.printf("%s: %.1f s, reaches %d places%s%n", name, seconds, bits.cardinality(),
                        failure == null ? "" : "; fails: " + failure);
            }
            places.restore();
        }
        for (String name : names) {
            String[] fields = known.get(name).split("\t", -1);
            double seconds = Double.parseDouble(fields[1]);
            if (seconds <= secondsMax) {
                tests.add(new TestClass(name, seconds, BitSet.valueOf(Base64.getDecoder().decode(fields[2]))));
            }
        }
        tests.sort(Comparator.comparingDouble(TestClass::seconds));
    }

    private void search(Mutation mutation, Watch watch) {
        int place = places.number(mutation);
        current = mutation.id();
        Agent.redefine(mutation.className(), places.mutator.mutated(mutation));
        int runs = 0;
        String failure = null;
        TestClass killer = null;
        for (TestClass test : tests) {
            if (test.reached.get(place)) {
                currentTest = test.name;
                watch.start(Double.POSITIVE_INFINITY, test.seconds * TIMES_LONGER + SECONDS_MORE);
                failure = failure(test.name);
                watch.stop();
                runs++;
                if (failure != null) {
                    killer = test;
                    break;
                }
            }
        }
        Agent.redefine(mutation.className(), places.mutator.original(mutation.className()));
        if (failure == null) {
            System.out.printf("%n%s\t%s\t%d%n", runs == 0 ? "unreached" : "missed", current, runs);
        } else if (failure(killer.name) != null) {
            System.out.printf("%nspoiled\t%s\t%s\t%s%n", current, killer.name, failure);
            System.out.flush();
            Runtime.getRuntime().halt(SPOILED);
        } else {
            System.out.printf("%nkilled\t%s\t%s\t%s%n", current, killer.name, failure);
        }
    }

    /** Runs a test class up to its first failure, and returns that; null if there is none. */
    private String failure(String name) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(name)).build();
        CancellationToken cancellation = CancellationToken.create();
        String[] first = new String[1];
        TestExecutionListener listener = new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (result.getStatus() == TestExecutionResult.Status.FAILED && first[0] == null) {
                    first[0] = test.getDisplayName() + ": " + result.getThrowable().map(thrown -> String.valueOf(thrown).lines()
                            .limit(2).reduce("", (a, b) -> a + " " + b.strip())).orElse("").replace('\t', ' ');
                    cancellation.cancel();
                }
            }
        };
        launcher.execute(LauncherExecutionRequestBuilder.request(request).cancellationToken(cancellation).listeners(listener)
                .build());
        return first[0];
    }
}
