package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests single scenarios that generated ones contain by chance. */
final class SmallScenarioTest {
    private static final long MILLI = 1_000_000;

    @Test
    void broadcastToAConnectionThatHasStreamedCountsAsMessage() {
        assertThat(Run.of(scenario(ClientFraming.LINES, request(RequestKind.REPLY_STREAM), request(RequestKind.BROADCAST)))
                .failure()).isNull();
    }

    /** A ring had accepted bytes that it could not send before the linger timeout: the server resets the connection. */
    @Test
    void resetOfBytesThatARingHasNotSentIsExplained() {
        assertThat(Run.of(Scenario.of(881_000_121)).failure()).isNull();
    }

    /** The clock jumps, so that a connection is found idle and its drain is over in the same turn. */
    @Test
    void aDrainThatEndsInTheTurnOfAnIdleTimeoutIsNoFalseAlarm() {
        assertThat(Run.of(Scenario.of(950_001_231)).failure()).isNull();
    }

    /** The client has accepted a connect by name whose timeout passes, so that it must learn that a message was dropped. */
    @Test
    void aConnectByNameThatTimesOutTooLateIsReset() {
        assertThat(Run.of(Scenario.of(970_000_792)).failure()).isNull();
    }

    /** What onDropped itself drops is reported with the next drop, or when the queue is empty. */
    @Test
    void dropsCausedByOnDroppedMayBeReportedLate() {
        assertThat(Run.of(Scenario.of(970_000_245)).failure()).isNull();
    }

    @ParameterizedTest
    @EnumSource(ClientFraming.class)
    void everyFramingCarriesEchoesAndReplies(ClientFraming framing) {
        Scenario scenario = scenario(framing, request(RequestKind.ECHO), request(RequestKind.REPLY_STREAM),
                request(RequestKind.ECHO), request(RequestKind.EMPTY_REPLY), request(RequestKind.REPLY_LATER));
        Outcome outcome = Run.of(scenario);
        assertThat(outcome.failure()).isNull();
        assertThat(outcome.tally().count("request ECHO")).isEqualTo(4);
        assertThat(outcome.tally().count("client-end FINISHED")).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource(ClientFraming.class)
    void clientsDecodeWhatTheServerFrames(ClientFraming framing) {
        FrameDecoder decoder = new FrameDecoder(framing);
        for (boolean upgraded : new boolean[]{false, true}) {
            for (int length : new int[]{1, 9, 10, 200}) {
                byte[] content = MessageContent.of("r1", length, framing);
                byte[] framed = framing.frame(content, upgraded);
                assertThat(framed).hasSize(framing.framedLength(content.length));
                for (byte b : framed) {
                    assertThat(decoder.next()).isNull();
                    decoder.add(ByteBuffer.wrap(new byte[]{b}));
                }
                assertThat(decoder.next()).isEqualTo(content);
                assertThat(decoder.wasUpgraded()).isEqualTo(upgraded && framing.upgrades());
            }
        }
    }

    private static Request request(RequestKind kind) {
        return new Request(kind, 8, 1, 16, 0);
    }

    /** Returns a scenario without faults: each client sends all requests at once. */
    private static Scenario scenario(ClientFraming framing, Request... requests) {
        ServerPlan server = new ServerPlan(0, SimEngine.EPOLL, 1, framing, Overflow.PAUSE_READING, Limits.defaults(), false, 16,
                0,
                0, false, EndOfInputReaction.FINISH, List.of(), Listeners.PORT);
        List<Step> steps = List.of(new Step(MILLI, new ClientAction.SendMessages(Arrays.asList(requests))));
        List<ClientPlan> clients = List.of(client(0, steps), client(1, steps));
        return new Scenario(1, List.of(server), clients, List.of(), FaultPlan.none(), 1000 * MILLI);
    }

    private static ClientPlan client(int number, List<Step> steps) {
        return new ClientPlan(number, ClientKind.STEADY, 0, 0, false, true, MILLI, Pace.FULL_SPEED, false, 0, steps);
    }
}
