package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.net.ProtocolException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Which connections are overdue, and by which of their deadlines. */
final class DeadlineSweepTest {
    private static final Duration FIRST_MESSAGE = Duration.ofSeconds(1);
    private static final Duration MESSAGE = Duration.ofSeconds(2);
    private static final Duration WRITE = Duration.ofSeconds(4);
    private static final Duration IDLE = Duration.ofSeconds(8);
    private static final Duration TICKS = Duration.ofMillis(3); // activity is recorded in ticks, rounded up

    private final LoopParts parts = new LoopParts(Limits.defaults().withFirstMessageTimeout(FIRST_MESSAGE)
            .withMessageTimeout(MESSAGE).withWriteTimeout(WRITE).withIdleTimeout(IDLE));
    private long waitedNanos;
    private final DeadlineSweep sweep = new DeadlineSweep(parts.clock, parts.table, parts.deadlines, parts.pendingSends,
            parts.closeRequests, connection -> waitedNanos);
    private final TestRecord connection = parts.open();

    DeadlineSweepTest() {
        connection.active(parts.time.nanoTime());
    }

    private int sweepAfter(Duration duration) {
        parts.time.step(duration);
        return sweep.closeOverdue(parts.time.nanoTime());
    }

    private void assertClosesAfter(Duration timeout, CloseReason reason) {
        assertThat(sweepAfter(timeout.minusNanos(1))).as("nothing is looked at before").isZero();
        assertThat(connection.isClosed()).isFalse();
        assertThat(sweepAfter(Duration.ofNanos(1))).isEqualTo(1);
        assertThat(connection.closeReason()).isEqualTo(reason);
        assertThat(parts.closeRequests.takeClose()).isSameAs(connection);
        assertThat(sweep.next()).isEqualTo(Loop.NO_DEADLINE);
    }

    private void assertEndsAfterSendingAfter(Duration timeout, CloseReason reason) {
        assertThat(sweepAfter(timeout.minusNanos(1))).as("nothing is looked at before").isZero();
        assertThat(connection.state()).isEqualTo(ConnectionState.OPEN);
        assertThat(sweepAfter(Duration.ofNanos(1))).isEqualTo(1);
        assertThat(connection.closeReason()).isEqualTo(reason);
        assertThat(connection.state()).isEqualTo(ConnectionState.DRAINING);
        assertThat(parts.closeRequests.takeEnd()).isSameAs(connection);
        assertThat(sweep.next()).as("the linger deadline is set with the request's completion").isEqualTo(Loop.NO_DEADLINE);
    }

    @Test
    void connectThatTakesTooLongFailsWithTheAddress() {
        connection.state(ConnectionState.CONNECTING);
        connection.clear(ConnectionRecord.ACCEPTED);
        connection.cachedAddress(RecordingProactor.REMOTE);
        parts.deadlines.stateEndsIn(connection, Duration.ofSeconds(7));
        assertClosesAfter(Duration.ofSeconds(7), CloseReason.CONNECT_TIMEOUT);
        assertThat(connection.failure()).isInstanceOf(NetworkException.class).hasMessageContaining("10.0.0.1:1000");
        assertThat(((NetworkException) connection.failure()).code()).isEqualTo(ErrorCode.ETIMEDOUT);
    }

    @Test
    void handshakeThatTakesTooLongClosesTheConnection() {
        connection.state(ConnectionState.CONNECTING);
        connection.set(ConnectionRecord.HANDSHAKING);
        parts.deadlines.stateEndsIn(connection, Duration.ofSeconds(7));
        assertClosesAfter(Duration.ofSeconds(7), CloseReason.HANDSHAKE_TIMEOUT);
    }

    @Test
    void theTimeForWhichAHandshakeWaitsForOthersDoesNotCount() {
        connection.state(ConnectionState.CONNECTING);
        connection.set(ConnectionRecord.HANDSHAKING);
        parts.deadlines.stateEndsIn(connection, Duration.ofSeconds(7));
        waitedNanos = Duration.ofSeconds(3).toNanos();
        assertThat(sweepAfter(Duration.ofSeconds(7))).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
        assertClosesAfter(Duration.ofSeconds(3), CloseReason.HANDSHAKE_TIMEOUT);
    }

    @Test
    void aHandshakeWithoutTimeLimitHasNoDeadlineHoweverLongItWaits() {
        connection.state(ConnectionState.CONNECTING);
        connection.set(ConnectionRecord.HANDSHAKING);
        parts.deadlines.stateEndsIn(connection, Duration.ZERO);
        waitedNanos = 1;
        parts.deadlines.atLatest(connection, parts.time.nanoTime());
        assertThat(sweepAfter(Duration.ofDays(1))).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
    }

    @Test
    void proxyThatSendsNoHeaderInTimeBreaksTheProtocol() {
        connection.state(ConnectionState.CONNECTING);
        parts.deadlines.stateEndsIn(connection, ProxyHeaders.TIMEOUT);
        assertClosesAfter(ProxyHeaders.TIMEOUT, CloseReason.PROTOCOL_ERROR);
        assertThat(connection.failure()).hasMessage("the proxy has sent no complete PROXY header within 5 s");
    }

    @Test
    void protocolErrorKeepsItsFailureIfTheRestCannotBeSentInTime() {
        parts.closeRequests.protocolError(connection, new ProtocolException("a negative length"));
        parts.deadlines.stateEndsIn(connection, Duration.ofSeconds(5));
        assertClosesAfter(Duration.ofSeconds(5), CloseReason.PROTOCOL_ERROR);
        assertThat(connection.failure()).hasMessage("a negative length");
    }

    @Test
    void firstMessageThatTakesTooLongClosesTheConnection() {
        parts.deadlines.startFirstMessage(connection);
        assertEndsAfterSendingAfter(FIRST_MESSAGE, CloseReason.FIRST_MESSAGE_TIMEOUT);
    }

    @Test
    void firstMessageIsNotExpectedWhileReadingIsPausedNorOnceItHasArrived() {
        parts.deadlines.startFirstMessage(connection);
        connection.set(ConnectionRecord.PAUSED_BY_APPLICATION);
        assertThat(sweepAfter(FIRST_MESSAGE)).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
        connection.clear(ConnectionRecord.PAUSED_BY_APPLICATION);
        connection.set(ConnectionRecord.RECEIVED_MESSAGE);
        parts.deadlines.atLatest(connection, parts.time.nanoTime());
        assertThat(sweepAfter(Duration.ZERO)).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
        assertThat(sweep.next() - parts.time.nanoTime()).as("the idle deadline is next")
                .isBetween(IDLE.minus(FIRST_MESSAGE).toNanos(), IDLE.minus(FIRST_MESSAGE).plus(TICKS).toNanos());
    }

    @Test
    void incompleteMessageThatTakesTooLongClosesTheConnectionUnlessReadingIsPaused() {
        parts.partialInputs.add(connection, LoopParts.direct("half"), 0, 4);
        parts.deadlines.startMessage(connection, parts.time.nanoTime());
        connection.set(ConnectionRecord.PAUSED_BY_QUEUE);
        assertThat(sweepAfter(MESSAGE)).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
        connection.clear(ConnectionRecord.PAUSED_BY_QUEUE);
        connection.partialInput().beganNanos = parts.time.nanoTime();
        parts.deadlines.startMessage(connection, parts.time.nanoTime());
        assertEndsAfterSendingAfter(MESSAGE, CloseReason.MESSAGE_TIMEOUT);
    }

    @Test
    void peerThatTakesNothingIsClosedAndOneThatTakesALittleIsNot() {
        parts.enqueue(connection, "waiting");
        parts.deadlines.startWrite(connection, parts.time.nanoTime());
        parts.time.step(Duration.ofSeconds(3));
        connection.sendQueue().progressNanos = parts.time.nanoTime();
        assertThat(sweepAfter(Duration.ofSeconds(1))).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
        assertThat(sweep.next()).as("counted from the progress")
                .isEqualTo(parts.time.nanoTime() + Duration.ofSeconds(3).toNanos());
        assertClosesAfter(Duration.ofSeconds(3), CloseReason.WRITE_TIMEOUT);
    }

    @Test
    void messagesOfAConnectionThatIsNotOpenYetHaveNoWriteDeadline() {
        connection.state(ConnectionState.CONNECTING);
        parts.enqueue(connection, "waiting");
        parts.deadlines.startWrite(connection, parts.time.nanoTime());
        assertThat(sweepAfter(WRITE)).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
        assertThat(sweep.next()).isEqualTo(Loop.NO_DEADLINE);
    }

    @Test
    void idleConnectionIsClosedAndActivityPostponesThat() {
        parts.deadlines.startIdle(connection);
        parts.time.step(Duration.ofSeconds(5));
        connection.active(parts.time.nanoTime());
        assertThat(sweepAfter(Duration.ofSeconds(3))).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
        assertThat(sweepAfter(Duration.ofSeconds(5).minusNanos(1))).as("never early").isZero();
        sweepAfter(TICKS);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.IDLE_TIMEOUT);
    }

    @Test
    void lingeringConnectionEndsOrderlyAtItsDeadlineAndIsNeverIdle() {
        connection.closeReason(CloseReason.DRAINED);
        connection.state(ConnectionState.LINGERING);
        parts.deadlines.startIdle(connection);
        assertThat(sweepAfter(IDLE.plus(TICKS))).isEqualTo(1);
        assertThat(connection.isClosed()).isFalse();
        parts.deadlines.stateEndsIn(connection, Duration.ofSeconds(5));
        assertClosesAfter(Duration.ofSeconds(5), CloseReason.DRAINED);
    }

    @Test
    void writeDeadlineStillRunsWhileTheRestIsSent() {
        parts.enqueue(connection, "waiting");
        parts.deadlines.startFirstMessage(connection);
        assertThat(sweepAfter(FIRST_MESSAGE)).isEqualTo(1);
        assertThat(connection.state()).isEqualTo(ConnectionState.DRAINING);
        assertThat(sweepAfter(WRITE.minus(FIRST_MESSAGE))).isEqualTo(1);
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).as("the first reason").isEqualTo(CloseReason.FIRST_MESSAGE_TIMEOUT);
    }

    @Test
    void slotWithoutAnOpenConnectionIsForgotten() {
        parts.deadlines.startIdle(connection);
        parts.table.remove(connection.handle);
        assertThat(sweepAfter(IDLE)).isZero();
        assertThat(sweep.next()).isEqualTo(Loop.NO_DEADLINE);
        TestRecord closed = parts.open();
        parts.deadlines.startIdle(closed);
        parts.closeRequests.close(closed, CloseReason.CLOSED);
        assertThat(sweepAfter(IDLE.plus(IDLE))).isZero();
        assertThat(closed.closeReason()).isEqualTo(CloseReason.CLOSED);
    }

    @Test
    void allOverdueConnectionsAreClosedInOneSweep() {
        TestRecord second = parts.open();
        second.active(parts.time.nanoTime());
        parts.deadlines.startFirstMessage(second);
        parts.deadlines.startFirstMessage(connection);
        assertThat(sweepAfter(FIRST_MESSAGE)).isEqualTo(2);
        assertThat(parts.closeRequests.takeEnd()).as("of equal deadlines the lower slot first").isSameAs(connection);
        assertThat(parts.closeRequests.takeEnd()).isSameAs(second);
    }
}
