package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.ErrorCode;
import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Sending a transfer: pieces, what counts in the queue and the budget, progress, and how it ends. */
final class TransfersTest {
    private static final Duration STEP = Duration.ofSeconds(3);
    private static final Duration WRITE = Duration.ofSeconds(10);

    private final List<String> ends = new ArrayList<>();
    private LoopParts parts = new LoopParts(Limits.defaults().withWriteTimeout(WRITE));
    private TestRecord connection = parts.open();

    private void use(LoopParts others) {
        parts = others;
        connection = parts.open();
    }

    /** A source in memory that the kernel may send from by itself. */
    private static final class FileInMemory implements TransferSource {
        private final String content;
        /** The results of the next {@link #sendTo}s. */
        final List<Long> results = new ArrayList<>();
        final List<String> calls = new ArrayList<>();

        FileInMemory(String content) {
            this.content = content;
        }

        @Override
        public int read(ByteBuffer piece, long at) {
            int count = (int) Math.min(piece.remaining(), content.length() - at);
            piece.put(LoopParts.bytes(content.substring((int) at, (int) at + count)));
            return count == 0 ? -1 : count;
        }

        @Override
        public long sendTo(Proactor proactor, long handle, long at, long count) {
            calls.add(at + "+" + count);
            return results.removeFirst();
        }

        @Override
        public void close() {
            calls.add("close");
        }
    }

    private Transfer transfer(ScriptedSource source, long count) {
        return transfer(new ChannelSource(source), count);
    }

    private Transfer transfer(TransferSource source, long count) {
        return new Transfer(source, count,
                (bytes, failure) -> ends.add(bytes + (failure == null ? "" : " " + failure.getMessage())));
    }

    private void put(Transfer transfer) {
        assertThat(parts.transferAdmission.put(connection, transfer)).isEqualTo(SendResult.QUEUED);
    }

    private void assertNothingWaits() {
        assertThat(connection.transfers()).isNull();
        assertThat(connection.sendQueue()).isNull();
        assertThat(connection.queuedBytes()).isZero();
        assertThat(connection.queuedMessages()).isZero();
        assertThat(parts.budget.bytes()).isZero();
    }

    @Test
    void pieceOfAFullSocketCountsInTheQueueAndTheBudget() {
        put(transfer(ScriptedSource.of("x".repeat(100_000)), 100_000));
        assertThat(connection.queuedBytes()).as("about what its objects take").isEqualTo(1024);
        assertThat(connection.queuedMessages()).isEqualTo(1);
        assertThat(parts.budget.bytes()).as("nothing is read before its turn").isZero();
        parts.proactor.nextSends(1000);
        parts.sender.flushPending();
        assertThat(parts.proactor.newCalls()).containsExactly("sendNow 0 32768 bytes");
        assertThat(connection.queuedBytes()).isEqualTo(1024 + 32_768);
        assertThat(parts.budget.bytes()).isEqualTo(32_768);
        parts.sender.flush(connection);
        assertThat(parts.proactor.newCalls()).as("while the socket is full").isEmpty();
        parts.sender.completed(connection, 0);
        assertThat(parts.proactor.newCalls()).containsExactly("sendNow 0 31768 bytes", "sendNow 0 32768 bytes",
                "sendNow 0 32768 bytes", "sendNow 0 1696 bytes");
        assertThat(ends).containsExactly("100000");
        assertNothingWaits();
    }

    @Test
    void departureOfCiphertextIsProgressAlsoIfATransferWasAddedMeanwhile() {
        parts.enqueue(connection, "message");
        parts.proactor.nextSends(0, 0);
        parts.proactor.unsentBytes = 10;
        parts.sender.flush(connection);
        put(transfer(ScriptedSource.of("x".repeat(1000)), 1000));
        parts.time.step(Duration.ofMillis(20));
        parts.sender.completed(connection, 0);
        assertThat(connection.sendQueue().progressNanos).isEqualTo(parts.time.nanoTime());
    }

    @Test
    void collectedRepliesAreSentToMakeRoomForATransfer() {
        use(new LoopParts(Framing.lines(), Limits.defaults().withQueueBytesMax(1000), Overflow.DISCONNECT));
        parts.collectReplies(connection, "");
        parts.stageReply(connection, "r".repeat(800));
        put(transfer(ScriptedSource.of("x".repeat(1000)), 1000));
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 800 bytes");
    }

    @Test
    void transferBeyondTheCapIsAcceptedOnlyIfReadingIsPausedThen() {
        for (Overflow overflow : List.of(Overflow.PAUSE_READING, Overflow.DISCONNECT)) {
            use(new LoopParts(Framing.lines(), Limits.defaults().withQueueBytesMax(1000), overflow));
            parts.collectReplies(connection, "");
            parts.proactor.nextSends(0);
            parts.stageReply(connection, "r".repeat(800));
            assertThat(parts.transferAdmission.put(connection, transfer(ScriptedSource.of("x"), 1))).as("%s", overflow)
                    .isEqualTo(overflow == Overflow.PAUSE_READING ? SendResult.QUEUED : SendResult.FULL);
        }
    }

    @Test
    void pieceIsAsSmallAsTheQueue() {
        use(new LoopParts(Limits.defaults().withQueueBytesMax(400)));
        put(transfer(ScriptedSource.of("x".repeat(250)), 250));
        parts.sender.flushPending();
        assertThat(parts.proactor.newCalls()).containsExactly("sendNow 0 100 bytes", "sendNow 0 100 bytes",
                "sendNow 0 50 bytes");
        assertNothingWaits();
    }

    @Test
    void onlyBytesThatWereTakenCountAsProgress() {
        long start = parts.time.nanoTime();
        put(transfer(ScriptedSource.of("transfer"), 8));
        parts.proactor.nextSends(0, 0, 2);
        parts.sender.flushPending();
        assertThat(parts.deadlines.queue().next()).isEqualTo(start + WRITE.toNanos());
        parts.time.step(STEP);
        parts.sender.completed(connection, 0);
        assertThat(parts.pendingSends.progressNanos(connection)).as("an attempt is none").isEqualTo(start);
        parts.sender.completed(connection, 0);
        assertThat(parts.pendingSends.progressNanos(connection)).isEqualTo(parts.time.nanoTime());
    }

    @Test
    void progressOfTheMessagesBeforeATransferIsProgressOfAll() {
        parts.enqueue(connection, "message");
        put(transfer(ScriptedSource.of("transfer"), 8));
        parts.time.step(STEP);
        parts.proactor.nextSends(3);
        parts.sender.flushPending();
        assertThat(parts.pendingSends.progressNanos(connection)).isEqualTo(parts.time.nanoTime());
        parts.sender.completed(connection, 0);
        assertThat(parts.proactor.taken(0)).isEqualTo("messagetransfer");
        assertNothingWaits();
    }

    /** Found by simulation: the deadline still counted from the progress before. */
    @Test
    void lastOfTheMessagesBeforeATransferIsProgressOfAll() {
        parts.enqueue(connection, "message");
        put(transfer(ScriptedSource.of("transfer"), 8));
        parts.proactor.nextSends(3);
        parts.sender.flushPending();
        parts.time.step(STEP);
        parts.proactor.nextSends(4, 0);
        parts.sender.completed(connection, 0);
        assertThat(parts.proactor.taken(0)).isEqualTo("message");
        assertThat(parts.pendingSends.progressNanos(connection)).isEqualTo(parts.time.nanoTime());
    }

    /** Found by simulation: it was closed at once, since these messages had waited for the first transfer. */
    @Test
    void messagesThatWaitedForATransferHaveTheWholeWriteTimeout() {
        put(transfer(ScriptedSource.of("one"), 3));
        parts.enqueue(connection, "message");
        put(transfer(ScriptedSource.of("two"), 3));
        parts.proactor.nextSends(0);
        parts.sender.flushPending();
        parts.time.step(STEP);
        parts.proactor.nextSends(3, Proactor.PENDING);
        parts.sender.completed(connection, 0);
        assertThat(parts.pendingSends.progressNanos(connection)).isEqualTo(parts.time.nanoTime());
    }

    @Test
    void restOfAPendingSendGoesBeforeTheMessagesBeforeATransfer() {
        parts.enqueue(connection, "first");
        parts.proactor.nextSends(Proactor.PENDING);
        parts.sender.flush(connection);
        parts.enqueue(connection, "second");
        put(transfer(ScriptedSource.of("transfer"), 8));
        parts.enqueue(connection, "third");
        parts.sender.flushPending();
        assertThat(parts.proactor.newCalls()).containsExactly("send 0 first");
        parts.sender.completed(connection, parts.proactor.take(0, 2));
        parts.sender.completed(connection, 0);
        assertThat(parts.proactor.taken(0)).isEqualTo("firstsecondtransferthird");
        assertNothingWaits();
    }

    @Test
    void transferLetsTheOtherConnectionsGoFirst() {
        TestRecord other = parts.open();
        put(transfer(ScriptedSource.of("x".repeat(3 << 20)), 3 << 20));
        parts.enqueue(other, "other");
        parts.sender.flushLater(other);
        parts.sender.flushPending();
        assertThat(parts.proactor.taken(1)).isEqualTo("other");
        assertThat(parts.proactor.taken(0)).hasSize(Sender.BYTES_PER_FLUSH_MAX);
        assertThat(parts.budget.bytes()).as("an empty piece is not kept").isZero();
        assertThat(parts.sender.flushPending()).as("the rest without a completion").isEqualTo(1);
    }

    @Test
    void kernelSendsByItselfWhereItCan() {
        FileInMemory file = new FileInMemory("0123456789");
        file.results.addAll(List.of(4L, 6L));
        put(transfer(file, 10));
        parts.sender.flushPending();
        assertThat(connection.is(ConnectionRecord.AWAITS_WRITABLE)).isTrue();
        assertThat(connection.queuedBytes()).as("nothing is in memory").isEqualTo(1024);
        parts.sender.completed(connection, 0);
        assertThat(file.calls).containsExactly("0+10", "4+6", "close");
        assertThat(ends).containsExactly("10");
        assertNothingWaits();
    }

    @Test
    void fileIsReadIfTheKernelCannotSendFromIt() {
        FileInMemory file = new FileInMemory("0123456789");
        file.results.addAll(List.of(4L, SendableFile.UNSUPPORTED));
        put(transfer(file, 10));
        parts.sender.flushPending();
        parts.sender.completed(connection, 0);
        assertThat(parts.proactor.newCalls()).containsExactly("sendNow 0 456789");
        assertThat(ends).containsExactly("10");
        assertNothingWaits();
    }

    @Test
    void fileThatHasBecomeShorterCutsTheConnection() {
        FileInMemory file = new FileInMemory("0123456789");
        file.results.addAll(List.of(4L, SendableFile.ENDED));
        put(transfer(file, 10));
        parts.sender.flushPending();
        parts.sender.completed(connection, 0);
        assertThat(connection.closeReason()).isEqualTo(CloseReason.TRANSFER_FAILED);
        assertThat(ends).as("told when the close is completed").isEmpty();
        parts.lifecycle.completeCloses();
        assertThat(parts.proactor.newCalls()).containsExactly("reset 0");
        assertThat(ends).containsExactly("4 the source of a transfer has ended after 4 of 10 bytes");
        assertThat(connection.calls).containsExactly("close TRANSFER_FAILED");
    }

    @Test
    void sourceThatLiesAboutItsBytesCutsTheConnection() {
        put(transfer(new TransferSource() {
            @Override
            public int read(ByteBuffer piece, long at) {
                piece.put((byte) 1);
                return 2;
            }

            @Override
            public void close() throws IOException {
                throw new IOException("only logged");
            }
        }, 10));
        parts.sender.flushPending();
        parts.lifecycle.completeCloses();
        assertThat(parts.proactor.newCalls()).containsExactly("reset 0");
        assertThat(ends.getFirst()).contains("returned 2").contains("put 1 bytes");
    }

    @Test
    void failureOfTheSocketEndsAllTransfersOnce() {
        put(transfer(ScriptedSource.of("one"), 3));
        put(transfer(ScriptedSource.of("two"), 3));
        parts.enqueue(connection, "message");
        parts.proactor.failNext("sendNow", ErrorCode.EPIPE);
        parts.sender.flushPending();
        parts.lifecycle.completeCloses();
        assertThat(ends).hasSize(2);
        assertThat(ends.getFirst()).startsWith("0 sendNow: EPIPE");
        assertThat(ends.getLast()).startsWith("0 the connection was closed before");
        assertNothingWaits();
        parts.lifecycle.released(connection.handle);
        assertThat(ends).hasSize(2);
    }

    @Test
    void budgetClosesATransferThatHoldsTheMostAndFreesItsMemoryAtOnce() {
        use(new LoopParts(Limits.defaults().withQueueBudgetBytes(60_000)));
        put(transfer(ScriptedSource.of("x".repeat(100_000)), 100_000));
        parts.budget.add(60_000); // held by others
        parts.proactor.nextSends(0);
        parts.sender.flushPending();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertThat(parts.budget.bytes()).isEqualTo(60_000);
        parts.budget.release(60_000);
        parts.lifecycle.completeCloses();
        assertThat(ends).hasSize(1);
        assertNothingWaits();
    }

    @Test
    void messagesBehindATransferThatContinuesHaveTheWholeWriteTimeout() {
        ScriptedSource source = ScriptedSource.of("some and more").upTo(4);
        put(transfer(source, 13));
        parts.sender.flushPending();
        parts.enqueue(connection, "behind");
        parts.time.step(STEP);
        source.upTo(13);
        parts.sender.continueTransfer(connection);
        assertThat(connection.sendQueue().progressNanos).isEqualTo(parts.time.nanoTime());
    }

    @Test
    void noWriteDeadlineRunsWhileTheSourceHasNothing() {
        DeadlineSweep sweep = new DeadlineSweep(parts.clock, parts.table, parts.deadlines, parts.pendingSends,
                parts.closeRequests, connection -> 0);
        ScriptedSource source = ScriptedSource.of("some and more").upTo(4);
        put(transfer(source, 13));
        parts.sender.flushPending();
        parts.time.step(WRITE.multipliedBy(2));
        sweep.closeOverdue(parts.time.nanoTime());
        assertThat(connection.isClosed()).isFalse();
        source.upTo(13);
        parts.sender.continueTransfer(connection);
        parts.proactor.nextSends(0);
        parts.sender.flushPending();
        parts.time.step(WRITE.plusNanos(1));
        sweep.closeOverdue(parts.time.nanoTime());
        assertThat(connection.closeReason()).as("now it is the peer").isEqualTo(CloseReason.WRITE_TIMEOUT);
    }

    @Test
    void transferOfAnotherThreadThatComesTooLateIsCut() {
        Transfer late = transfer(ScriptedSource.of("late"), 4);
        LoopParts.onOtherThread(() -> put(late));
        parts.closeRequests.close(connection, CloseReason.CLOSED);
        parts.lifecycle.completeCloses();
        assertThat(parts.proactor.newCalls()).as("it was accepted").containsExactly("reset 0");
        parts.runTasks();
        assertThat(ends).hasSize(1);
        assertNothingWaits();
    }

    @Test
    void messageOfAnotherThreadNeverExceedsTheBudget() {
        long others = parts.budget.bytesMax() - 3;
        parts.budget.add(others);
        SendResult[] results = new SendResult[2];
        ByteBuffer message = LoopParts.bytes("abc"); // and a line feed
        LoopParts.onOtherThread(() -> {
            results[0] = parts.transferAdmission.putMessage(connection, message, (bytes, failure) -> ends.add("ended"));
            assertThat(parts.budget.bytes()).isEqualTo(others);
            results[1] = parts.transferAdmission.putMessage(connection, LoopParts.bytes("ab"),
                    (bytes, failure) -> ends.add("ended"));
        });
        assertThat(results).containsExactly(SendResult.CLOSED, SendResult.QUEUED);
        assertThat(message.remaining()).as("the caller keeps it").isEqualTo(3);
        parts.runTasks();
        parts.lifecycle.completeCloses();
        assertThat(connection.closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertThat(connection.queuedMessages()).isZero();
        assertThat(parts.budget.bytes()).isEqualTo(others);
        assertThat(ends).as("only the accepted message").hasSize(1);
    }
}
