package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Where each completion goes. */
final class DispatcherTest {
    private final LoopParts parts = new LoopParts();
    private final Dispatcher dispatcher = new Dispatcher(parts.clock, parts.counters, parts.table, parts.source, parts.delivery,
            parts.lingering, parts.sender, parts.lifecycle, parts.connectAttempts, parts.closeRequests, parts.callbacks,
            parts.log);
    private final TestRecord connection = parts.open();

    private void receive(String text) {
        dispatcher.received(connection.handle, LoopParts.direct(text), 0, text.length());
    }

    @Test
    void acceptsAreCountedAndPassedToTheSource() {
        LateNetwork network = new LateNetwork(new Random(0), false);
        TcpStream stream = network.new Stream(network.peer());
        dispatcher.accepted(0, stream);
        dispatcher.acceptFailed(0, new NetworkException("accept4", null, ErrorCode.EMFILE));
        assertThat(parts.source.accepted).containsExactly(stream);
        assertThat(parts.source.failures).singleElement().asString().contains("EMFILE");
        assertThat(parts.counters.stats(0).accepted()).isEqualTo(1);
        assertThat(parts.counters.stats(0).acceptFailures()).isEqualTo(1);
    }

    @Test
    void receivedBytesAreCountedAndDeliveredOnlyWhileTheConnectionIsOpen() {
        receive("open\n");
        assertThat(connection.calls).containsExactly("message open");
        connection.state(ConnectionState.DRAINING);
        receive("draining\n");
        connection.state(ConnectionState.LINGERING);
        receive("lingering\n");
        assertThat(connection.calls).hasSize(1);
        assertThat(connection.bytesIn).isEqualTo(5 + 9 + 10);
        assertThat(parts.counters.stats(0).bytesIn()).isEqualTo(24);
        assertThat(connection.addLingerBytes(0)).as("dropped while lingering").isEqualTo(10);
        assertThat(parts.time.nanoTime() - connection.activityNanos(parts.time.nanoTime())).isBetween(-(2L << 20), 0L);
        assertThat(parts.budget.bytes()).isZero();
    }

    @Test
    void completionsOfAClosedConnectionAreDroppedUntilItsHandleIsReleased() {
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        dispatcher.connected(connection.handle);
        receive("late\n");
        dispatcher.urgent(connection.handle, (byte) '!');
        dispatcher.inputEnded(connection.handle);
        dispatcher.sent(connection.handle, 0);
        dispatcher.failed(connection.handle, new NetworkException("recv", null, ErrorCode.ECONNRESET));
        dispatcher.spinning(connection.handle, "descriptor 5");
        assertThat(connection.calls).isEmpty();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CLOSED);
        assertThat(connection.bytesIn).isZero();
        assertThat(parts.proactor.newCalls()).isEmpty();
        dispatcher.closed(connection.handle);
        assertThat(parts.table.remove(connection.handle)).as("released").isNull();
    }

    @Test
    void completionOfAStaleHandleDoesNotConcernTheNextConnectionInItsSlot() {
        long stale = connection.handle;
        parts.table.remove(stale);
        TestRecord next = new TestRecord(true);
        next.handle = 1L << 32 | stale;
        parts.table.put(next);
        receive("late\n");
        dispatcher.closed(stale);
        assertThat(next.calls).isEmpty();
        assertThat(parts.table.get(next.handle)).isSameAs(next);
    }

    @Test
    void urgentByteIsDeliveredWhileTheConnectionIsOpenAndRepliesAreSentAtOnce() {
        connection.reaction = () -> parts.admission.put(connection, "reply");
        dispatcher.urgent(connection.handle, (byte) '!');
        assertThat(connection.calls).containsExactly("urgent !");
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 reply\n");
        connection.state(ConnectionState.DRAINING);
        dispatcher.urgent(connection.handle, (byte) '?');
        assertThat(connection.calls).hasSize(1);
    }

    @Test
    void urgentByteCountsAsActivity() {
        parts.time.step(Duration.ofSeconds(5));
        long idleSince = connection.activityNanos(parts.clock.now());
        dispatcher.urgent(connection.handle, (byte) '!');
        assertThat(connection.activityNanos(parts.clock.now())).isGreaterThan(idleSince);
    }

    @Test
    void urgentByteCountsAsActivityWhileTheConnectionEnds() {
        parts.time.step(Duration.ofSeconds(5));
        long idleSince = connection.activityNanos(parts.clock.now());
        connection.state(ConnectionState.DRAINING);
        dispatcher.urgent(connection.handle, (byte) '!');
        assertThat(connection.activityNanos(parts.clock.now())).isGreaterThan(idleSince);
    }

    @Test
    void endOfInputIsDeliveredRememberedOrCompletesTheEnd() {
        dispatcher.inputEnded(connection.handle);
        assertThat(connection.calls).containsExactly("end of input");

        TestRecord draining = parts.open();
        parts.gate.update(draining);
        draining.state(ConnectionState.DRAINING);
        dispatcher.inputEnded(draining.handle);
        assertThat(draining.calls).isEmpty();
        assertThat(draining.is(ConnectionRecord.RECEIVING)).isFalse();
        parts.sender.flush(draining);
        assertThat(draining.isClosed()).as("without lingering").isTrue();

        TestRecord lingering = parts.open();
        lingering.state(ConnectionState.LINGERING);
        dispatcher.inputEnded(lingering.handle);
        assertThat(lingering.closeReason()).isEqualTo(CloseReason.FINISHED);
    }

    @Test
    void completedSendsAndConnectsContinueTheConnection() {
        parts.enqueue(connection, "waiting");
        parts.proactor.nextSends(0);
        parts.sender.flush(connection);
        dispatcher.sent(connection.handle, 0);
        assertThat(parts.proactor.taken(0)).isEqualTo("waiting");
        connection.state(ConnectionState.CONNECTING);
        dispatcher.connected(connection.handle);
        assertThat(connection.calls).containsExactly("open");
    }

    @Test
    void failedAndSpinningConnectionsAreClosed() {
        try (LogLines log = new LogLines()) {
            dispatcher.failed(connection.handle, new NetworkException("recv", null, ErrorCode.ECONNRESET));
            assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
            TestRecord spinning = parts.open();
            dispatcher.spinning(spinning.handle, "descriptor 5");
            assertThat(spinning.closeReason()).isEqualTo(CloseReason.SPINNING);
            assertThat(log.lines("descriptor 5")).hasSize(1);
        }
    }
}
