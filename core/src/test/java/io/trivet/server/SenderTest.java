package io.trivet.server;

import static io.trivet.net.Proactor.PENDING;
import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Sending queues and replies: what the socket takes, what it refuses, and what has completed. */
final class SenderTest {
    private static final Duration STEP = Duration.ofSeconds(3);
    private static final Duration WRITE = Duration.ofSeconds(10);

    private LoopParts parts;
    private Sender sender;
    private TestRecord connection;

    SenderTest() {
        use(new LoopParts(Limits.defaults().withWriteTimeout(WRITE)));
    }

    private void use(LoopParts lower) {
        parts = lower;
        sender = new Sender(parts.proactor, parts.clock, parts.counters, parts.budgetGuard, parts.queues, parts.pendingSends,
                parts.batch,
                parts.gate, parts.lingering, parts.dropOldest, parts.deadlines, parts.closeRequests, parts.callbacks,
                parts.transfers);
        connection = parts.open();
    }

    private void assertNothingWaits() {
        assertThat(connection.queuedBytes()).isZero();
        assertThat(connection.queuedMessages()).isZero();
        assertThat(connection.sendQueue()).isNull();
        assertThat(parts.pendingSends.get(connection)).isNull();
        assertThat(parts.budget.bytes()).isZero();
    }

    // ---- queues

    @Test
    void queueIsSentInOneGatheringCallAndItsRoomIsReleased() {
        parts.enqueue(connection, "one\n");
        parts.enqueue(connection, "two\n");
        sender.flushLater(connection);
        sender.flushLater(connection);
        assertThat(parts.proactor.newCalls()).as("not before the end of the turn").isEmpty();
        assertThat(sender.flushPending()).as("connections").isEqualTo(1);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 one\ntwo\n");
        assertNothingWaits();
        assertThat(connection.bytesOut).isEqualTo(8);
        assertThat(parts.counters.stats(1).bytesOut()).isEqualTo(8);
        assertThat(connection.activityNanos(parts.time.nanoTime()) - parts.time.nanoTime()).isBetween(0L, 2L << 20);
        assertThat(sender.hasWork()).isFalse();
    }

    @Test
    void restThatTheSocketRefusesWaitsForRoomWithinTheWriteDeadline() {
        parts.enqueue(connection, "one\n");
        parts.enqueue(connection, "two\n");
        parts.proactor.nextSends(5);
        sender.flush(connection);
        assertThat(connection.queuedMessages()).isEqualTo(1);
        assertThat(connection.queuedBytes()).isEqualTo(3);
        assertThat(parts.budget.bytes()).as("a buffer").isEqualTo(1024);
        assertThat(parts.deadlines.queue().next()).isEqualTo(parts.time.nanoTime() + WRITE.toNanos());
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).as("no attempt while the socket is full").containsExactly("send 0 one\ntwo\n");
        parts.time.step(STEP);
        sender.completed(connection, 0);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 wo\n");
        assertNothingWaits();
    }

    @Test
    void onlyBytesThatWereTakenCountAsProgress() {
        long start = parts.time.nanoTime();
        connection.active(start);
        long lastActivity = connection.activityNanos(start);
        parts.enqueue(connection, "message");
        parts.proactor.nextSends(0, 0, 2);
        sender.flush(connection);
        parts.time.step(STEP);
        sender.completed(connection, 0);
        assertThat(connection.sendQueue().progressNanos).as("an attempt is none").isEqualTo(start);
        assertThat(connection.activityNanos(parts.time.nanoTime())).as("nor is it activity").isEqualTo(lastActivity);
        sender.completed(connection, 0);
        assertThat(connection.sendQueue().progressNanos).isEqualTo(parts.time.nanoTime());
    }

    @Test
    void departureOfEarlierBytesIsProgressOfTheMessagesBehindThem() {
        parts.enqueue(connection, "message");
        parts.proactor.nextSends(0, 0);
        parts.proactor.unsentBytes = 10;
        sender.flush(connection);
        parts.time.step(STEP);
        sender.completed(connection, 0);
        assertThat(connection.sendQueue().progressNanos).isEqualTo(parts.time.nanoTime());
        assertThat(connection.activityNanos(parts.time.nanoTime()) - parts.time.nanoTime()).as("and activity").isNotNegative();
    }

    @Test
    void departureOfCiphertextIsProgressAlsoAfterAPartWasAccepted() {
        parts.enqueue(connection, "message");
        parts.proactor.nextSends(3, 0);
        parts.proactor.unsentBytes = 10;
        sender.flush(connection);
        parts.time.step(STEP);
        sender.completed(connection, 0);
        assertThat(connection.sendQueue().progressNanos).isEqualTo(parts.time.nanoTime());
    }

    @Test
    void departureOfEarlierBytesIsProgressOfTheRepliesBehindThem() {
        parts.collectReplies(connection, "");
        parts.stageReply(connection, "reply");
        parts.proactor.nextSends(0, 0);
        parts.proactor.unsentBytes = 10;
        sender.sendReplies(connection);
        parts.time.step(STEP);
        sender.completed(connection, 0);
        assertThat(connection.sendQueue().progressNanos).isEqualTo(parts.time.nanoTime());
    }

    @Test
    void connectionWithMuchToSendLetsTheOthersGoFirst() {
        use(new LoopParts(Limits.defaults().withQueueBytesMax(16 << 20)));
        TestRecord other = parts.open();
        parts.enqueue(connection, "x".repeat(6 << 20));
        parts.enqueue(other, "other");
        sender.flushLater(connection);
        sender.flushLater(other);
        assertThat(sender.flushPending()).isEqualTo(2);
        assertThat(parts.proactor.taken(1)).isEqualTo("other");
        assertThat(parts.proactor.taken(0).length()).as("the bound, and one call beyond it at most")
                .isBetween(Sender.BYTES_PER_FLUSH_MAX, Sender.BYTES_PER_FLUSH_MAX + (4 << 20));
        assertThat(sender.flushPending()).as("the rest in the next turn, without a completion").isEqualTo(1);
        assertNothingWaits();
    }

    @Test
    void bytesBeyondTheBudgetCloseTheConnectionAndMakeRoomAtOnce() {
        use(new LoopParts(Limits.defaults().withQueueBudgetBytes(1024)));
        parts.enqueue(connection, "x".repeat(1024));
        sender.queued(connection);
        assertThat(connection.isClosed()).as("at the budget").isFalse();
        assertThat(sender.hasWork()).isTrue();
        parts.enqueue(connection, "x");
        sender.queued(connection);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertNothingWaits();
        sender.flushPending();
        assertThat(parts.proactor.newCalls()).as("a closed connection sends nothing").isEmpty();
    }

    @Test
    void marksPauseReadingAndNotifyTheHandlerOnceWhenTheQueueIsLow() {
        use(new LoopParts(Limits.defaults().withQueueMarks(20, 10)));
        parts.gate.update(connection);
        parts.enqueue(connection, "x".repeat(30));
        parts.proactor.nextSends(5, 10, 5);
        sender.flush(connection);
        assertThat(connection.is(ConnectionRecord.PAUSED_BY_QUEUE)).isTrue();
        assertThat(parts.proactor.newCalls()).containsExactly("receive 0", "send 0 " + "x".repeat(30), "stopReceiving 0");
        sender.completed(connection, 0);
        assertThat(connection.queuedBytes()).isEqualTo(15);
        assertThat(connection.calls).as("between the marks").isEmpty();
        sender.completed(connection, 0);
        assertThat(connection.queuedBytes()).as("at the low mark").isEqualTo(10);
        assertThat(connection.calls).containsExactly("drained");
        assertThat(parts.proactor.newCalls()).endsWith("receive 0");
        sender.completed(connection, 0);
        assertNothingWaits();
        assertThat(connection.calls).as("once").hasSize(1);
    }

    @Test
    void outputDoesNotEndIfTheHandlerResetsTheConnectionWhenItIsNotifiedOfRoom() {
        use(new LoopParts(Limits.defaults().withQueueMarks(20, 10)));
        parts.enqueue(connection, "x".repeat(30));
        connection.reaction = () -> {
            connection.refuseMessages();
            connection.set(ConnectionRecord.RESET_ON_CLOSE);
            parts.closeRequests.close(connection, CloseReason.CLOSED);
        };
        sender.flush(connection);
        assertThat(connection.calls).containsExactly("drained");
        assertThat(parts.proactor.newCalls()).as("no FIN before the reset").containsExactly("send 0 " + "x".repeat(30));
    }

    @Test
    void handlerIsNotNotifiedOfRoomThatItCannotUse() {
        use(new LoopParts(Limits.defaults().withQueueMarks(20, 10)));
        parts.enqueue(connection, "x".repeat(30));
        connection.state(ConnectionState.DRAINING);
        sender.flush(connection);
        assertThat(connection.calls).isEmpty();
        assertThat(connection.state()).isEqualTo(ConnectionState.LINGERING);
    }

    @Test
    void otherPoliciesDoNotPauseReadingAtTheHighMark() {
        use(new LoopParts(Framing.lines(), Limits.defaults().withQueueMarks(20, 10), Overflow.DISCONNECT));
        parts.enqueue(connection, "x".repeat(30));
        parts.proactor.nextSends(5);
        sender.flush(connection);
        assertThat(connection.isPaused()).isFalse();
        sender.completed(connection, 0);
        assertThat(connection.calls).containsExactly("drained");
    }

    @Test
    void failedSendClosesTheConnectionAndKeepsTheAccountUntilItIsReleased() {
        parts.enqueue(connection, "message");
        parts.proactor.failNext("send", ErrorCode.EPIPE);
        sender.flush(connection);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
        assertThat(connection.queuedBytes()).isEqualTo(7);
        assertThat(connection.bytesOut).isZero();
        sender.dropUnlessPending(connection);
        assertNothingWaits();
    }

    // ---- pending sends

    @Test
    void messagesBehindAPendingSendWaitForItsCompletion() {
        parts.enqueue(connection, "pending ");
        parts.proactor.nextSends(PENDING);
        sender.flush(connection);
        parts.enqueue(connection, "behind");
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 pending ");
        assertThat(connection.queuedBytes()).as("it occupies the queue until then").isEqualTo(14);
        assertThat(parts.deadlines.queue().next()).isEqualTo(parts.time.nanoTime() + WRITE.toNanos());
        sender.completed(connection, parts.proactor.take(0, 8));
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 behind");
        assertThat(parts.proactor.taken(0)).isEqualTo("pending behind");
        assertNothingWaits();
    }

    @Test
    void restOfAPendingSendWaitsForRoomBeforeTheMessagesBehindIt() {
        parts.enqueue(connection, "pending ");
        parts.proactor.nextSends(PENDING);
        sender.flush(connection);
        parts.enqueue(connection, "behind");
        parts.time.step(STEP);
        sender.completed(connection, parts.proactor.take(0, 3));
        assertThat(parts.proactor.newCalls()).as("the socket is full").containsExactly("send 0 pending ");
        assertThat(connection.queuedBytes()).isEqualTo(11);
        assertThat(parts.budget.bytes()).as("the buffers of two queues").isEqualTo(2 * 1024);
        assertThat(connection.sendQueue().progressNanos).isEqualTo(parts.time.nanoTime());
        sender.completed(connection, 0);
        assertThat(parts.proactor.taken(0)).isEqualTo("pending behind");
        assertNothingWaits();
    }

    @Test
    void memoryOfAPendingSendIsReleasedOnlyWhenTheProactorHasReleasedTheHandle() {
        parts.enqueue(connection, "pending");
        parts.proactor.nextSends(PENDING);
        sender.flush(connection);
        parts.enqueue(connection, "behind");
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        sender.dropUnlessPending(connection);
        assertThat(connection.queuedBytes()).isEqualTo(13);
        assertThat(parts.queues.create(0).isEmpty()).as("not reused").isTrue();
        parts.proactor.take(0, 7);
        assertThat(parts.proactor.taken(0)).as("the bytes are still there").isEqualTo("pending");
        sender.drop(connection);
        assertNothingWaits();
    }

    @Test
    void withDropOldestNoMoreThanHalfOfTheQueueIsEverPending() {
        use(new LoopParts(Framing.lines(), Limits.defaults().withQueueBytesMax(30), Overflow.DROP_OLDEST));
        parts.enqueue(connection, "x".repeat(15));
        sender.flush(connection);
        parts.enqueue(connection, "y".repeat(16));
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 " + "x".repeat(15), "sendNow 0 " + "y".repeat(16));
    }

    @Test
    void dropsThatCouldNotBeNotifiedAreNotifiedWhenTheQueueIsEmpty() {
        use(new LoopParts(Framing.lines(), Limits.defaults(), Overflow.DROP_OLDEST));
        connection.pendingDrops(new DroppedMessages(2, 20));
        parts.enqueue(connection, "message");
        parts.proactor.nextSends(1);
        sender.flush(connection);
        assertThat(connection.calls).isEmpty();
        sender.completed(connection, 0);
        assertThat(connection.calls).containsExactly("dropped 2, 20 bytes");
        sender.flush(connection);
        assertThat(connection.calls).as("once").hasSize(1);
    }

    // ---- replies

    @Test
    void repliesAreSentFromTheBatchAndTheirRestIsCopiedToTheQueue() {
        parts.collectReplies(connection, "");
        parts.stageReply(connection, "one\n");
        parts.stageReply(connection, "two\n");
        parts.proactor.nextSends(6);
        sender.sendReplies(connection);
        assertThat(parts.batch.isEmpty()).isTrue();
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 one\ntwo\n");
        assertThat(LoopParts.text(connection.sendQueue())).isEqualTo("o\n");
        assertThat(connection.queuedMessages()).isEqualTo(1);
        assertThat(connection.queuedBytes()).isEqualTo(2);
        assertThat(parts.budget.bytes()).as("only what waits in the queue").isEqualTo(1024);
        parts.stageReply(connection, "three\n");
        sender.sendReplies(connection);
        assertThat(parts.proactor.newCalls()).as("the socket is full").isEmpty();
        sender.completed(connection, 0);
        assertThat(parts.proactor.taken(0)).isEqualTo("one\ntwo\nthree\n");
        assertNothingWaits();
    }

    @Test
    void pendingRepliesKeepTheirMemoryAndTheirRestIsCopiedAtTheCompletion() {
        parts.collectReplies(connection, "");
        parts.stageReply(connection, "one\n");
        parts.stageReply(connection, "two\n");
        parts.proactor.nextSends(PENDING);
        sender.sendReplies(connection);
        StagingBuffer staging = parts.pendingSends.get(connection).staging();
        assertThat(staging.isPending()).isTrue();
        assertThat(parts.budget.bytes()).as("nothing waits in a queue").isZero();
        parts.enqueue(connection, "three\n");
        sender.completed(connection, parts.proactor.take(0, 5));
        assertThat(staging.isPending()).isFalse();
        assertThat(LoopParts.text(connection.sendQueue())).isEqualTo("wo\nthree\n");
        assertThat(connection.queuedMessages()).isEqualTo(2);
        assertThat(parts.budget.bytes()).as("the buffers of two queues").isEqualTo(2 * 1024);
        assertThat(parts.pendingSends.get(connection)).isNull();
        sender.completed(connection, 0);
        assertThat(parts.proactor.taken(0)).isEqualTo("one\ntwo\nthree\n");
        assertNothingWaits();
    }

    @Test
    void pendingRepliesAreReleasedWhenAllWereTaken() {
        ByteBuffer received = parts.collectReplies(connection, "r".repeat(600));
        connection.reserve(600, 1 << 20, 1 << 20);
        assertThat(parts.batch.hasRoom(600)).isTrue();
        parts.batch.addReceived(0, 600, new byte[0]);
        parts.stageReply(connection, "staged");
        parts.proactor.nextSends(PENDING);
        sender.sendReplies(connection);
        received.put(0, (byte) 'R');
        StagingBuffer staging = parts.pendingSends.get(connection).staging();
        sender.completed(connection, parts.proactor.take(0, 606));
        assertThat(parts.proactor.taken(0)).as("sent from the received memory").isEqualTo("R" + "r".repeat(599) + "staged");
        assertThat(staging.isPending()).isFalse();
        assertNothingWaits();
    }

    @Test
    void repliesOfAConnectionThatFailsOrIsClosedAreReleased() {
        parts.collectReplies(connection, "");
        parts.stageReply(connection, "reply");
        parts.proactor.failNext("send", ErrorCode.ECONNRESET);
        sender.sendReplies(connection);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
        assertNothingWaits();
        parts.stageReply(connection, "another");
        sender.sendReplies(connection);
        assertNothingWaits();
        assertThat(parts.batch.isEmpty()).isTrue();
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 reply");
    }

    @Test
    void repliesGoToTheQueueBeforeTheNextMessage() {
        parts.collectReplies(connection, "");
        parts.stageReply(connection, "reply ");
        sender.queueReplies(connection);
        assertThat(parts.batch.isEmpty()).isTrue();
        assertThat(parts.budget.bytes()).isEqualTo(1024);
        parts.enqueue(connection, "next");
        sender.flushPending();
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 reply next");
        assertNothingWaits();
    }

    // ---- the end of the output

    @Test
    void finFollowsTheLastMessageAlsoOneThatIsStillOnItsWayHere() {
        connection.state(ConnectionState.DRAINING);
        connection.reserve(5, 100, 100); // by another thread, whose message arrives below
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).isEmpty();
        connection.release(1, 5);
        parts.enqueue(connection, "final");
        parts.proactor.nextSends(2);
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 final");
        sender.completed(connection, 0);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 nal", "shutdownOutput 0", "receive 0");
        assertThat(connection.state()).isEqualTo(ConnectionState.LINGERING);
    }

    @Test
    void finWaitsForTheProactorsOwnUnsentBytesWithinTheWriteDeadline() {
        connection.state(ConnectionState.DRAINING);
        parts.proactor.unsentBytes = 5;
        sender.flush(connection);
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).isEmpty();
        assertThat(parts.deadlines.queue().next()).isEqualTo(parts.time.nanoTime() + WRITE.toNanos());
        parts.proactor.unsentBytes = 0;
        sender.completed(connection, 0);
        assertThat(parts.proactor.newCalls()).containsExactly("shutdownOutput 0", "receive 0");
        assertNothingWaits();
    }

    @Test
    void finWaitsForRepliesThatAreStillCollected() {
        parts.collectReplies(connection, "");
        connection.state(ConnectionState.DRAINING);
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).isEmpty();
        parts.batch.end();
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).startsWith("shutdownOutput 0");
    }

    @Test
    void finWaitsForTheHandshakeOfStartTls() {
        connection.state(ConnectionState.DRAINING);
        connection.set(ConnectionRecord.STARTING_TLS);
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).as("an end in plaintext could be forged").isEmpty();
        connection.clear(ConnectionRecord.STARTING_TLS);
        sender.flush(connection);
        assertThat(parts.proactor.newCalls()).startsWith("shutdownOutput 0");
    }

    // ---- urgent data

    @Test
    void urgentByteIsSentAheadOfTheQueueUnlessTheOutputHasEnded() {
        parts.enqueue(connection, "waiting");
        sender.sendUrgent(connection, (byte) '!');
        assertThat(parts.proactor.newCalls()).containsExactly("sendUrgent 0 !");
        connection.state(ConnectionState.CONNECTING);
        sender.sendUrgent(connection, (byte) '!');
        connection.state(ConnectionState.LINGERING);
        sender.sendUrgent(connection, (byte) '!');
        connection.state(ConnectionState.DRAINING);
        connection.set(ConnectionRecord.OUTPUT_ENDED);
        sender.sendUrgent(connection, (byte) '!');
        assertThat(parts.proactor.newCalls()).isEmpty();
        connection.clear(ConnectionRecord.OUTPUT_ENDED);
        parts.proactor.failNext("sendUrgent", ErrorCode.ECONNRESET);
        sender.sendUrgent(connection, (byte) '?');
        assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
    }
}
