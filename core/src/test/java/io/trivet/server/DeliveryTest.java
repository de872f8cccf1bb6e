package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How received bytes become messages, and what happens to those that cannot be delivered yet. */
final class DeliveryTest {
    private static final Duration MESSAGE = Duration.ofSeconds(10);

    private LoopParts parts;
    private Delivery delivery;
    private TestRecord connection;

    DeliveryTest() {
        use(new LoopParts(Limits.defaults().withMessageTimeout(MESSAGE)));
    }

    private void use(LoopParts lower) {
        parts = lower;
        delivery = new Delivery(parts.clock, parts.counters, parts.partialInputs, parts.budgetGuard, parts.gate, parts.batch,
                parts.sender,
                parts.lifecycle, parts.deadlines, parts.closeRequests, parts.callbacks);
        connection = parts.open();
        parts.gate.update(connection);
        parts.proactor.newCalls();
    }

    private ByteBuffer receive(String text) {
        ByteBuffer memory = LoopParts.direct("<" + text + ">");
        delivery.received(connection, memory, 1, 1 + text.length());
        return memory;
    }

    /** Makes the handler send a reply to each message. */
    private void reply(String reply) {
        connection.reaction = () -> {
            if (connection.calls.getLast().startsWith("message")) {
                parts.admission.put(connection, reply);
            }
        };
    }

    /** The peer's FIN arrives. */
    private void endInput() {
        connection.clear(ConnectionRecord.RECEIVING);
        connection.set(ConnectionRecord.INPUT_ENDED);
        delivery.inputEnded(connection);
    }

    // ---- messages

    @Test
    void messagesAreDeliveredWithoutTheirFramesAndTheRestIsHeldWithinADeadline() {
        receive("one\r\ntwo\nthr");
        assertThat(connection.calls).containsExactly("message one", "message two");
        assertThat(connection.partialInput().bytes()).isEqualTo(3);
        assertThat(parts.budget.bytes()).as("a buffer").isEqualTo(256);
        assertThat(parts.deadlines.queue().next()).isEqualTo(parts.time.nanoTime() + MESSAGE.toNanos());
        parts.time.step(Duration.ofSeconds(1));
        receive("ee\n");
        assertThat(connection.calls).endsWith("message three");
        assertThat(connection.partialInput()).as("an idle connection holds nothing").isNull();
        assertThat(parts.budget.bytes()).isZero();
        assertThat(parts.counters.stats(1).messagesIn()).isEqualTo(3);
        assertThat(connection.is(ConnectionRecord.RECEIVED_MESSAGE)).isTrue();
    }

    @Test
    void heldInputIsSearchedOnceAndReleasedMessageByMessage() {
        receive("ab");
        assertThat(connection.partialInput().scanned).isEqualTo(2);
        receive("c\nd\ne\nhalf");
        assertThat(connection.calls).containsExactly("message abc", "message d", "message e");
        assertThat(connection.partialInput().scanned).isEqualTo(4);
        assertThat(parts.budget.bytes()).as("what is still held").isEqualTo(256);
    }

    @Test
    void largeBufferIsNotKeptForAFewBytes() {
        receive("x".repeat(5000));
        assertThat(parts.budget.bytes()).isGreaterThanOrEqualTo(5000);
        receive("\nhalf");
        assertThat(connection.calls).hasSize(1);
        assertThat(parts.budget.bytes()).isEqualTo(256);
    }

    @Test
    void deadlineOfAMessageIsCountedFromItsFirstByte() {
        long start = parts.time.nanoTime();
        receive("slow");
        parts.time.step(Duration.ofSeconds(4));
        receive("ly");
        assertThat(connection.partialInput().beganNanos).isEqualTo(start);
        receive("\nnext");
        assertThat(connection.partialInput().beganNanos).isEqualTo(start + Duration.ofSeconds(4).toNanos());
        assertThat(connection.is(ConnectionRecord.RECEIVED_MESSAGE)).isTrue();
    }

    @Test
    void handlersViewIsReadOnlyAndContainsTheMessageAlone() {
        TestRecord strict = new TestRecord(true, parts.profile) {
            @Override
            void callMessage(ByteBuffer message) {
                assertThat(message.isReadOnly()).isTrue();
                assertThat(message.isDirect()).isTrue();
                super.callMessage(message);
                message.limit(message.capacity()).position(0); // a handler may do this to its view
            }
        };
        strict.handle = connection.handle;
        connection = strict;
        receive("one\ntwo\n");
        assertThat(connection.calls).containsExactly("message one", "message two");
    }

    @Test
    void messageThatIsTooLongClosesTheConnectionAfterThoseBeforeIt() {
        use(new LoopParts(Limits.defaults().withMessageBytesMax(5)));
        receive("12345\n123456\nnext\n");
        assertThat(connection.calls).containsExactly("message 12345");
        assertThat(connection.closeReason()).isEqualTo(CloseReason.MESSAGE_TOO_LONG);
        assertThat(connection.failure()).hasMessage("a message of 6 bytes is longer than messageBytesMax, 5");
        connection = parts.open();
        receive("12345\r");
        assertThat(connection.isClosed()).as("a line feed may follow").isFalse();
        receive("6");
        assertThat(connection.closeReason()).isEqualTo(CloseReason.MESSAGE_TOO_LONG);
        assertThat(connection.calls).isEmpty();
    }

    @Test
    void announcedLengthIsBelievedOnlyToRejectIt() {
        use(new LoopParts(Framing.lengthPrefixed(4), Limits.defaults().withMessageBytesMax(1000), Overflow.PAUSE_READING));
        receive("\0\0\3\u00e8begin");
        assertThat(connection.isClosed()).isFalse();
        assertThat(parts.budget.bytes()).as("what has arrived, not what was announced").isEqualTo(256);
        connection = parts.open();
        receive("\0\0\3\u00e9");
        assertThat(connection.closeReason()).isEqualTo(CloseReason.MESSAGE_TOO_LONG);
        assertThat(connection.failure()).hasMessage("a message of at least 1001 bytes is longer than messageBytesMax, 1000");
    }

    @Test
    void rawInputIsDeliveredInPiecesOfTheLongestLength() {
        use(new LoopParts(Framing.raw(), Limits.defaults().withMessageBytesMax(4), Overflow.PAUSE_READING));
        receive("123456789");
        assertThat(connection.calls).containsExactly("message 1234", "message 5678", "message 9");
        assertThat(connection.partialInput()).isNull();
    }

    // ---- replies

    @Test
    void repliesAreSentInOneCallWhenTheCallbacksHaveReturned() {
        reply("ok");
        receive("one\ntwo\nth");
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 ok\nok\n");
        assertThat(parts.batch.collectsFor(connection)).isFalse();
        receive("ree\n");
        assertThat(parts.proactor.newCalls()).as("also from held input").containsExactly("send 0 ok\n");
        assertThat(connection.queuedBytes()).isZero();
    }

    @Test
    void echoIsSentFromTheReceivedMemory() {
        TestRecord echo = new TestRecord(true, parts.profile) {
            @Override
            void callMessage(ByteBuffer message) {
                parts.admission.put(this, message, false, true);
            }
        };
        echo.handle = connection.handle;
        connection = echo;
        parts.proactor.nextSends(RecordingProactor.PENDING);
        ByteBuffer memory = receive("one\ntwo\n");
        memory.put(1, (byte) 'O');
        parts.proactor.take(0, 8);
        assertThat(parts.proactor.taken(0)).isEqualTo("One\ntwo\n");
    }

    @Test
    void failedReplyStopsTheDelivery() {
        use(new LoopParts(Limits.defaults().withQueueMarks(3, 1)));
        reply("long reply");
        parts.proactor.failNext("send", ErrorCode.ECONNRESET);
        receive("one\ntwo\n");
        assertThat(connection.calls).containsExactly("message one");
        assertThat(connection.closeReason()).isEqualTo(CloseReason.RESET);
        assertThat(connection.queuedBytes()).isZero();
    }

    @Test
    void handlerThatRepliesWithMuchIsPausedBetweenTwoMessages() {
        use(new LoopParts(Limits.defaults().withQueueMarks(10, 5)));
        reply("long reply");
        parts.proactor.nextSends(0);
        receive("one\ntwo\n");
        assertThat(connection.calls).containsExactly("message one");
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 long reply\n", "stopReceiving 0");
        assertThat(connection.partialInput().bytes()).isEqualTo(4);
        parts.proactor.nextSends(11, 0);
        parts.sender.completed(connection, 0); // the socket has room again
        assertThat(connection.calls).as("not in the middle of another completion").containsExactly("message one", "drained");
        assertThat(delivery.continuePending()).isEqualTo(1);
        assertThat(connection.calls).containsExactly("message one", "drained", "message two");
        assertThat(parts.proactor.taken(0)).isEqualTo("long reply\n");
    }

    // ---- what the handler does meanwhile

    @Test
    void handlerThatClosesInTheMiddleGetsNoFurtherMessageAndNothingIsHeld() {
        connection.reaction = () -> parts.closeRequests.close(connection, CloseReason.CLOSED);
        receive("one\ntwo\nthr");
        assertThat(connection.calls).containsExactly("message one");
        assertThat(connection.partialInput()).isNull();
        assertThat(parts.budget.bytes()).isZero();
        assertThat(parts.counters.stats(1).messagesIn()).isEqualTo(1);

        connection = parts.open();
        receive("hel");
        connection.reaction = () -> {
            parts.closeRequests.close(connection, CloseReason.CLOSED);
            parts.partialInputs.drop(connection);
        };
        receive("d\ntwo\n");
        assertThat(connection.calls).containsExactly("message held");
        assertThat(parts.budget.bytes()).isZero();
    }

    @Test
    void handlerThatFinishesInTheMiddleSendsItsRepliesAndGetsNoFurtherMessage() {
        connection.reaction = () -> {
            parts.admission.put(connection, "bye");
            parts.lifecycle.finish(connection, CloseReason.FINISHED);
        };
        receive("one\ntwo\n");
        assertThat(connection.calls).containsExactly("message one");
        assertThat(parts.proactor.newCalls()).containsExactly("stopReceiving 0", "send 0 bye\n", "shutdownOutput 0", "receive 0");
        assertThat(connection.partialInput()).isNull();
    }

    @Test
    void handlerThatPausesKeepsTheRestInOrderUntilItResumes() {
        connection.reaction = () -> parts.gate.pause(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        receive("one\ntwo\n");
        receive("three\n"); // had completed before receiving stopped
        assertThat(connection.calls).containsExactly("message one");
        assertThat(parts.proactor.newCalls()).containsExactly("stopReceiving 0");
        assertThat(connection.partialInput().bytes()).isEqualTo(10);
        assertThat(parts.deadlines.queue().next()).as("the handler is the cause").isEqualTo(Loop.NO_DEADLINE);
        connection.reaction = () -> {};
        parts.gate.resume(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        assertThat(connection.calls).hasSize(1);
        assertThat(delivery.continuePending()).isEqualTo(1);
        assertThat(connection.calls).containsExactly("message one", "message two", "message three");
        assertThat(parts.proactor.newCalls()).containsExactly("receive 0");
        assertThat(parts.budget.bytes()).isZero();
    }

    @Test
    void handlerThatPausesAndResumesAtOnceReceivesAgain() {
        receive("hel");
        connection.reaction = () -> {
            parts.gate.pause(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
            parts.gate.resume(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        };
        receive("d\n");
        delivery.continuePending();
        assertThat(parts.proactor.newCalls()).containsExactly("stopReceiving 0", "receive 0");
    }

    @Test
    void batchEndsAlsoIfTheHandlerThrowsAnError() {
        connection.reaction = () -> {
            parts.admission.put(connection, "reply");
            throw new AssertionError("broken");
        };
        assertThatThrownBy(() -> receive("one\n")).hasMessage("broken");
        assertThat(parts.batch.collectsFor(connection)).isFalse();
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 reply\n");
    }

    // ---- bounds

    @Test
    void manyMessagesLetTheOtherConnectionsGoFirst() {
        receive("x\n".repeat(Delivery.MESSAGES_PER_DELIVERY_MAX + 2));
        assertThat(connection.calls).hasSize(Delivery.MESSAGES_PER_DELIVERY_MAX);
        assertThat(connection.partialInput().bytes()).isEqualTo(4);
        assertThat(parts.proactor.newCalls()).containsExactly("stopReceiving 0");
        TestRecord other = parts.open();
        delivery.received(other, LoopParts.direct("y\n"), 0, 2);
        assertThat(other.calls).containsExactly("message y");
        assertThat(delivery.continuePending()).isEqualTo(1);
        assertThat(connection.calls).hasSize(Delivery.MESSAGES_PER_DELIVERY_MAX + 2);
        assertThat(parts.proactor.newCalls()).containsExactly("receive 0");
        assertThat(delivery.continuePending()).isZero();
    }

    @Test
    void heldInputBeyondTheBudgetClosesTheConnection() {
        use(new LoopParts(Limits.defaults().withQueueBudgetBytes(256)));
        receive("one\nhalf");
        assertThat(connection.isClosed()).isFalse();
        try (LogLines log = new LogLines()) {
            receive("!".repeat(256));
            assertThat(log.lines("unfinished message is longer than half of the memory")).hasSize(1);
        }
        assertThat(connection.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertThat(connection.calls).containsExactly("message one");
        assertThat(parts.budget.bytes()).isZero();
    }

    // ---- the end of the input

    @Test
    void endOfInputDropsAnIncompleteMessageAndIsNotifiedOnce() {
        receive("one\nhalf");
        endInput();
        assertThat(connection.calls).containsExactly("message one", "end of input");
        assertThat(connection.state()).isEqualTo(ConnectionState.INPUT_ENDED);
        assertThat(connection.partialInput()).isNull();
        assertThat(parts.budget.bytes()).isZero();
    }

    @Test
    void endOfInputWaitsBehindHeldMessages() {
        connection.reaction = () -> parts.gate.pause(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        receive("one\ntwo\n");
        connection.reaction = () -> {};
        endInput();
        assertThat(connection.calls).containsExactly("message one");
        parts.gate.resume(connection, ConnectionRecord.PAUSED_BY_APPLICATION);
        delivery.continuePending();
        assertThat(connection.calls).isEqualTo(List.of("message one", "message two", "end of input"));
        assertThat(parts.proactor.newCalls()).as("nothing more is received").doesNotContain("receive 0");
    }

    @Test
    void endOfInputAfterTheEndOfTheOutputFinishesTheConnection() {
        parts.lifecycle.finishOutput(connection);
        parts.sender.flushPending();
        endInput();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.PEER_FINISHED);
        assertThat(connection.isClosed()).isTrue();
        assertThat(parts.proactor.newCalls()).as("one FIN").containsExactly("shutdownOutput 0");
    }

    @Test
    void replyToTheEndOfInputIsSentAtOnce() {
        connection.reaction = () -> parts.admission.put(connection, "bye");
        endInput();
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 bye\n");
    }

    /** Makes the handler request parts in each of the first callbacks with bytes, and counts them. */
    private void request(long parts, int times) {
        int[] left = {times};
        connection.reaction = () -> {
            String call = connection.calls.getLast();
            if ((call.startsWith("message") || call.endsWith("the last")) && left[0]-- > 0) {
                delivery.receiveParts(connection, parts);
            }
        };
    }

    @Test
    void partsThatAreRequestedInTheUnfinishedLastMessageFollow() {
        for (long parts : new long[]{0, Long.MAX_VALUE}) {
            use(new LoopParts(Framing.lines().withRemainder(Remainder.DELIVER), Limits.defaults(), Overflow.PAUSE_READING));
            receive("rest");
            request(parts, 1);
            endInput();
            assertThat(connection.calls).containsExactly("message rest", "part , the last", "end of input");
        }
    }

    @Test
    void partsThatAreRequestedInTheLastPartAtTheEndOfInputFollow() {
        for (long parts : new long[]{0, Long.MAX_VALUE}) {
            connection = this.parts.open();
            request(Long.MAX_VALUE, 1);
            receive("go\nabc");
            request(parts, 2);
            endInput();
            assertThat(connection.calls).containsExactly("message go", "part abc", "part , the last", "part , the last",
                    "part , the last", "end of input");
        }
    }

    /** The work of one turn is bounded, whatever a handler requests. */
    @Test
    void handlerThatRequestsPartsForeverDoesNotHoldTheLoop() {
        receive("rest");
        request(Long.MAX_VALUE, Integer.MAX_VALUE);
        receive("\n");
        endInput();
        assertThat(connection.calls).hasSize(1 + Delivery.MESSAGES_PER_DELIVERY_MAX);
        assertThat(parts.gate.pendingCount()).isEqualTo(1);
        delivery.continuePending();
        assertThat(connection.calls).hasSize(1 + 2 * Delivery.MESSAGES_PER_DELIVERY_MAX);
        connection.reaction = () -> {};
        delivery.continuePending();
        assertThat(connection.calls).endsWith("part , the last", "end of input");
    }

    @Test
    void decoderThatClosesItsConnectionDeliversNothing() {
        use(new LoopParts(Framing.of((in, from, to, frame) -> {
            parts.closeRequests.close(connection, CloseReason.CLOSED);
            frame.message(from, to, to);
        }), Limits.defaults(), Overflow.PAUSE_READING));
        receive("abc");
        assertThat(connection.calls).isEmpty();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.CLOSED);
    }
}
