package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** Streamed messages: they are sent in order with messages, a piece at a time, and are complete or visibly cut. */
final class StreamedMessagesTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final Duration WRITE = Duration.ofSeconds(10);
    private static final int BYTES = 3_000_000;
    private static final byte[] CONTENT = FramedEchoTest.patterned(BYTES);
    /** More than the buffers of both sockets. */
    private static final byte[] OVERSIZED = FramedEchoTest.patterned(Stage.OVERSIZED_BYTES);

    private final Transferred transferred = new Transferred();

    /** Waits for the first connection. */
    private static Connection open(Stage stage, Story story) throws IOException {
        stage.until("open", () -> story.size() == 1);
        return story.connection(0);
    }

    @EveryNetwork
    void transferIsSentInOrderWithMessages(Stage stage) throws IOException {
        ScriptedSource source = new ScriptedSource(CONTENT, 100_000);
        ScriptedSource second = ScriptedSource.of("second");
        Story story = stage.story((connection, message) -> {
            connection.send("before");
            assertThat(connection.sendFrom(source, BYTES, transferred)).isEqualTo(SendResult.QUEUED);
            connection.send("after");
            connection.sendFirst("first");
            assertThat(connection.sendFrom(second, -1, transferred)).isEqualTo(SendResult.QUEUED);
            connection.send("last");
            assertThat(transferred.count()).as("not within the call").isZero();
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("get\n");
        assertThat(client.line()).isEqualTo("before");
        assertThat(client.receive(BYTES)).isEqualTo(CONTENT);
        assertThat(client.line()).isEqualTo("first");
        assertThat(client.line()).isEqualTo("after");
        assertThat(client.line()).isEqualTo("secondlast");
        stage.until("both are notified", () -> transferred.count() == 2);
        assertThat(transferred.ends()).containsExactly(BYTES + " complete", "6 complete");
        assertThat(source.isOpen()).isFalse();
        assertThat(second.isOpen()).isFalse();
        stage.settle();
        assertThat(story.connection(0).queue().bytes()).isZero();
        assertThat(story.connection(0).queue().messages()).isZero();
    }

    @EveryNetwork
    void transferFromAnotherThreadIsTheSame(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        LoopParts.onOtherThread(() -> {
            connection.send("before");
            assertThat(connection.sendFrom(ScriptedSource.of(CONTENT), BYTES, transferred)).isEqualTo(SendResult.QUEUED);
            connection.send("after");
            connection.finish();
        });
        assertThat(client.line()).isEqualTo("before");
        assertThat(client.receive(BYTES)).isEqualTo(CONTENT);
        assertThat(client.restText()).isEqualTo("after\n");
        assertThat(transferred.ends()).containsExactly(BYTES + " complete");
    }

    @EveryNetwork
    void messageThatTheSocketRefusedIsSentBeforeATransfer(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).limits(Stage.ROOMY));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        byte[] message = stage.fillSocket(connection);
        connection.send("waits");
        connection.sendFrom(ScriptedSource.of("transfer;"), 9, transferred);
        connection.sendFirst("behind");
        connection.finish();
        assertThat(client.receive(message.length)).isEqualTo(message);
        assertThat(client.restText()).isEqualTo("\nwaits\ntransfer;behind\n");
        assertThat(transferred.ends()).containsExactly("9 complete");
    }

    @EveryNetwork
    void onePieceIsInMemoryHoweverSlowThePeer(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        connection.sendFrom(ScriptedSource.of(OVERSIZED), OVERSIZED.length, transferred);
        stage.untilSocketFull(connection);
        assertThat(connection.queue().bytes()).isBetween(1, 64 * 1024 + 1024);
        assertThat(connection.queue().messages()).isEqualTo(1);
        assertThat(server.stats().queueBytes()).as("the budget").isBetween(1L, 64L * 1024);
        connection.sendFrom(ScriptedSource.of("second"), 6, transferred);
        assertThat(connection.queue().messages()).isEqualTo(2);
        assertThat(client.receive(OVERSIZED.length)).isEqualTo(OVERSIZED);
        assertThat(client.receiveText(6)).isEqualTo("second");
        stage.until("both are notified", () -> transferred.count() == 2);
        assertThat(server.stats().queueBytes()).isZero();
    }

    @EveryNetwork
    void sourceThatThrowsOrEndsEarlyResetsTheConnection(Stage stage) throws IOException {
        IOException own = new IOException("the disk is gone");
        for (ScriptedSource source : List.of(ScriptedSource.of(CONTENT).thenThrows(own), ScriptedSource.of(CONTENT),
                ScriptedSource.of(CONTENT).thenThrows(new IllegalStateException("a bug")))) {
            Transferred listener = new Transferred();
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.server(story));
            Client client = stage.client(server);
            Connection connection = open(stage, story);
            listener.reaction = () -> assertThat(story.count("close")).as("before onClose").isZero();
            connection.sendFrom(source, BYTES + 1, listener);
            ScriptedSource behind = ScriptedSource.of("behind");
            connection.sendFrom(behind, -1, listener);
            assertThat(client.endsInOrder()).isFalse();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(CloseReason.TRANSFER_FAILED);
            assertThat(listener.ends()).containsExactly(BYTES + " cut", "0 cut");
            assertThat(connection.failure()).isInstanceOfAny(own.getClass(), EOFException.class);
            assertThat(listener.failure()).hasMessageContaining("a transfer or a relay was cut");
            assertThat(source.isOpen() || behind.isOpen()).isFalse();
            server.close();
        }
    }

    /** The peer is not to blame: no write deadline runs meanwhile. */
    @EveryNetwork
    void sourceThatHasNothingIsReadAgainWhenTheApplicationSaysSo(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Limits.defaults().withWriteTimeout(WRITE)));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        ScriptedSource source = ScriptedSource.of("some and more").upTo(4);
        connection.sendFrom(source, -1, transferred);
        connection.send("behind");
        assertThat(client.receiveText(4)).isEqualTo("some");
        stage.settle();
        int reads = source.reads();
        stage.pass(WRITE.multipliedBy(3));
        stage.settle();
        assertThat(source.reads()).as("not polled").isEqualTo(reads);
        assertThat(server.stats().queueBytes()).as("nothing but the message is in memory").isLessThanOrEqualTo(1024);
        source.upTo(13);
        LoopParts.onOtherThread(connection::continueTransfer);
        assertThat(client.receiveText(15)).isEqualTo(" and morebehind");
        assertThat(transferred.ends()).containsExactly("13 complete");
        connection.continueTransfer(); // means nothing now
        connection.finish();
        assertThat(client.restText()).isEmpty();
    }

    @EveryNetwork
    void peerThatAcceptsNothingEndsTheTransferAfterTheWriteTimeout(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Limits.defaults().withWriteTimeout(WRITE)));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        connection.sendFrom(ScriptedSource.of(OVERSIZED), OVERSIZED.length, transferred);
        stage.untilSocketFull(connection);
        stage.pass(WRITE.minusMillis(1));
        stage.settle();
        assertThat(story.count("close")).isZero();
        stage.until("closed", () -> {
            stage.pass(Duration.ofSeconds(1)); // on a busy machine, the kernel may have taken further bytes meanwhile
            stage.settle();
            return story.count("close") == 1;
        });
        assertThat(story.reasons()).containsExactly(CloseReason.WRITE_TIMEOUT);
        assertThat(transferred.ends().getFirst()).endsWith(" cut");
        assertThat(client.endsInOrder()).isFalse();
        assertThat(server.stats().queueBytes()).isZero();
    }

    @EveryNetwork
    void peerThatGoesEndsTheTransfer(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        ScriptedSource source = ScriptedSource.of(OVERSIZED);
        connection.sendFrom(source, OVERSIZED.length, transferred);
        stage.untilSocketFull(connection);
        client.reset();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(transferred.ends()).hasSize(1);
        assertThat(transferred.failure()).isNotNull();
        assertThat(source.isOpen()).isFalse();
    }

    @EveryNetwork
    void closeCutsATransferVisibly(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        connection.sendFrom(ScriptedSource.of("some").thenThrows(new IOException("never reached")).upTo(2), 4, transferred);
        assertThat(client.receiveText(2)).isEqualTo("so");
        connection.close();
        assertThat(client.endsInOrder()).isFalse();
        assertThat(transferred.ends()).containsExactly("2 cut");
        assertThat(transferred.failure()).hasMessageContaining("closed by the application");
        assertThat(connection.sendFrom(ScriptedSource.of("x"), 1, transferred)).isEqualTo(SendResult.CLOSED);
        assertThat(transferred.count()).isEqualTo(1);
    }

    @EveryNetwork
    void drainWaitsForATransfer(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        connection.sendFrom(ScriptedSource.of(OVERSIZED), OVERSIZED.length, transferred);
        stage.untilSocketFull(connection);
        server.drain(Stage.PATIENCE);
        stage.until("draining", () -> connection.state() == ConnectionState.DRAINING);
        assertThat(connection.send("too late")).isEqualTo(SendResult.CLOSED);
        assertThat(client.rest()).isEqualTo(OVERSIZED);
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.DRAINED);
        assertThat(transferred.ends()).containsExactly(OVERSIZED.length + " complete");
    }

    @EveryNetwork
    void fullQueueRefusesATransfer(Stage stage) throws IOException {
        AtomicReference<SendResult> result = new AtomicReference<>();
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Limits.defaults().withQueueBytesMax(4000)));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        ScriptedSource refused = ScriptedSource.of("refused");
        connection.execute(() -> {
            for (int i = 0; i < 4; i++) {
                assertThat(connection.sendFrom(ScriptedSource.of("x").upTo(0), 1, transferred)).isEqualTo(SendResult.QUEUED);
            }
            result.set(connection.sendFrom(refused, 7, transferred));
        });
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(result.get()).isEqualTo(SendResult.FULL);
        assertThat(story.reasons()).containsExactly(CloseReason.QUEUE_FULL);
        assertThat(transferred.ends()).containsOnly("0 cut").hasSize(4);
        assertThat(refused.isOpen()).as("it is still the caller's").isTrue();
        assertThat(client.endsInOrder()).isFalse();
    }

    /** A head must not be separated from its body. */
    @EveryNetwork
    void neitherATransferNorWhatIsBeforeItIsDropped(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                .limits(Limits.defaults().withQueueBytesMax(4000)));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        ScriptedSource source = ScriptedSource.of("body;").upTo(0);
        connection.execute(() -> {
            connection.send("head");
            connection.sendFrom(source, 5, transferred);
            for (int i = 0; i < 10; i++) {
                connection.send((char) ('0' + i) + "x".repeat(998));
            }
        });
        stage.until("dropped", () -> story.count("dropped") > 0);
        source.upTo(5);
        connection.continueTransfer();
        assertThat(client.line()).isEqualTo("head");
        assertThat(client.line()).startsWith("body;8x");
        assertThat(client.line()).startsWith("9x");
    }

    @EveryNetwork
    void transferBeforeTheConnectionIsOpenWaitsForIt(Stage stage) throws IOException {
        Server far = stage.open(stage.server((connection, message) -> {
            connection.send(message);
            connection.finish();
        }).framing(Framing.lines()));
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT).framing(Framing.lines()));
        Connection connection = server.connect(far.address(), stage.outgoing(Protocol.of(Framing.lines(), story)), null);
        connection.sendFrom(ScriptedSource.of("early\n"), 6, transferred);
        stage.until("answered", () -> story.count("message early") == 1);
        assertThat(transferred.ends()).containsExactly("6 complete");
        connection.finish();
    }

    @EveryNetwork
    void transferWithoutBytesIsCompleteInItsTurn(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        connection.sendFrom(ScriptedSource.of("x"), 0, transferred);
        connection.sendFrom(ScriptedSource.of(""), -1, transferred);
        connection.finish();
        assertThat(client.restText()).isEmpty();
        assertThat(transferred.ends()).containsExactly("0 complete", "0 complete");
        assertThatThrownBy(() -> connection.sendFrom(ScriptedSource.of("x"), -2, transferred))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @EveryNetwork
    void messageWithAListenerIsReportedWhenTheKernelHasIt(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lengthPrefixed(4)).limits(Stage.ROOMY));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        LoopParts.onOtherThread(() -> assertThat(connection.send(ByteBuffer.wrap(Client.bytes("first")), transferred))
                .isEqualTo(SendResult.QUEUED));
        assertThat(client.receiveText(9)).isEqualTo("\0\0\0\005first");
        assertThat(transferred.ends()).containsExactly("9 complete");
        ByteBuffer message = ByteBuffer.wrap(OVERSIZED);
        assertThat(connection.send(message, transferred)).isEqualTo(SendResult.QUEUED);
        assertThat(message.hasRemaining()).isFalse();
        connection.send("behind");
        stage.untilSocketFull(connection);
        assertThat(connection.queue().bytes()).isEqualTo(OVERSIZED.length + 4 + 10);
        assertThat(server.stats().queueBytes()).isGreaterThan(OVERSIZED.length);
        assertThat(transferred.count()).isEqualTo(1);
        client.receive(OVERSIZED.length + 4 + 10);
        stage.until("notified", () -> transferred.count() == 2);
        assertThat(transferred.ends()).containsExactly("9 complete", OVERSIZED.length + 4 + " complete");
        assertThat(server.stats().queueBytes()).isZero();
        connection.send(ByteBuffer.wrap(OVERSIZED), transferred);
        stage.untilSocketFull(connection);
        connection.close();
        assertThat(client.endsInOrder()).isFalse();
        assertThat(transferred.ends().getLast()).endsWith(" cut");
        assertThat(server.stats().queueBytes()).isZero();
    }

    /** A listener may start the next transfer, or fail. */
    @EveryNetwork
    void listenerMayStartTheNextTransferOrThrow(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        connection.sendFrom(ScriptedSource.of("one;"), 4, (of, bytes, failure) -> {
            of.send("two;");
            of.sendFrom(ScriptedSource.of("three;"), 6, (again, more, none) -> {
                throw new IllegalStateException("as asked");
            });
            of.send("four;");
        });
        assertThat(client.restText()).isEqualTo("one;two;three;four;");
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.HANDLER_FAILED);
    }

    @EveryNetwork
    void replyWithAListenerMayExceedTheCapLikeAnyReply(Stage stage) throws IOException {
        byte[] reply = FramedEchoTest.patterned(50_000);
        Story story = stage.story((connection, message) -> assertThat(connection.send(ByteBuffer.wrap(reply), transferred))
                .isEqualTo(SendResult.QUEUED));
        Server server = stage.open(stage.server(story).framing(Framing.lines())
                .limits(Limits.defaults().withQueueBytesMax(20_000).withQueueMarks(10_000, 5_000)));
        Client client = stage.client(server);
        client.send("a\nb\n");
        for (int i = 0; i < 2; i++) {
            assertThat(client.receive(reply.length)).isEqualTo(reply);
            client.expect("\n");
        }
        stage.until("reported", () -> transferred.count() == 2);
        assertThat(transferred.ends()).containsOnly("50001 complete");
    }

    /** The room of a message that was sent is free within the call of its listener, so the listener can send the next one. */
    @EveryNetwork
    void listenerCanSendAMessageAsLongAsTheQueueAgain(Stage stage) throws IOException {
        byte[] message = FramedEchoTest.patterned(4000);
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Limits.defaults().withQueueBytesMax(4000)));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        transferred.reaction = () -> {
            if (transferred.count() == 1) {
                assertThat(connection.queue().messages()).isZero();
                assertThat(connection.send(ByteBuffer.wrap(message), transferred)).isEqualTo(SendResult.QUEUED);
            }
        };
        connection.execute(() -> connection.send(ByteBuffer.wrap(message), transferred));
        assertThat(client.receive(8000)).isEqualTo(Client.join(message, message));
        stage.until("both were sent", () -> transferred.count() == 2);
        assertThat(transferred.ends()).containsOnly("4000 complete");
    }

    /** Its piece may be released while it is read: for the budget, of which it takes more. */
    @EveryNetwork
    void nothingIsSentOfAPieceWhoseSourceHasClosedTheConnection(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        Connection connection = open(stage, story);
        connection.sendFrom(new ReadableByteChannel() {
            @Override
            public int read(ByteBuffer into) {
                connection.close();
                into.put((byte) 'x');
                return 1;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        }, 3, transferred);
        assertThat(client.endsInOrder()).isFalse();
        assertThat(transferred.ends()).containsExactly("0 cut");
    }
}
