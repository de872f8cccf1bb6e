package io.trivet.app;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.net.Network;
import io.trivet.server.ServerBuilder;
import io.trivet.sim.SimTrace;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the example servers on the simulated network with faults, and under the torture network. Random clients check every reply
 * against a model: it is right, in order, and comes once, or the connection is visibly cut.
 *
 * <p>{@code -Dtrivet.examples.seeds=1..100000} runs these seeds on the simulated network, instead of a few new ones. A single seed
 * prints its events.
 */
@EnabledOnOs(OS.LINUX)
final class ExampleSeedsTest {
    private static final String SEEDS = System.getProperty("trivet.examples.seeds", "");
    private static final int NEW_SEEDS = 200;
    private static final int TORTURES = 3;
    private static final PrintStream OUT = System.out;
    private static final PrintStream ERR = System.err;

    @TempDir static Path classes;
    private static URLClassLoader loader;

    @BeforeAll
    static void compile() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("trivet.root"), "examples"))) {
            ExamplesTest.compile(
                    files.filter(file -> file.getFileName().toString().matches("(Resp|Mqtt|LineSession).*")).toList(),
                    classes);
        }
        loader = new URLClassLoader(new URL[]{classes.toUri().toURL()}, ExampleSeedsTest.class.getClassLoader());
        System.setOut(new PrintStream(OutputStream.nullOutputStream())); // the broker reports each client
        System.setErr(System.out);
    }

    @AfterAll
    static void restore() throws IOException {
        System.setOut(OUT);
        System.setErr(ERR);
        loader.close();
    }

    /** Returns an example's server, not started. */
    private static ServerBuilder server(String example, Object... more) {
        try {
            Method method = Arrays.stream(loader.loadClass(example).getDeclaredMethods())
                    .filter(each -> each.getName().equals("server")).findFirst().orElseThrow();
            method.setAccessible(true);
            Object[] arguments = Stream.concat(Stream.of(ExampleNetwork.LOOPBACK), Stream.of(more)).toArray();
            return (ServerBuilder) method.invoke(null, arguments);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the example " + example + " has no method that returns its server", e);
        }
    }

    /** Creates the clients of a run. */
    private interface Runs {
        ExampleRun of(ExampleNetwork network, long seed) throws IOException;
    }

    /** Runs seeds on the simulated network. */
    private static void simulate(Supplier<ServerBuilder> server, Runs runs) throws IOException {
        SeedRange range = SEEDS.isEmpty() ? newSeeds() : new SeedRange.Converter().convert(SEEDS);
        SimTrace trace = range.first() < range.last() ? null : (nanos, event) -> OUT.printf("%12.6f s  %s%n", nanos / 1e9, event);
        for (long seed = range.first(); seed <= range.last(); seed++) {
            run(seed, ExampleNetwork.simulated(seed, trace, server.get()), runs,
                    "replay with: mvn test -pl core,scenarios,app -Dtest=ExampleSeedsTest -Dsurefire.failIfNoSpecifiedTests=false"
                            + " -Dtrivet.examples.seeds=" + seed + ".." + seed);
            if (seed % 1000 == 0) {
                OUT.println("ExampleSeedsTest: seed " + seed);
            }
        }
    }

    private static SeedRange newSeeds() {
        long first = new Random().nextInt(1 << 30);
        return new SeedRange(first, first + NEW_SEEDS - 1);
    }

    /** Runs a few new seeds on an engine of this machine. */
    private static void torture(String engine, Supplier<ServerBuilder> server, Runs runs) throws IOException {
        assumeTrue(Network.engines().stream().anyMatch(each -> each.name().equals(engine) && each.available()),
                "the engine " + engine + " is not available");
        long first = new Random().nextInt(1 << 30);
        for (long seed = first; seed < first + TORTURES; seed++) {
            run(seed, ExampleNetwork.tortured(seed, engine, server.get()), runs, "on " + engine);
        }
    }

    private static void run(long seed, ExampleNetwork network, Runs runs, String how) throws IOException {
        try (network) {
            runs.of(network, seed).run();
        } catch (AssertionError | RuntimeException | IOException e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage() + "; " + how, e);
        }
    }

    @Test
    void respOnTheSimulatedNetwork() throws IOException {
        simulate(() -> server("RespServer"), RespRun::new);
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "uring", "nio"})
    void respUnderTorture(String engine) throws IOException {
        torture(engine, () -> server("RespServer"), RespRun::new);
    }

    @Test
    void mqttOnTheSimulatedNetwork() throws IOException {
        simulate(() -> server("MqttBroker"), MqttRun::new);
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "uring", "nio"})
    void mqttUnderTorture(String engine) throws IOException {
        torture(engine, () -> server("MqttBroker"), MqttRun::new);
    }

    @Test
    void sessionsOnTheSimulatedNetwork() throws IOException {
        simulate(ExampleSeedsTest::game, SessionRun::new);
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "uring", "nio"})
    void sessionsUnderTorture(String engine) throws IOException {
        torture(engine, ExampleSeedsTest::game, SessionRun::new);
    }

    /** Returns a game whose numbers are 1, 8, 15 and so on. */
    private static ServerBuilder game() {
        AtomicInteger games = new AtomicInteger();
        IntSupplier numbers = () -> 1 + games.getAndIncrement() * 7 % 100;
        return server("LineSession", Duration.ofMillis(SessionRun.PATIENCE_MILLIS), numbers);
    }
}
