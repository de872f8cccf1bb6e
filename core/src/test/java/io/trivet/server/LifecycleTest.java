package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How connections begin and end. */
final class LifecycleTest {
    private static final Duration CONNECT = Duration.ofSeconds(7);

    private LoopParts parts;
    private Lifecycle lifecycle;
    private TestRecord connection;

    LifecycleTest() {
        use(new LoopParts());
    }

    private void use(LoopParts lower) {
        parts = lower;
        lifecycle = new Lifecycle(parts.proactor, parts.clock, parts.mailbox, parts.counters, parts.table, parts.source,
                parts.deadlines, parts.closeRequests, parts.handshakes, parts.partialInputs, parts.gate, parts.lingering,
                parts.sender,
                parts.dropOldest,
                parts.callbacks, parts.timers, parts.log);
        connection = new TestRecord(true, parts.profile);
    }

    private static TcpStream stream() {
        LateNetwork network = new LateNetwork(new Random(0), false);
        return network.new Stream(network.peer());
    }

    private void adopt() {
        parts.table.expect();
        lifecycle.adopt(connection, stream(), RecordingProactor.REMOTE, false);
    }

    private void connect() {
        connection = new TestRecord(false, parts.profile);
        connection.cachedAddress(RecordingProactor.REMOTE);
        parts.table.expect();
        lifecycle.connect(connection, RecordingProactor.REMOTE, CONNECT);
    }

    // ---- the beginning

    @Test
    void acceptedConnectionIsAnnouncedAndThenRead() {
        use(new LoopParts(Limits.defaults().withIdleTimeout(Duration.ofSeconds(60))
                .withFirstMessageTimeout(Duration.ofSeconds(20))));
        connection.reaction = () -> {
            assertThat(parts.table.get(connection.handle)).isSameAs(connection);
            assertThat(parts.proactor.newCalls()).as("nothing is read before the handler knows it").containsExactly("adopt 0");
        };
        adopt();
        assertThat(connection.calls).containsExactly("open");
        assertThat(parts.proactor.newCalls()).containsExactly("receive 0");
        assertThat(connection.stateDeadlineNanos()).isEqualTo(parts.time.nanoTime() + Duration.ofSeconds(20).toNanos());
        assertThat(parts.table.load()).isEqualTo(1);
    }

    @Test
    void urgentDataIsWatchedIfTheProfileAsksForItAndAFailureClosesTheConnection() {
        Profile urgent = new Profile(Framing.lines(), Limits.defaults(), Overflow.PAUSE_READING, true);
        use(new LoopParts(urgent));
        adopt();
        assertThat(parts.proactor.newCalls()).containsExactly("adopt 0", "watchUrgent 0", "receive 0");
        use(new LoopParts(urgent));
        parts.proactor.failNext("watchUrgent", ErrorCode.ECONNRESET);
        adopt();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
        assertThat(connection.calls).as("it was never open").isEmpty();
        assertThat(parts.proactor.newCalls()).containsExactly("adopt 0", "watchUrgent 0");
    }

    @Test
    void streamThatCannotBeAdoptedIsClosedAndUncounted() {
        try (LogLines log = new LogLines()) {
            TcpStream stream = stream();
            parts.table.expect();
            parts.proactor.failNext("adopt", ErrorCode.ENOMEM);
            lifecycle.adopt(connection, stream, RecordingProactor.REMOTE, false);
            assertThat(stream.isOpen()).isFalse();
            assertThat(parts.table.load()).isZero();
            assertThat(parts.source.gone).containsExactly(RecordingProactor.REMOTE);
            assertThat(connection.calls).isEmpty();
            assertThat(log.lines("ENOMEM")).hasSize(1);
        }
    }

    @Test
    void connectionThatIsClosedInItsFirstCallbackIsNotRead() {
        connection.reaction = () -> parts.closeRequests.close(connection, CloseReason.CLOSED);
        adopt();
        assertThat(parts.proactor.newCalls()).containsExactly("adopt 0");
        connection.reaction = () -> {};
        lifecycle.completeCloses();
        assertThat(connection.calls).containsExactly("open", "close CLOSED");
    }

    @Test
    void outgoingConnectionHasADeadlineUntilItIsOpenAndThenSendsWhatWaits() {
        connect();
        assertThat(connection.stateDeadlineNanos()).isEqualTo(parts.time.nanoTime() + CONNECT.toNanos());
        assertThat(parts.deadlines.queue().next()).isEqualTo(connection.stateDeadlineNanos());
        parts.enqueue(connection, "early");
        parts.sender.flush(connection);
        parts.time.step(Duration.ofSeconds(2));
        parts.proactor.nextSends(0);
        connection.pendingDrops(new DroppedMessages(1, 5));
        lifecycle.connected(connection);
        assertThat(connection.stateDeadlineNanos()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(connection.sendQueue().progressNanos).as("until now there was no peer").isEqualTo(parts.time.nanoTime());
        assertThat(parts.proactor.newCalls()).containsExactly("connect 0", "receive 0", "send 0 early");
        assertThat(connection.calls).containsExactly("open", "dropped 1, 5 bytes");
    }

    @Test
    void connectThatFailsOrComesTooLateEndsWithItsReason() {
        parts.proactor.failNext("connect", ErrorCode.EMFILE);
        connect();
        lifecycle.completeCloses();
        assertThat(connection.calls).containsExactly("close CONNECT_FAILED");
        assertThat(parts.table.load()).isZero();
        assertThat(parts.source.gone).as("only accepted connections are the source's").isEmpty();

        parts.mailbox.stop();
        parts.proactor.newCalls();
        connect();
        lifecycle.completeCloses();
        assertThat(connection.calls).containsExactly("close SERVER_CLOSED");
        assertThat(parts.proactor.newCalls()).isEmpty();
    }

    // ---- an orderly end

    @Test
    void finishedConnectionSendsWhatWaitsAndLingers() {
        adopt();
        parts.deadlines.stateEndsIn(connection, Duration.ofSeconds(1));
        parts.partialInputs.add(connection, LoopParts.direct("half a mess"), 0, 11);
        parts.enqueue(connection, "last words");
        parts.proactor.newCalls();
        lifecycle.finish(connection, CloseReason.FINISHED);
        assertThat(connection.state()).isEqualTo(ConnectionState.DRAINING);
        assertThat(connection.partialInput()).as("nothing more is delivered").isNull();
        assertThat(connection.stateDeadlineNanos()).as("no first message is expected").isEqualTo(Loop.NO_DEADLINE);
        assertThat(parts.proactor.newCalls()).containsExactly("stopReceiving 0");
        lifecycle.finish(connection, CloseReason.DRAINED);
        assertThat(connection.closeReason()).as("the first reason counts").isEqualTo(CloseReason.FINISHED);
        parts.sender.flushPending();
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 last words", "shutdownOutput 0", "receive 0");
        assertThat(connection.state()).isEqualTo(ConnectionState.LINGERING);
    }

    @Test
    void connectionWhosePeerWasCutIsNotFinishedByThePeer() {
        adopt();
        connection.set(ConnectionRecord.INPUT_ENDED | ConnectionRecord.INPUT_TRUNCATED | ConnectionRecord.END_OF_INPUT_PENDING);
        lifecycle.finish(connection, CloseReason.FINISHED); // within one of the messages that are held
        parts.sender.flushPending();
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.FINISHED);
    }

    @Test
    void connectionWhosePeerHasFinishedTooEndsAsFinishedByThePeer() {
        adopt();
        connection.state(ConnectionState.INPUT_ENDED);
        connection.set(ConnectionRecord.INPUT_ENDED);
        lifecycle.finishOutput(connection);
        assertThat(connection.state()).isEqualTo(ConnectionState.DRAINING);
        parts.sender.flushPending();
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.PEER_FINISHED);
    }

    @Test
    void finishedOutputIsAHalfClose() {
        adopt();
        parts.proactor.newCalls();
        parts.enqueue(connection, "last");
        lifecycle.finishOutput(connection);
        assertThat(connection.takesMessages()).isFalse();
        parts.sender.flushPending();
        assertThat(parts.proactor.newCalls()).as("and receives all the same").containsExactly("send 0 last", "shutdownOutput 0");
        assertThat(connection.state()).isEqualTo(ConnectionState.OPEN);
    }

    @Test
    void connectionThatIsFinishedBeforeItIsOpenEndsAtOnceOrWhenItsMessagesWereSent() {
        connect();
        lifecycle.finish(connection, CloseReason.FINISHED);
        assertThat(connection.isClosed()).as("nothing waits").isTrue();

        connect();
        parts.enqueue(connection, "waits");
        lifecycle.finish(connection, CloseReason.FINISHED);
        assertThat(connection.isClosed()).isFalse();
        assertThat(connection.takesMessages()).isFalse();
        parts.proactor.newCalls();
        lifecycle.connected(connection);
        assertThat(connection.state()).isEqualTo(ConnectionState.LINGERING);
        assertThat(parts.proactor.newCalls()).containsExactly("send 1 waits", "shutdownOutput 1", "receive 1");
    }

    // ---- the close

    @Test
    void closeReleasesEverythingBeforeTheHandlerIsNotified() {
        adopt();
        parts.enqueue(connection, "unsent");
        parts.partialInputs.add(connection, LoopParts.direct("undelivered"), 0, 11);
        parts.deadlines.startIdle(connection);
        parts.deadlines.startWrite(connection, parts.time.nanoTime());
        parts.proactor.newCalls();
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        connection.reaction = () -> {
            assertThat(parts.proactor.newCalls()).containsExactly("reset 0");
            assertThat(parts.budget.bytes()).isZero();
            assertThat(connection.queuedBytes()).isZero();
            assertThat(parts.table.load()).isZero();
            assertThat(parts.source.gone).containsExactly(RecordingProactor.REMOTE);
            assertThat(parts.deadlines.queue().next()).isEqualTo(Loop.NO_DEADLINE);
            assertThat(connection.cachedAddress()).as("cached before the socket was closed").isEqualTo(RecordingProactor.REMOTE);
        };
        assertThat(lifecycle.completeCloses()).isEqualTo(1);
        assertThat(connection.calls).containsExactly("open", "close CLOSED");
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CLOSED);
        assertThat(parts.counters.stats(0).closed()).isEqualTo(1);
    }

    @Test
    void connectionsThatAreClosedInACallbackOfTheCloseAreReleasedInTheSameTurn() {
        adopt();
        TestRecord first = connection;
        connection = new TestRecord(true, parts.profile);
        adopt();
        first.reaction = () -> parts.closeRequests.close(connection, CloseReason.CLOSED);
        parts.closeRequests.close(first, CloseReason.RESET);
        assertThat(lifecycle.completeCloses()).isEqualTo(2);
        assertThat(connection.calls).endsWith("close CLOSED");
    }

    @Test
    void memoryOfAPendingSendIsReleasedWhenTheProactorHasReleasedTheHandle() {
        adopt();
        parts.enqueue(connection, "pending");
        parts.proactor.nextSends(RecordingProactor.PENDING);
        parts.sender.flush(connection);
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        lifecycle.completeCloses();
        assertThat(connection.queuedBytes()).isEqualTo(7);
        lifecycle.released(connection.handle);
        assertThat(connection.queuedBytes()).isZero();
        assertThat(parts.budget.bytes()).isZero();
        assertThat(parts.table.remove(connection.handle)).isNull();
        lifecycle.released(connection.handle);
        assertThat(parts.budget.bytes()).as("a stale handle").isZero();
    }

    @Test
    void dropsAreNotifiedBeforeAnOrderlyClose() {
        adopt();
        connection.pendingDrops(new DroppedMessages(1, 5));
        parts.closeRequests.close(connection, CloseReason.FINISHED);
        lifecycle.completeCloses();
        assertThat(connection.calls).containsExactly("open", "dropped 1, 5 bytes", "close FINISHED");
    }

    @Test
    void timersOfAConnectionThatIsClosedOrEndsForARuleLeaveAtOnce() {
        adopt();
        TestRecord broken = connection;
        parts.timers.schedule(parts.time.nanoTime() + 1000, broken, () -> {});
        parts.closeRequests.endAfterSending(broken, CloseReason.MESSAGE_TOO_LONG);
        assertThat(lifecycle.startEnds()).isEqualTo(1);
        assertThat(broken.isClosed()).isFalse();
        assertThat(parts.timers.next()).isEqualTo(Loop.NO_DEADLINE);
        connection = new TestRecord(true, parts.profile);
        adopt();
        parts.timers.schedule(parts.time.nanoTime() + 1000, connection, () -> {});
        connection.reaction = () -> assertThat(parts.timers.count()).as("in onClose").isZero();
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        lifecycle.completeCloses();
        assertThat(parts.timers.next()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(connection.calls).endsWith("close CLOSED");
    }

    // ---- draining

    @Test
    void drainFinishesAllConnectionsAndEndsWhenNoneIsLeftOrCanCome() {
        adopt();
        parts.table.expect(); // another one is on its way
        lifecycle.drain(parts.time.nanoTime() + 100);
        assertThat(connection.state()).isEqualTo(ConnectionState.DRAINING);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.DRAINED);
        assertThat(lifecycle.drainDeadline()).isEqualTo(parts.time.nanoTime() + 100);
        parts.closeRequests.close(connection, CloseReason.DRAINED);
        lifecycle.completeCloses();
        parts.source.ended = true;
        assertThat(lifecycle.hasDrained()).as("one is on its way").isFalse();
        connection = new TestRecord(true, parts.profile);
        lifecycle.adopt(connection, stream(), RecordingProactor.REMOTE, false);
        assertThat(connection.state()).as("it drains at once").isEqualTo(ConnectionState.LINGERING);
        parts.closeRequests.close(connection, CloseReason.DRAINED);
        lifecycle.completeCloses();
        parts.source.ended = false;
        assertThat(lifecycle.hasDrained()).as("the source may hand over another one").isFalse();
        parts.source.ended = true;
        assertThat(lifecycle.hasDrained()).isTrue();
    }

    @Test
    void drainClosesWhatIsLeftAtItsDeadlineAndWhatComesAfterwards() {
        adopt();
        TestRecord first = connection;
        long deadline = parts.time.nanoTime() + 100;
        lifecycle.drain(deadline);
        assertThat(lifecycle.closeOverdueDrain(deadline - 1)).isZero();
        assertThat(first.isClosed()).isFalse();
        assertThat(lifecycle.closeOverdueDrain(deadline)).isEqualTo(1);
        assertThat(first.closeReason()).isEqualTo(CloseReason.SERVER_CLOSED);
        assertThat(lifecycle.drainDeadline()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(lifecycle.closeOverdueDrain(deadline + 1)).as("once").isZero();
        connection = new TestRecord(true, parts.profile);
        adopt();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.SERVER_CLOSED);
        parts.source.ended = true;
        assertThat(lifecycle.hasDrained()).as("connections are left, but the time is over").isTrue();
    }

    @Test
    void connectIsRefusedWhileDraining() {
        lifecycle.drain(parts.time.nanoTime() + 100);
        connect();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.SERVER_CLOSED);
        assertThat(parts.proactor.newCalls()).isEmpty();
    }

    @Test
    void errorOfATransfersListenerKeepsNobodyElseFromBeingNotified() {
        adopt();
        for (int i = 0; i < 2; i++) {
            parts.transferAdmission.putMessage(connection, LoopParts.bytes("unsent"), (bytes, failure) -> {
                connection.calls.add("cut");
                throw new AssertionError("a listener");
            });
        }
        parts.proactor.newCalls();
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        assertThatThrownBy(lifecycle::completeCloses).isInstanceOf(AssertionError.class).hasMessage("a listener");
        assertThat(connection.calls).containsExactly("open", "cut", "cut", "close CLOSED");
        assertThat(parts.proactor.newCalls()).containsExactly("reset 0");
        assertThat(parts.table.load()).isZero();
        assertThat(parts.budget.bytes()).isZero();
    }
}
