package io.trivet.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the checkers report nothing in rare situations in which the server is right. Each was once reported. */
final class NoFalseAlarmTest {
    private static final long MICRO = 1_000;

    /**
     * A connection is opened, gets a broadcast and is closed in the first turn of its loop, which had no connection on which the
     * broadcast could be observed.
     */
    @ParameterizedTest
    @EnumSource(Overflow.class)
    void broadcastInTheFirstTurnOfALoop(Overflow overflow) {
        Limits limits = Limits.defaults().withQueueBytesMax(1024);
        for (int micros = 1; micros < 40; micros++) {
            for (int size : new int[]{60, 2000}) {
                ServerPlan server = new ServerPlan(0, SimEngine.EPOLL, 3, ClientFraming.LINES, overflow, limits, false, 128, 0, 0,
                        false, EndOfInputReaction.FINISH, List.of(), Listeners.PORT);
                assertPasses(new Scenario(1, List.of(server), clients(8), List.of(new ExternalAction.Broadcast(micros * MICRO, 0,
                        size)), FaultPlan.none(), 1_000_000_000));
            }
        }
    }

    /**
     * A ring has accepted bytes, and the socket has refused some of them. Until the server sends again, only the ring waits for
     * room. Another client causes the turns after which snapshots are checked meanwhile.
     */
    @ParameterizedTest
    @ValueSource(ints = {700, 1500})
    void ringThatWaitsForRoomOnItsOwn(int length) {
        ServerPlan server = new ServerPlan(0, SimEngine.URING, 1, ClientFraming.RAW, Overflow.PAUSE_READING, Limits.defaults(),
                false, 16, 0, 0, true, EndOfInputReaction.FINISH, List.of(), Listeners.PORT);
        List<ClientPlan> clients = List.of(
                new ClientPlan(0, ClientKind.NEVER_READS, 0, 0, false, true, MICRO, Pace.FULL_SPEED, false, 2048,
                        echoes(20_000 / length, length, 10_000 * MICRO)),
                new ClientPlan(1, ClientKind.STEADY, 0, 0, false, true, MICRO, Pace.FULL_SPEED, false, 0,
                        echoes(3000, 1, 50 * MICRO)));
        for (int seed = 1; seed <= 6; seed++) { // draws the size of the server's buffers
            assertPasses(new Scenario(seed, List.of(server), clients, List.of(), FaultPlan.none(), 1_000_000_000));
        }
    }

    private static List<Step> echoes(int count, int length, long gapNanos) {
        return Collections.nCopies(count, new Step(gapNanos, new ClientAction.SendMessages(List.of(
                new Request(RequestKind.ECHO, length, 1, 0, 0)))));
    }

    private static List<ClientPlan> clients(int count) {
        return new ArrayList<>(IntStream.range(0, count).mapToObj(number -> new ClientPlan(number, ClientKind.SILENT, 0, 0, false,
                true, number * MICRO / 2, Pace.FULL_SPEED, false, 0, List.of())).toList());
    }

    private static void assertPasses(Scenario scenario) {
        assertThat(Run.of(scenario).failure()).as(scenario.toString()).isNull();
    }
}
