package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.ErrorCode;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** The part {@link Admission}: which messages are accepted for sending, and where they wait. */
final class MessageAdmissionTest {
    private LoopParts parts;
    private Admission admission;
    private TestRecord connection;

    MessageAdmissionTest() {
        use(new LoopParts());
    }

    private void use(LoopParts lower) {
        parts = lower;
        admission = new Admission(parts.mailbox, parts.clock, parts.counters, parts.budget, parts.queues, parts.pendingSends,
                parts.batch, parts.sender, parts.dropOldest, parts.closeRequests);
        connection = parts.open();
    }

    private SendResult put(String message) {
        return admission.put(connection, LoopParts.bytes(message), false, true);
    }

    /** Puts the message of a broadcast, and returns a view of what all connections share. */
    private ByteBuffer putShared(String content) {
        FrameWriter writer = connection.profile().writer();
        Broadcast broadcast = new Broadcast(parts.budget, new SharedBuffers(0), writer, LoopParts.bytes(content));
        admission.putShared(connection, broadcast);
        ByteBuffer view = broadcast.framed(writer).view();
        broadcast.release();
        return view;
    }

    private SendResult offer(String message) {
        return admission.put(connection, LoopParts.bytes(message), false, false);
    }

    private SendResult putFromOtherThread(String message) {
        SendResult[] result = new SendResult[1];
        LoopParts.onOtherThread(() -> result[0] = put(message));
        return result[0];
    }

    private void assertNothingIsReserved() {
        assertThat(connection.queuedBytes()).isZero();
        assertThat(connection.queuedMessages()).isZero();
        assertThat(parts.budget.bytes()).isZero();
    }

    // ---- on the loop thread

    @Test
    void messageWaitsInItsFrameForTheEndOfTheTurn() {
        ByteBuffer content = LoopParts.bytes("hello");
        assertThat(admission.put(connection, content, false, true)).isEqualTo(SendResult.QUEUED);
        assertThat(content.hasRemaining()).isFalse();
        content.put(0, (byte) 'j');
        assertThat(connection.queuedBytes()).isEqualTo(6);
        assertThat(connection.queuedMessages()).isEqualTo(1);
        assertThat(parts.budget.bytes()).as("a buffer").isEqualTo(1024);
        assertThat(parts.proactor.newCalls()).isEmpty();
        parts.sender.flushPending();
        assertThat(parts.proactor.taken(0)).as("a copy").isEqualTo("hello\n");
        assertThat(parts.counters.stats(1).messagesOut()).isEqualTo(1);
        assertNothingIsReserved();
    }

    @Test
    void repliesJoinTheBatchAndTheReceivedMessageIsNotCopied() {
        ByteBuffer memory = parts.collectReplies(connection, "hello\n");
        ByteBuffer view = memory.asReadOnlyBuffer().limit(5);
        parts.batch.message(view);
        assertThat(admission.put(connection, view, false, true)).isEqualTo(SendResult.QUEUED);
        assertThat(view.hasRemaining()).isFalse();
        assertThat(put("reply")).isEqualTo(SendResult.QUEUED);
        assertThat(admission.put(connection, "text")).isEqualTo(SendResult.QUEUED);
        memory.put(0, (byte) 'H');
        assertThat(connection.sendQueue()).isNull();
        assertThat(parts.budget.bytes()).as("nothing waits in the queue").isZero();
        parts.sender.sendReplies(connection);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 Hello\nreply\ntext\n");
        assertThat(parts.counters.stats(1).messagesOut()).isEqualTo(3);
        assertNothingIsReserved();
    }

    @Test
    void receivedMessageIsCopiedIfItsFrameHasAHead() {
        use(new LoopParts(Framing.lengthPrefixed(1), Limits.defaults(), Overflow.PAUSE_READING));
        ByteBuffer memory = parts.collectReplies(connection, "\5hello");
        ByteBuffer view = memory.asReadOnlyBuffer().position(1);
        parts.batch.message(view);
        admission.put(connection, view, false, true);
        memory.put(1, (byte) 'H');
        admission.put(connection, "text");
        parts.sender.sendReplies(connection);
        assertThat(parts.proactor.taken(0)).isEqualTo("\5hello\4text");
    }

    @Test
    void urgentLaneGoesBeforeRepliesAndLaterRepliesGoBehindThem() {
        parts.collectReplies(connection, "");
        put("first");
        admission.put(connection, LoopParts.bytes("urgent"), true, true);
        put("second");
        admission.put(connection, "third");
        assertThat(parts.batch.isEmpty()).as("they wait in the queue").isTrue();
        parts.batch.end();
        parts.sender.flushPending();
        assertThat(parts.proactor.taken(0)).isEqualTo("urgent\nfirst\nsecond\nthird\n");
        assertNothingIsReserved();
    }

    @Test
    void repliesGoBehindWhatIsPending() {
        parts.enqueue(connection, "pending\n");
        parts.proactor.nextSends(RecordingProactor.PENDING);
        parts.sender.flush(connection);
        parts.collectReplies(connection, "");
        put("reply");
        assertThat(parts.batch.isEmpty()).isTrue();
        assertThat(LoopParts.text(connection.sendQueue())).isEqualTo("reply\n");
    }

    @Test
    void messageThatDoesNotFitIsNotTouchedAndReservesNothing() {
        use(new LoopParts(Limits.defaults().withQueueBytesMax(10)));
        assertThat(put("12345")).isEqualTo(SendResult.QUEUED);
        ByteBuffer content = LoopParts.bytes("6789");
        assertThat(admission.put(connection, content, false, true)).isEqualTo(SendResult.FULL);
        assertThat(content.position()).isZero();
        assertThat(connection.queuedBytes()).isEqualTo(6);
        assertThat(connection.isClosed()).as("the caller decides").isFalse();
        assertThat(parts.counters.stats(1).messagesOut()).isEqualTo(1);
        assertThat(put("678")).as("up to the cap").isEqualTo(SendResult.QUEUED);
        assertThat(admission.put(connection, "")).isEqualTo(SendResult.FULL);
    }

    @Test
    void collectedRepliesAreSentToMakeRoom() {
        use(new LoopParts(Limits.defaults().withQueueBytesMax(10)));
        parts.collectReplies(connection, "");
        put("12345678");
        assertThat(put("abcdefgh")).isEqualTo(SendResult.QUEUED);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 12345678\n");
        assertThat(admission.put(connection, "ijklmnop")).isEqualTo(SendResult.QUEUED);
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 abcdefgh\n");
        parts.proactor.nextSends(5);
        assertThat(offer("12345678")).as("the socket takes only a part").isEqualTo(SendResult.FULL);
        assertThat(LoopParts.text(connection.sendQueue())).isEqualTo("nop\n");
    }

    @Test
    void replyToTheMessageInDeliveryIsAcceptedBeyondTheCapIfReadingIsPausedThen() {
        use(new LoopParts(Limits.defaults().withQueueBytesMax(10)));
        parts.collectReplies(connection, "");
        parts.proactor.nextSends(0);
        assertThat(put("12345678")).isEqualTo(SendResult.QUEUED);
        assertThat(put("abcdefgh")).isEqualTo(SendResult.QUEUED);
        assertThat(admission.put(connection, "text")).isEqualTo(SendResult.QUEUED);
        assertThat(connection.queuedBytes()).isEqualTo(9 + 9 + 5);
        assertThat(connection.hasReachedHigh()).as("no further message is delivered").isTrue();
        assertThat(offer("x")).as("an offer keeps to the cap").isEqualTo(SendResult.FULL);
        parts.batch.end();
        assertThat(put("x")).as("not a reply").isEqualTo(SendResult.FULL);
        parts.sender.completed(connection, 0);
        assertThat(parts.proactor.taken(0)).isEqualTo("12345678\nabcdefgh\ntext\n");
        assertNothingIsReserved();
    }

    @Test
    void replyBeyondTheCapIsRefusedIfReadingWouldContinue() {
        use(new LoopParts(Framing.lines(), Limits.defaults().withQueueBytesMax(10), Overflow.DISCONNECT));
        parts.collectReplies(connection, "");
        parts.proactor.nextSends(0);
        assertThat(put("12345678")).isEqualTo(SendResult.QUEUED);
        assertThat(put("abcdefgh")).isEqualTo(SendResult.FULL);
    }

    @Test
    void replyIsAccountedForIfTheConnectionFailsWhileRoomIsMade() {
        use(new LoopParts(Limits.defaults().withQueueBytesMax(10)));
        parts.collectReplies(connection, "");
        put("12345678");
        parts.proactor.failNext("send", ErrorCode.EPIPE);
        put("abcdefgh");
        assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
        parts.sender.dropUnlessPending(connection);
        assertNothingIsReserved();
        assertThat(put("later")).isEqualTo(SendResult.CLOSED);
    }

    @Test
    void closedOrFinishedConnectionAcceptsNothing() {
        connection.refuseMessages();
        assertThat(put("x")).isEqualTo(SendResult.CLOSED);
        assertThat(admission.put(connection, "x")).isEqualTo(SendResult.CLOSED);
        connection = parts.open();
        connection.state(ConnectionState.DRAINING);
        assertThat(put("x")).isEqualTo(SendResult.CLOSED);
        assertThat(putFromOtherThread("x")).isEqualTo(SendResult.CLOSED);
        putShared("x");
        assertNothingIsReserved();
    }

    @Test
    void textIsEncodedAsUtf8() {
        String text = "f\u00fcr \u20ac"; // a u with two dots, and the euro sign
        parts.collectReplies(connection, "");
        admission.put(connection, text);
        admission.put(connection, "x".repeat(9000));
        parts.sender.sendReplies(connection);
        parts.batch.end();
        admission.put(connection, text);
        parts.sender.flush(connection);
        String encoded = "f\u00c3\u00bcr \u00e2\u0082\u00ac\n";
        assertThat(parts.proactor.taken(0)).isEqualTo(encoded + "x".repeat(9000) + "\n" + encoded);
        assertNothingIsReserved();
    }

    @Test
    void emptyRawMessageIsAcceptedAndReservesNothing() {
        use(new LoopParts(Framing.raw(), Limits.defaults(), Overflow.PAUSE_READING));
        assertThat(put("")).isEqualTo(SendResult.QUEUED);
        assertThat(admission.put(connection, "")).isEqualTo(SendResult.QUEUED);
        assertNothingIsReserved();
        assertThat(parts.sender.hasWork()).isFalse();
    }

    @Test
    void messageThatNoFrameCanHoldIsRejected() {
        use(new LoopParts(Framing.lengthPrefixed(1), Limits.defaults(), Overflow.PAUSE_READING));
        assertThatThrownBy(() -> put("x".repeat(256))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> admission.put(connection, "x".repeat(256))).isInstanceOf(IllegalArgumentException.class);
        assertNothingIsReserved();
    }

    // ---- broadcasts

    @Test
    void sharedMessageIsSentFromItsOwnMemoryBehindTheReplies() {
        parts.collectReplies(connection, "");
        put("reply");
        ByteBuffer shared = putShared("s".repeat(600));
        shared.put(0, (byte) 'S');
        parts.batch.end();
        parts.sender.flushPending();
        assertThat(parts.proactor.taken(0)).isEqualTo("reply\nS" + "s".repeat(599) + "\n");
        assertThat(shared.position()).as("the others send it too").isZero();
        assertNothingIsReserved();
    }

    @Test
    void sharedMessageThatDoesNotFitClosesTheConnection() {
        use(new LoopParts(Limits.defaults().withQueueBytesMax(10)));
        putShared("012345678");
        assertThat(connection.isClosed()).isFalse();
        putShared("x");
        assertThat(connection.closeReason()).isEqualTo(CloseReason.QUEUE_FULL);
    }

    // ---- drop oldest

    @Test
    void oldestMessagesAreDroppedForANewOne() {
        use(new LoopParts(Framing.lines(), Limits.defaults().withQueueBytesMax(12), Overflow.DROP_OLDEST));
        put("first");
        put("second".substring(0, 5));
        assertThat(put("third")).isEqualTo(SendResult.QUEUED);
        assertThat(LoopParts.text(connection.sendQueue())).isEqualTo("secon\nthird\n");
        assertThat(put("longer than all")).isEqualTo(SendResult.FULL);
        parts.runTasks();
        assertThat(connection.calls).containsExactly("dropped 1, 6 bytes");
    }

    @Test
    void otherThreadsMayHaveAsMuchOnItsWayAgainAndTheOldestAreDroppedWhenItArrives() {
        use(new LoopParts(Framing.lines(), Limits.defaults().withQueueBytesMax(12), Overflow.DROP_OLDEST));
        for (String message : new String[]{"11111", "22222", "33333", "44444"}) {
            assertThat(putFromOtherThread(message)).isEqualTo(SendResult.QUEUED);
        }
        assertThat(putFromOtherThread("5")).isEqualTo(SendResult.FULL);
        parts.runTasks();
        assertThat(LoopParts.text(connection.sendQueue())).isEqualTo("33333\n44444\n");
        assertThat(connection.queuedBytes()).isEqualTo(12);
        assertThat(parts.budget.bytes()).isEqualTo(1024);
        assertThat(connection.calls).as("together").containsExactly("dropped 2, 12 bytes");
    }

    @Test
    void nothingWaitsOnceAMessageAboveTheCapHasBeenDropped() {
        use(new LoopParts(Framing.lines(), Limits.defaults().withQueueBytesMax(12), Overflow.DROP_OLDEST));
        assertThat(putFromOtherThread("longer than the cap")).isEqualTo(SendResult.QUEUED);
        parts.runTasks();
        assertThat(connection.calls).containsExactly("dropped 1, 20 bytes");
        assertThat(connection.sendQueue()).as("otherwise its age would grow, and the peer be closed for not accepting it")
                .isNull();
        assertNothingIsReserved();
    }

    // ---- from other threads

    @Test
    void messageOfAnotherThreadIsCopiedAndCountedOnItsWayAndThenQueued() {
        ByteBuffer content = LoopParts.bytes("hello");
        LoopParts.onOtherThread(() -> assertThat(admission.put(connection, content, false, true)).isEqualTo(SendResult.QUEUED));
        assertThat(content.hasRemaining()).isFalse();
        content.put(0, (byte) 'j');
        assertThat(connection.queuedBytes()).isEqualTo(6);
        assertThat(parts.budget.bytes()).as("the copy and its task").isEqualTo(6 + 128);
        assertThat(parts.proactor.wakeups()).isEqualTo(1);
        assertThat(connection.sendQueue()).isNull();
        parts.runTasks();
        assertThat(connection.queuedBytes()).isEqualTo(6);
        assertThat(parts.budget.bytes()).isEqualTo(1024);
        parts.sender.flushPending();
        assertThat(parts.proactor.taken(0)).isEqualTo("hello\n");
        assertThat(parts.counters.stats(1).messagesOut()).isEqualTo(1);
        assertNothingIsReserved();
    }

    @Test
    void messageThatArrivesAfterTheConnectionWasClosedIsReleased() {
        putFromOtherThread("late");
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        parts.runTasks();
        assertThat(connection.sendQueue()).isNull();
        assertNothingIsReserved();
    }

    @Test
    void messageOfASessionThatArrivesAfterTheConnectionWasClosedIsReleased() {
        MessageHandover outbox = admission.newHandover();
        LoopParts.onOtherThread(() -> assertThat(admission.putFromSession(connection, LoopParts.bytes("late"), outbox,
                () -> admission.arrive(connection, outbox))).isEqualTo(SendResult.QUEUED));
        assertThat(connection.queuedMessages()).isEqualTo(1);
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        parts.runTasks();
        assertThat(connection.sendQueue()).isNull();
        assertThat(connection.is(ConnectionRecord.RESET_ON_CLOSE)).as("a partial stream must not look complete").isTrue();
        assertNothingIsReserved();
    }

    @Test
    void messageBeyondTheBudgetIsWithdrawnAndClosesItsConnectionOnTheLoop() {
        use(new LoopParts(Limits.defaults().withQueueBudgetBytes(5)));
        assertThat(putFromOtherThread("hello")).isEqualTo(SendResult.CLOSED);
        assertNothingIsReserved();
        assertThat(connection.isClosed()).as("by the loop").isFalse();
        parts.runTasks();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
    }

    @Test
    void messageToALoopThatHasEndedIsWithdrawn() {
        parts.mailbox.stop();
        parts.mailbox.close();
        assertThat(putFromOtherThread("hello")).isEqualTo(SendResult.CLOSED);
        assertNothingIsReserved();
    }

    @Test
    void loopThatWaitsForAWithdrawnMessageIsFlushedAgain() {
        use(new LoopParts(Limits.defaults().withQueueBudgetBytes(5)));
        putFromOtherThread("hello");
        parts.mailbox.take().run(); // the withdrawal
        assertThat(parts.sender.hasWork()).isTrue();
    }
}
