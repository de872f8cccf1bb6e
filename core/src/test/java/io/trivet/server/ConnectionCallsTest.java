package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ReadState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** What a connection asks of its loop. */
final class ConnectionCallsTest {
    private final LoopParts parts = new LoopParts(Limits.defaults().withQueueBytesMax(10));
    private final ConnectionCalls calls = new ConnectionCalls(3, parts.proactor, parts.clock, parts.mailbox, parts.admission,
            parts.transferAdmission,
            parts.sender, parts.budgetGuard, parts.gate, parts.lifecycle, parts.delivery, parts.relays, parts.closeRequests,
            parts.timers, parts.pendingSends,
            parts.callbacks, parts.handshakes,
            new StartTls(parts.handshakes, parts.gate, parts.sender, parts.closeRequests));
    private final TestRecord connection = parts.open();

    @Test
    void fullQueueClosesTheConnectionOnSendButNotOnOffer() {
        assertThat(calls.send(connection, LoopParts.bytes("12345678"), false)).isEqualTo(SendResult.QUEUED);
        assertThat(calls.offer(connection, LoopParts.bytes("x"))).isEqualTo(SendResult.FULL);
        assertThat(connection.isClosed()).isFalse();
        assertThat(calls.send(connection, "x")).isEqualTo(SendResult.FULL);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.QUEUE_FULL);
        assertThat(calls.send(connection, "x")).isEqualTo(SendResult.CLOSED);
    }

    @Test
    void callsOfOtherThreadsRunOnTheLoopInTheirOrder() {
        LoopParts.onOtherThread(() -> {
            calls.sendUrgent(connection, (byte) '!');
            calls.pauseReading(connection);
            calls.resumeReading(connection);
            calls.finishOutput(connection);
            calls.close(connection, CloseReason.CLOSED);
        });
        assertThat(parts.proactor.newCalls()).isEmpty();
        assertThat(connection.isClosed()).isFalse();
        assertThat(parts.proactor.wakeups()).isEqualTo(5);
        parts.runTasks();
        assertThat(parts.proactor.newCalls()).containsExactly("sendUrgent 0 !", "receive 0");
        assertThat(connection.takesMessages()).isFalse();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CLOSED);
    }

    @Test
    void finishDrainsTheConnection() {
        calls.finish(connection);
        assertThat(connection.state()).isEqualTo(ConnectionState.DRAINING);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.FINISHED);
    }

    @Test
    void scheduledTaskIsDueAfterItsDelayCountedFromTheCall() {
        List<String> done = new ArrayList<>();
        long start = parts.time.nanoTime();
        LoopParts.onOtherThread(() -> calls.schedule(connection, Duration.ofSeconds(5), () -> done.add("later")));
        calls.schedule(connection, Duration.ofSeconds(-5), () -> done.add("at once"));
        parts.time.step(Duration.ofSeconds(1));
        parts.runTasks();
        parts.timers.runDue(start);
        assertThat(done).containsExactly("at once");
        assertThat(parts.timers.next()).isEqualTo(start + Duration.ofSeconds(5).toNanos());
        parts.mailbox.close();
        assertThatThrownBy(() -> calls.schedule(connection, Duration.ZERO, () -> {}))
                .isInstanceOf(RejectedExecutionException.class).hasMessageContaining("closed");
    }

    @Test
    void addressComesFromTheCacheOrTheSocket() {
        assertThat(calls.remoteAddress(connection)).isEqualTo(RecordingProactor.REMOTE);
        assertThat(calls.localAddress(connection)).isEqualTo(RecordingProactor.LOCAL);
        parts.proactor.close(connection.handle);
        assertThatThrownBy(() -> calls.remoteAddress(connection)).isInstanceOf(IllegalStateException.class);
        assertThat(calls.localAddress(connection)).isNull();
        connection.cachedAddress(RecordingProactor.LOCAL);
        assertThat(calls.remoteAddress(connection)).as("cached").isEqualTo(RecordingProactor.LOCAL);
    }

    @Test
    void snapshotShowsQueueAgeInterestAndWhy() {
        parts.gate.update(connection);
        connection.active(parts.time.nanoTime());
        connection.bytesIn = 7;
        calls.send(connection, "one");
        parts.proactor.nextSends(RecordingProactor.PENDING);
        parts.sender.flushPending();
        parts.time.step(Duration.ofSeconds(2));
        ConnectionSnapshot snapshot = calls.snapshot(connection, 42);
        assertThat(snapshot).isEqualTo(new ConnectionSnapshot(42, RecordingProactor.REMOTE, 3, ConnectionState.OPEN, true, true,
                false, ReadState.READING, "read; written: its socket was full", 4, 10, 1, Duration.ofSeconds(2),
                Duration.ofSeconds(2), connection.profile().limits().writeTimeout(), 0, 7, 0, snapshot.sinceActivity(), null,
                null));
        assertThat(snapshot.sinceActivity().toNanos()).isBetween(2_000_000_000L - (2L << 20), 2_000_000_000L);
        calls.pauseReading(connection);
        assertThat(calls.snapshot(connection, 42).interestReason()).startsWith("not read: paused by the application");
        assertThat(calls.snapshot(connection, 42).readable()).isFalse();
        connection.state(ConnectionState.DRAINING);
        assertThat(calls.snapshot(connection, 42).interestReason()).isEqualTo(
                "not read: it ends when its queue is sent; written: its socket was full");
        connection.state(ConnectionState.CLOSED);
        parts.proactor.close(connection.handle);
        assertThat(calls.snapshot(connection, 42).state()).isEqualTo(ConnectionState.CLOSED);
    }

    @Test
    void snapshotSaysWhyItIsWrittenIfTheProactorAloneWaitsForRoom() {
        parts.gate.update(connection);
        assertThat(calls.snapshot(connection, 42).interestReason()).isEqualTo("read");
        parts.proactor.keep(connection.handle, 5);
        ConnectionSnapshot snapshot = calls.snapshot(connection, 42);
        assertThat(snapshot.writable()).isTrue();
        assertThat(snapshot.interestReason()).isEqualTo("read; written: its socket was full");
    }
}
