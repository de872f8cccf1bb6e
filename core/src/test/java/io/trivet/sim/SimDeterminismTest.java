package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Tools;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The same seed gives the same run, down to the byte and the nanosecond. */
final class SimDeterminismTest {
    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void theSameSeedGivesTheSameTimeline(SimEngine engine) throws Exception {
        for (long seed = 1; seed <= 3; seed++) {
            List<String> first = timeline(seed, engine);
            assertThat(first).hasSizeGreaterThan(EchoScenario.CLIENTS);
            assertThat(timeline(seed, engine)).isEqualTo(first);
        }
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void sessionsRunDeterministically(SimEngine engine) throws Exception {
        for (long seed = 1; seed <= 3; seed++) {
            List<String> first = timelineOfSessions(seed, engine);
            assertThat(first).hasSizeGreaterThan(EchoScenario.CLIENTS);
            assertThat(timelineOfSessions(seed, engine)).as("seed %d", seed).isEqualTo(first);
        }
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void sessionsAnswerEverythingWithoutFaults(SimEngine engine) throws Exception {
        for (long seed = 1; seed <= 20; seed++) {
            SimNetwork network = SimNetwork.of(seed, FaultPlan.none(), engine);
            assertThat(new EchoScenario(network, true).run()).as("seed %d", seed).isEqualTo(EchoScenario.CLIENTS);
        }
    }

    @Test
    void anotherProcessWithAnotherCompilerAndCollectorHasTheSameTimelines() throws Exception {
        List<String> command = new ArrayList<>(Tools.java(TimelineDigest.class));
        command.replaceAll(option -> switch (option) {
            case "-XX:+UseSerialGC" -> "-XX:+UseParallelGC";
            case "-XX:TieredStopAtLevel=1" -> "-Xint";
            default -> option;
        });
        assertThat(command).contains("-XX:+UseParallelGC", "-Xint");
        try (Tools.Peer process = Tools.start(command.toArray(String[]::new))) {
            assertThat(process.finish()).containsExactly(TimelineDigest.digest());
        }
    }

    @Test
    void anotherSeedGivesAnotherTimeline() throws Exception {
        assertThat(timeline(1, SimEngine.EPOLL)).isNotEqualTo(timeline(2, SimEngine.EPOLL));
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void withoutFaultsEverythingArrives(SimEngine engine) throws Exception {
        for (long seed = 1; seed <= 20; seed++) {
            SimNetwork network = SimNetwork.of(seed, FaultPlan.none(), engine);
            assertThat(new EchoScenario(network).run()).as("seed %d", seed).isEqualTo(EchoScenario.CLIENTS);
        }
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void faultsThatOnlyDelayLoseNothing(SimEngine engine) throws Exception {
        FaultPlan harmless = FaultPlan.all().without(Fault.RESET, Fault.CONNECT_REFUSED, Fault.CONNECT_UNREACHABLE,
                Fault.CONNECT_IGNORED, Fault.SOCKET_REFUSED, Fault.ACCEPT_ABORTED, Fault.CLOCK_JUMP, Fault.STALL,
                Fault.CLOG, Fault.WATCH_REFUSED);
        for (long seed = 1; seed <= 20; seed++) {
            SimNetwork network = SimNetwork.of(seed, harmless, engine);
            assertThat(new EchoScenario(network).run()).as("seed %d", seed).isEqualTo(EchoScenario.CLIENTS);
        }
    }

    private static List<String> timelineOfSessions(long seed, SimEngine engine) throws Exception {
        SimNetwork network = SimNetwork.of(seed, FaultPlan.all(), engine);
        List<String> lines = new ArrayList<>();
        network.trace((elapsedNanos, event) -> lines.add(elapsedNanos + " " + event));
        new EchoScenario(network, true).run();
        return lines;
    }

    private static List<String> timeline(long seed, SimEngine engine) throws Exception {
        SimNetwork network = SimNetwork.of(seed, FaultPlan.all(), engine);
        List<String> lines = new ArrayList<>();
        network.trace((elapsedNanos, event) -> lines.add(elapsedNanos + " " + event));
        new EchoScenario(network).run();
        return lines;
    }
}
