package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The last steps of an orderly end. */
final class LingeringTest {
    private static final int BYTES_MAX = 10;
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final LoopParts parts = new LoopParts(Limits.defaults().withLingerBytesMax(BYTES_MAX).withLingerTimeout(TIMEOUT));
    private final Lingering lingering = new Lingering(parts.proactor, parts.gate, parts.deadlines, parts.closeRequests);
    private final TestRecord connection = parts.open();

    @Test
    void finIsSentAndThenInputIsReadWithinADeadline() {
        connection.state(ConnectionState.DRAINING);
        lingering.endOutput(connection);
        assertThat(parts.proactor.newCalls()).containsExactly("shutdownOutput 0", "receive 0");
        assertThat(connection.state()).isEqualTo(ConnectionState.LINGERING);
        assertThat(connection.stateDeadlineNanos()).isEqualTo(parts.time.nanoTime() + TIMEOUT.toNanos());
        assertThat(parts.deadlines.queue().next()).isEqualTo(connection.stateDeadlineNanos());
    }

    @Test
    void connectionWhosePeerHasFinishedIsClosedAtOnce() {
        connection.closeReason(CloseReason.DRAINED);
        connection.state(ConnectionState.DRAINING);
        connection.set(ConnectionRecord.INPUT_ENDED);
        lingering.endOutput(connection);
        assertThat(parts.proactor.newCalls()).containsExactly("shutdownOutput 0");
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.DRAINED);
    }

    @Test
    void halfCloseSendsOneFinAndContinuesToReceive() {
        connection.set(ConnectionRecord.OUTPUT_FINISHED);
        lingering.endOutput(connection);
        assertThat(connection.state()).isEqualTo(ConnectionState.OPEN);
        connection.state(ConnectionState.DRAINING);
        lingering.endOutput(connection);
        assertThat(parts.proactor.newCalls()).as("no second FIN").containsExactly("shutdownOutput 0", "receive 0");
        assertThat(connection.state()).isEqualTo(ConnectionState.LINGERING);
    }

    @Test
    void failedFinClosesTheConnection() {
        connection.state(ConnectionState.DRAINING);
        parts.proactor.failNext("shutdownOutput", ErrorCode.ENOTCONN);
        lingering.endOutput(connection);
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
        assertThat(parts.proactor.newCalls()).containsExactly("shutdownOutput 0");
    }

    @Test
    void inputIsDroppedUpToALimitInAll() {
        connection.state(ConnectionState.LINGERING);
        lingering.received(connection, BYTES_MAX - 1);
        lingering.received(connection, 1);
        assertThat(connection.isClosed()).as("at the limit").isFalse();
        lingering.received(connection, 1);
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).as("an orderly end all the same").isEqualTo(CloseReason.FINISHED);
        assertThat(connection.calls).as("nothing is delivered").isEmpty();
    }

    @Test
    void peersFinCompletesTheEnd() {
        connection.closeReason(CloseReason.PEER_FINISHED);
        connection.state(ConnectionState.LINGERING);
        lingering.inputEnded(connection);
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.PEER_FINISHED);
    }
}
