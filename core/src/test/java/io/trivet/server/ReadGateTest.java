package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When the proactor receives for a connection, and which connections have input to deliver. */
final class ReadGateTest {
    private static final Duration FIRST_MESSAGE = Duration.ofSeconds(20);

    private final LoopParts parts = new LoopParts(Limits.defaults().withFirstMessageTimeout(FIRST_MESSAGE));
    private final ReadGate gate = new ReadGate(parts.proactor, parts.clock, parts.deadlines, parts.closeRequests);
    private final TestRecord connection = parts.open();

    @Test
    void readingIsPausedAsLongAsTheApplicationOrTheQueuePausesIt() {
        gate.update(connection);
        gate.update(connection);
        assertThat(parts.proactor.newCalls()).as("only once").containsExactly("receive 0");
        gate.pause(connection, ConnectionRecord.PAUSED_BY_QUEUE);
        assertThat(parts.proactor.newCalls()).containsExactly("stopReceiving 0");
        gate.pause(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        gate.resume(connection, ConnectionRecord.PAUSED_BY_QUEUE);
        assertThat(parts.proactor.newCalls()).as("the application still pauses it").isEmpty();
        gate.resume(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        assertThat(parts.proactor.newCalls()).containsExactly("receive 0");
        assertThat(gate.pendingCount()).as("nothing is held").isZero();
    }

    @ParameterizedTest
    @EnumSource(ConnectionState.class)
    void inputIsWantedOnlyToBeDeliveredOrDroppedWhileLingering(ConnectionState state) {
        connection.state(state);
        boolean wanted = state == ConnectionState.OPEN || state == ConnectionState.LINGERING;
        gate.update(connection);
        assertThat(parts.proactor.newCalls()).isEqualTo(wanted ? List.of("receive 0") : List.of());
        connection.set(ConnectionRecord.RECEIVING | ConnectionRecord.INPUT_ENDED);
        gate.update(connection);
        assertThat(parts.proactor.newCalls()).as("after the peer's FIN, or not wanted")
                .isEqualTo(state == ConnectionState.CLOSED ? List.of() : List.of("stopReceiving 0"));
    }

    @Test
    void heldInputIsDeliveredInTheNextTurnAndOnlyThenIsMoreReceived() {
        connection.set(ConnectionRecord.PAUSED_BY_APPLICATION);
        parts.partialInputs.add(connection, LoopParts.direct("held"), 0, 4);
        parts.time.step(Duration.ofSeconds(5));
        gate.resume(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        assertThat(connection.partialInput().beganNanos).as("the pause does not count").isEqualTo(parts.time.nanoTime());
        assertThat(connection.stateDeadlineNanos()).as("the first message's deadline starts again")
                .isEqualTo(parts.time.nanoTime() + FIRST_MESSAGE.toNanos());
        assertThat(connection.calls).isEmpty();
        assertThat(gate.pendingCount()).isEqualTo(1);
        assertThat(parts.proactor.newCalls()).isEmpty();
        assertThat(gate.takePending()).isSameAs(connection);
        gate.update(connection);
        assertThat(parts.proactor.newCalls()).containsExactly("receive 0");
    }

    @Test
    void heldEndOfInputIsDeliveredInTheNextTurn() {
        connection.set(ConnectionRecord.PAUSED_BY_APPLICATION | ConnectionRecord.INPUT_ENDED
                | ConnectionRecord.END_OF_INPUT_PENDING);
        gate.resume(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        assertThat(gate.takePending()).isSameAs(connection);
    }

    @Test
    void connectionsAreQueuedOnceInOrderAndReceiveNothingMeanwhile() {
        TestRecord second = parts.open();
        gate.update(connection);
        gate.deliverLater(connection);
        gate.deliverLater(second);
        gate.deliverLater(connection);
        assertThat(parts.proactor.newCalls()).containsExactly("receive 0", "stopReceiving 0");
        assertThat(gate.pendingCount()).isEqualTo(2);
        assertThat(gate.takePending()).isSameAs(connection);
        assertThat(connection.mayDeliver()).isTrue();
        gate.deliverLater(connection);
        assertThat(gate.takePending()).isSameAs(second);
        assertThat(gate.takePending()).as("queued again, behind the other").isSameAs(connection);
    }

    @Test
    void resumingWhatIsNotPausedOrNotOpenDoesNothing() {
        gate.resume(connection, ConnectionRecord.PAUSED_BY_QUEUE);
        assertThat(connection.stateDeadlineNanos()).as("the deadline does not start again").isEqualTo(Loop.NO_DEADLINE);
        connection.set(ConnectionRecord.PAUSED_BY_QUEUE);
        parts.partialInputs.add(connection, LoopParts.direct("held"), 0, 4);
        connection.state(ConnectionState.DRAINING);
        gate.resume(connection, ConnectionRecord.PAUSED_BY_QUEUE);
        assertThat(connection.isPaused()).isFalse();
        assertThat(gate.pendingCount()).isZero();
        assertThat(parts.proactor.newCalls()).isEmpty();
    }

    @Test
    void relayThatDrainsHasNoDeadlineOfTheFirstMessage() {
        connection.inputSink(new InputSink() {
            @Override
            public void take(ByteBuffer received) {}

            @Override
            public void takeHeld() {}

            @Override
            public void end() {}

            @Override
            public void cut() {}
        });
        connection.state(ConnectionState.DRAINING);
        gate.pause(connection, ConnectionRecord.PAUSED_BY_RELAY);
        gate.resume(connection, ConnectionRecord.PAUSED_BY_RELAY);
        assertThat(connection.stateDeadlineNanos()).as("it would end the drain").isEqualTo(Loop.NO_DEADLINE);
        assertThat(parts.proactor.newCalls()).containsExactly("receive 0");
    }

    @Test
    void connectionIsClosedIfTheProactorFails() {
        parts.proactor.failNext("receive", ErrorCode.ECONNRESET);
        gate.update(connection);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
        assertThat(parts.closeRequests.takeClose()).isSameAs(connection);
        parts.proactor.newCalls();
        gate.update(connection);
        assertThat(parts.proactor.newCalls()).as("a closed connection").isEmpty();
    }

    @Test
    void connectionWithoutAHandleIsOnlyMarked() {
        TestRecord connecting = new TestRecord(false);
        gate.pause(connecting, ConnectionRecord.PAUSED_BY_APPLICATION);
        gate.resume(connecting, ConnectionRecord.PAUSED_BY_APPLICATION);
        assertThat(connecting.isPaused()).isFalse();
        assertThat(parts.proactor.newCalls()).isEmpty();
    }
}
