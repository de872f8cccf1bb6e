package io.trivet.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import io.trivet.server.Server;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimNetwork;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs tests that are annotated with {@link Seeds}, and looks at what JUnit reports. */
final class SeedsTest {
    private static final List<String> RUNS = new ArrayList<>();

    @BeforeEach
    void forget() {
        RUNS.clear();
    }

    /** Not run by itself: its tests fail on purpose. */
    static class Subject {
        @TempDir Path directory;

        @Seeds(from = 5, count = 3)
        void passes(SimNetwork network, long seed, FaultPlan plan, @TempDir Path other) {
            assertThat(network.seed()).isEqualTo(seed);
            assertThat(network.plan()).isEqualTo(plan).isEqualTo(FaultPlan.of(seed));
            assertThat(other).exists();
            RUNS.add(seed + "");
        }

        @Seeds(from = Long.MAX_VALUE - 1, count = 2)
        void atTheGreatestSeed(long seed) {
            RUNS.add(seed + "");
        }

        @Seeds(without = {Fault.RESET, Fault.STALL})
        void without(FaultPlan plan) {
            assertThat(plan.faults()).doesNotContain(Fault.RESET, Fault.STALL);
            RUNS.add("x");
        }

        /** Fails if two kinds of faults have occurred. */
        @Seeds(count = 1000)
        void needsTwoFaults(SimNetwork network) throws IOException {
            SimClient client = connectAndReceive(network);
            RUNS.add(network.plan().faults() + "");
            boolean both = network.faultCount(Fault.LATENCY) > 0 && network.faultCount(Fault.CONNECT_LATE) > 0;
            assertThat(both).as(client.toString()).isFalse();
        }

        @Seeds(count = 20)
        void failsWithoutFaults(SimNetwork network) {
            if (network.seed() % 7 == 0) {
                throw new IllegalStateException("divisible");
            }
        }

        @Seeds
        void logs(SimNetwork network) throws IOException {
            try (Server server = Server.builder().network(network)
                    .listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))
                    .onMessage((connection, message) -> throwing()).open()) {
                SimClient client = SimClient.connect(network.host(InetAddress.ofLiteral("10.0.0.1")), server.address())
                        .send("hello");
                network.run(Duration.ofSeconds(1));
                assertThat(client.end()).isEqualTo(ClientEnd.OPEN);
            }
        }

        private static void throwing() {
            throw new IllegalStateException("no such command");
        }

        @Seeds(count = 20)
        void ownNetwork(long seed) {
            assertThat(seed).isLessThan(3);
        }

        @Seeds
        void unstable(SimNetwork network) {
            RUNS.add(network.toString());
            assertThat(RUNS).hasSizeLessThan(2).isNotEmpty();
            if (RUNS.size() == 1) {
                throw new IllegalStateException("only once");
            }
        }

        @Seeds(count = 4)
        void assumes(long seed) {
            assumeTrue(seed % 2 == 0);
            RUNS.add(seed + "");
        }

        @Seeds(count = 4)
        void neverRuns(long seed) {
            assumeTrue(seed < 0, "no negative seed");
        }

        @Seeds
        void withoutParameters() {}

        private static SimClient connectAndReceive(SimNetwork network) throws IOException {
            var listener = network.listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 5);
            SimClient client = SimClient.connect(network.host(InetAddress.ofLiteral("10.0.0.1")), listener.localAddress(), "ann");
            client.sendInPieces("hello");
            network.run(Duration.ofSeconds(1));
            return client;
        }
    }

    private static TestExecutionResult run(String method, Map<String, String> parameters) {
        List<TestExecutionResult> results = new ArrayList<>();
        String types = switch (method) {
            case "passes" -> "(io.trivet.sim.SimNetwork, long, io.trivet.sim.FaultPlan, java.nio.file.Path)";
            case "without" -> "(io.trivet.sim.FaultPlan)";
            case "atTheGreatestSeed", "ownNetwork", "assumes", "neverRuns" -> "(long)";
            case "withoutParameters" -> "()";
            default -> "(io.trivet.sim.SimNetwork)";
        };
        LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request()
                .selectors(selectMethod(Subject.class.getName() + "#" + method + types))
                .configurationParameters(parameters).build(), new TestExecutionListener() {
                    @Override
                    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                        if (test.isTest()) {
                            results.add(result);
                        }
                    }
                });
        assertThat(results).as("all seeds are one test").hasSize(1);
        return results.getFirst();
    }

    private static String message(String method, Map<String, String> parameters) {
        TestExecutionResult result = run(method, parameters);
        assertThat(result.getStatus()).isEqualTo(TestExecutionResult.Status.FAILED);
        return result.getThrowable().orElseThrow().getMessage();
    }

    private static void passes(String method, Map<String, String> parameters) {
        TestExecutionResult result = run(method, parameters);
        assertThat(result.getStatus()).as("%s", result.getThrowable()).isEqualTo(TestExecutionResult.Status.SUCCESSFUL);
    }

    @Test
    void eachSeedGetsItsOwnNetworkPlanAndNumber() {
        passes("passes", Map.of());
        assertThat(RUNS).containsExactly("5", "6", "7");
        forget();
        passes("atTheGreatestSeed", Map.of());
        assertThat(RUNS).containsExactly(Long.toString(Long.MAX_VALUE - 1), Long.toString(Long.MAX_VALUE));
        forget();
        passes("without", Map.of());
        assertThat(RUNS).hasSize(100);
    }

    @Test
    void aFailureNamesTheFaultsThatAreNeededAndTheCommandThatReplaysIt() {
        String message = message("needsTwoFaults", Map.of());
        assertThat(message).contains("ann").containsPattern("seed \\d+ fails, after \\d+ seeds that pass")
                .containsPattern("faults needed: CONNECT_LATE \\(.*\\), LATENCY \\(.*\\)\n")
                .containsPattern("replay it with its events: mvn test -Dtest='SeedsTest\\$Subject#needsTwoFaults'"
                        + " -Dtrivet.seeds=\\d+ -Dtrivet.faults=CONNECT_LATE,LATENCY$");
        String seed = message.replaceAll("(?s).*-Dtrivet.seeds=(\\d+) .*", "$1");
        forget();
        String events = printed(() -> assertThat(message("needsTwoFaults", Map.of("trivet.seeds", seed, "trivet.faults",
                "CONNECT_LATE, latency"))).contains("seed " + seed + " fails" + System.lineSeparator()));
        assertThat(RUNS.getFirst()).isEqualTo("[CONNECT_LATE, LATENCY]");
        assertThat(events).contains("with seed " + seed + ": ").contains("ann sends ");
    }

    @Test
    void aFailureThatNeedsNoFaultSaysSo() {
        assertThat(message("failsWithoutFaults", Map.of())).contains("IllegalStateException: divisible")
                .contains("seed 7 fails, after 6 seeds that pass").contains("faults needed: none")
                .endsWith("-Dtrivet.faults=none");
        passes("failsWithoutFaults", Map.of("trivet.seeds", "8..10"));
        assertThat(message("ownNetwork", Map.of())).contains("seed 3 fails").doesNotContain("faults");
    }

    @Test
    void aFailureTellsWhatTheServerLogged() {
        assertThat(message("logs", Map.of())).containsPattern("the server logged: a handler threw, connection 0 OPEN is closed: "
                + "java.lang.IllegalStateException: no such command at .*SeedsTest\\$Subject.throwing\\(SeedsTest.java:\\d+\\)\n");
    }

    @Test
    void aFailureThatDoesNotHappenAgainSaysSo() {
        assertThat(message("unstable", Map.of())).contains("only once")
                .contains("seed 1 has failed, but fails in another way when it is run again");
    }

    @Test
    void assumptionsSkipSeeds() {
        passes("assumes", Map.of());
        assertThat(RUNS).containsExactly("2", "4");
        assertThat(run("neverRuns", Map.of()).getStatus()).isEqualTo(TestExecutionResult.Status.ABORTED);
    }

    @Test
    void wrongUseIsRefused() {
        assertThat(message("withoutParameters", Map.of())).contains("needs a parameter of type SimNetwork, FaultPlan or long");
        for (String wrong : Set.of("x", "1..", "2..1", "1..2..3", "")) {
            assertThat(message("passes", Map.of("trivet.seeds", wrong))).contains("trivet.seeds must be a seed or a range");
        }
        assertThat(message("passes", Map.of("trivet.faults", "NO_SUCH"))).contains("there is no NO_SUCH");
    }

    private static String printed(Runnable action) {
        PrintStream out = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            action.run();
        } finally {
            System.setOut(out);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** While it shrinks, a search keeps the kind of failure: values in a message may change with the faults. */
    @Test
    void messagesThatDifferOnlyInValuesAreOfOneKind() {
        assertThat(kind("expected: <welcome> but was: <wel>")).isEqualTo(kind("\nexpected: <a> but was: <bc>"));
        assertThat(kind("Foo@1b2c3d4e is 17")).isEqualTo(kind("Foo@5f6a is 2"));
        assertThat(kind("comes \"{\\\"a\\\":1}\", but")).isEqualTo(kind("comes \"x\"...\"y\" (120 bytes), but"));
        assertThat(kind("ann was reset")).isNotEqualTo(kind("ann is still connected"));
    }

    private static String kind(String message) {
        return SeedSearch.kind(new AssertionError(message));
    }
}
