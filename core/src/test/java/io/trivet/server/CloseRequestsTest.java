package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.tls.TruncatedException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Requests to close a connection, and the reason that a failure gives. */
final class CloseRequestsTest {
    private final CloseRequests requests = new CloseRequests(new Log(new SteppedClock()));
    private final TestRecord connection = new TestRecord(true);

    private static IOException failure(ErrorCode code) {
        return new NetworkException("send", null, code);
    }

    @Test
    void requestTakesEffectAtOnceAndTheFirstReasonCounts() {
        requests.close(connection, CloseReason.QUEUE_FULL);
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.calls).as("the handler is called at the end of the turn").isEmpty();
        requests.close(connection, CloseReason.CLOSED);
        requests.fail(connection, failure(ErrorCode.EIO));
        assertThat(connection.closeReason()).isEqualTo(CloseReason.QUEUE_FULL);
        assertThat(connection.failure()).isNull();
        assertThat(requests.takeClose()).isSameAs(connection);
        assertThat(requests.takeClose()).as("only one request").isNull();
    }

    @Test
    void requestsAreTakenInTheirOrder() {
        TestRecord second = new TestRecord(true);
        requests.close(second, CloseReason.CLOSED);
        requests.close(connection, CloseReason.CLOSED);
        assertThat(requests.isEmpty()).isFalse();
        assertThat(requests.takeClose()).isSameAs(second);
        assertThat(requests.takeClose()).isSameAs(connection);
        assertThat(requests.isEmpty()).isTrue();
    }

    @Test
    void endAfterSendingStopsMessagesBothWaysAndKeepsWhatIsQueued() {
        connection.reserve(10, 100, 50);
        requests.endAfterSending(connection, CloseReason.MESSAGE_TOO_LONG);
        assertThat(connection.state()).isEqualTo(ConnectionState.DRAINING);
        assertThat(connection.takesInput()).isFalse();
        assertThat(connection.takesMessages()).isFalse();
        assertThat(connection.queuedBytes()).isEqualTo(10);
        requests.endAfterSending(connection, CloseReason.IDLE_TIMEOUT);
        assertThat(connection.closeReason()).as("the first reason").isEqualTo(CloseReason.MESSAGE_TOO_LONG);
        assertThat(requests.takeEnd()).isSameAs(connection);
        assertThat(requests.takeEnd()).as("only one request").isNull();
        requests.close(connection, CloseReason.WRITE_TIMEOUT);
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).as("why it ended, not what has cut the end short")
                .isEqualTo(CloseReason.MESSAGE_TOO_LONG);
    }

    @Test
    void aFailureAfterACutStreamIsOnlyAConsequence() {
        requests.truncated(connection);
        requests.fail(connection, failure(ErrorCode.ENOTCONN));
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.TRUNCATED);
        assertThat(connection.failure()).isInstanceOf(TruncatedException.class);
    }

    @Test
    void brokenRuleReplacesTheReasonOfAGracefulEnd() {
        connection.closeReason(CloseReason.FINISHED);
        connection.state(ConnectionState.DRAINING);
        requests.endAfterSending(connection, CloseReason.HANDLER_FAILED);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.HANDLER_FAILED);
        assertThat(requests.takeEnd()).as("it must get a deadline").isSameAs(connection);
    }

    @ParameterizedTest
    @EnumSource(value = ConnectionState.class, names = {"OPEN", "INPUT_ENDED", "DRAINING"})
    void lostPeerIsAResetAndAnyOtherErrorAFailureThatIsLogged(ConnectionState state) {
        try (LogLines log = new LogLines()) {
            connection.state(state);
            IOException reset = failure(ErrorCode.EPIPE);
            requests.fail(connection, reset);
            assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
            assertThat(connection.failure()).isSameAs(reset);
            assertThat(log.lines()).as("a reset is no news").isEmpty();

            TestRecord other = new TestRecord(true);
            other.state(state);
            requests.fail(other, failure(ErrorCode.ENOMEM));
            assertThat(other.closeReason()).isEqualTo(CloseReason.FAILED);
            assertThat(log.lines("ENOMEM")).hasSize(1);
        }
    }

    @Test
    void failureOfAConnectIsKeptAndFailureWhileLingeringIsAnOrderlyEnd() {
        TestRecord connecting = new TestRecord(false);
        IOException refused = failure(ErrorCode.ECONNREFUSED);
        requests.fail(connecting, refused);
        assertThat(connecting.closeReason()).isEqualTo(CloseReason.CONNECT_FAILED);
        assertThat(connecting.failure()).isSameAs(refused);

        connection.closeReason(CloseReason.DRAINED);
        connection.state(ConnectionState.LINGERING);
        requests.fail(connection, failure(ErrorCode.ECONNRESET));
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).as("everything was delivered").isEqualTo(CloseReason.DRAINED);
        assertThat(connection.failure()).isNull();
    }
}
