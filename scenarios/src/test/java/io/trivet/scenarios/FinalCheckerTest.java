package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Tests which resets are explained: that of a client whose urgent byte the server left unread, and not that of a client without
 * one.
 */
final class FinalCheckerTest {
    private static final long MILLI = 1_000_000;
    private static final Step REQUESTS_FINISH = new Step(MILLI,
            new ClientAction.SendMessages(List.of(new Request(RequestKind.FINISH, 8, 1, 16, 0))));
    private static final Step SENDS_URGENT = new Step(MILLI, new ClientAction.SendUrgent());

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "URING") // a multishot receive reads past it
    void unreadUrgentByteExplainsReset(SimEngine engine) {
        Scenario scenario = scenario(engine, REQUESTS_FINISH, SENDS_URGENT);
        assertThat(Run.of(scenario).failure()).isNull();
        assertThat(Run.of(scenario, PlantedBug.RESET_AT_CLOSE).failure()).isNull();
        assertThat(Run.of(scenario).tally().count("client-end FAILED")).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void urgentByteBeforeReadBytesDoesNotExplainReset(SimEngine engine) {
        Scenario scenario = scenario(engine, SENDS_URGENT, REQUESTS_FINISH);
        assertThat(Run.of(scenario).failure()).isNull();
        assertThat(Run.of(scenario).tally().count("client-end FINISHED")).isEqualTo(1);
        CheckFailure failure = Objects.requireNonNull(Run.of(scenario, PlantedBug.RESET_AT_CLOSE).failure());
        assertThat(failure.rule()).isEqualTo(Rule.ENDS);
        assertThat(failure.text()).contains("lost its connection").contains("everything that it wrote was read");
    }

    /** Returns a scenario with a client that reads nothing until the recovery phase, and a server that lingers for 50 ms. */
    private static Scenario scenario(SimEngine engine, Step... steps) {
        Limits limits = Limits.defaults().withLingerTimeout(Duration.ofMillis(50));
        ServerPlan server = new ServerPlan(0, engine, 1, ClientFraming.LINES, Overflow.PAUSE_READING, limits, false, 16, 0, 0,
                false,
                EndOfInputReaction.FINISH, List.of(), Listeners.PORT);
        ClientPlan client = new ClientPlan(0, ClientKind.NEVER_READS, 0, 0, false, true, MILLI, Pace.FULL_SPEED, false, 0,
                Arrays.asList(steps));
        return new Scenario(1, List.of(server), List.of(client), List.of(), FaultPlan.none(), 1000 * MILLI);
    }
}
