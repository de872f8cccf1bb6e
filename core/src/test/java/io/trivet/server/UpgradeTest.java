package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Connections that change framing and handler while they are open. */
final class UpgradeTest {
    private static final Handler ECHO = Connection::send;
    private static final Framing BINARY = Framing.lengthPrefixed(2);

    /** Answers a line, and changes to binary frames. */
    private static Handler handshake(Handler next) {
        return (connection, line) -> {
            connection.send("ok");
            connection.upgrade(BINARY, next);
        };
    }

    @EveryNetwork
    void bytesThatArriveWithTheHandshakeAreReadUnderTheNewFraming(Stage stage) throws Exception {
        List<String> messages = new ArrayList<>();
        Handler binary = (connection, message) -> {
            messages.add(Story.text(message));
            connection.send(message);
        };
        Server server = stage.open(stage.server(handshake(binary)).framing(Framing.lines()));
        byte[] stream = Client.bytes("hello\n\0\3one\0\2\n\n\0\0\0\5three");
        for (int cut = 1; cut <= stream.length; cut += 3) { // in one piece, and cut anywhere
            Client client = stage.client(server);
            byte[] begin = Arrays.copyOfRange(stream, 0, cut);
            client.send(begin);
            stage.settle();
            client.send(Arrays.copyOfRange(stream, cut, stream.length));
            client.expect("ok\n\0\3one\0\2\n\n\0\0\0\5three");
            client.finish();
            assertThat(client.restText()).isEmpty();
            assertThat(messages).containsExactly("one", "\n\n", "", "three");
            messages.clear();
        }
    }

    @EveryNetwork
    void heldBytesAreReadUnderTheNewFramingWhenReadingResumes(Stage stage) throws IOException {
        AtomicReference<Connection> paused = new AtomicReference<>();
        Handler binary = ECHO;
        Server server = stage.open(stage.server((connection, line) -> {
            connection.pauseReading();
            paused.set(connection);
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("hello\n\0\1\n\0\1x\0\2y");
        client.finish();
        stage.until("paused", () -> paused.get() != null);
        stage.settle();
        Connection connection = paused.get();
        connection.execute(() -> {
            connection.send("ok");
            connection.upgrade(BINARY, binary);
        });
        stage.settle();
        client.expect("ok\n");
        assertThat(client.available()).isEmpty();
        connection.resumeReading();
        client.expect("\0\1\n\0\1x");
        assertThat(client.restText()).isEmpty();
    }

    @EveryNetwork
    void incompleteMessageIsSearchedAgainUnderTheNewFraming(Stage stage) throws IOException {
        AtomicReference<Connection> open = new AtomicReference<>();
        Server server = stage.open(stage.server(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                open.set(connection);
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("\0\3one\0");
        stage.until("received", () -> server.stats().total().bytesIn() == 6);
        stage.settle();
        Connection connection = open.get();
        connection.execute(() -> connection.upgrade(BINARY, ECHO));
        client.expect("\0\3one");
        client.send("\3two");
        client.expect("\0\3two");
    }

    @EveryNetwork
    void messageOfAnotherThreadThatArrivesLaterHasTheNewFrame(Stage stage) throws IOException {
        AtomicReference<Connection> open = new AtomicReference<>();
        Server server = stage.open(stage.server((connection, line) -> {
            open.set(connection);
            LoopParts.onOtherThread(() -> assertThat(connection.send("late")).isEqualTo(SendResult.QUEUED));
            connection.send("ok");
            connection.upgrade(BINARY, ECHO);
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("hello\n");
        client.expect("ok\n\0\4late");
        stage.settle();
        assertThat(open.get().queue().bytes()).isZero();
        assertThat(open.get().queue().messages()).isZero();
    }

    @EveryNetwork
    void acceptedMessageThatTheNewFrameCannotHoldResetsTheConnection(Stage stage) throws IOException {
        AtomicInteger closed = new AtomicInteger();
        Server server = stage.open(stage.server((connection, line) -> {
            LoopParts.onOtherThread(() -> connection.send(new byte[300]));
            connection.upgrade(Framing.lengthPrefixed(1), new Handler() {
                @Override
                public void onMessage(Connection connection, ByteBuffer message) {}

                @Override
                public void onClose(Connection connection, CloseReason reason) {
                    assertThat(reason).isEqualTo(CloseReason.PROTOCOL_ERROR);
                    assertThat(connection.failure()).hasMessageContaining("a message of 300 bytes does not fit into its frame");
                    closed.incrementAndGet();
                }
            });
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("hello\n");
        assertThat(client.endsInOrder()).isFalse();
        stage.until("closed", () -> closed.get() == 1);
    }

    @EveryNetwork
    void newHandlerGetsTheFurtherCallbacks(Stage stage) throws IOException {
        StringBuilder second = new StringBuilder();
        Server server = stage.open(stage.server(handshake(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                second.append("open ");
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                second.append("message ");
                connection.upgrade(Framing.perConnection(() -> (in, from, to, frame) -> frame.message(from, from + 1, from + 1)),
                        this);
            }

            @Override
            public void onEndOfInput(Connection connection) {
                second.append("end ");
                connection.finish();
            }

            @Override
            public void onClose(Connection connection, CloseReason reason) {
                second.append(reason);
            }
        })).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("hello\n\0\1xab");
        client.finish();
        assertThat(client.restText()).isEqualTo("ok\n");
        stage.until("closed", () -> second.toString().endsWith("FINISHED"));
        assertThat(second.toString()).isEqualTo("message message message end PEER_FINISHED");
    }

    @EveryNetwork
    void upgradeIsRefusedOnAnotherThreadAndWithSettingsThatDoNotFit(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            assertThatThrownBy(() -> connection.upgrade(Framing.raw(), ECHO)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("DROP_OLDEST");
            LoopParts.onOtherThread(() -> assertThatThrownBy(() -> connection.upgrade(BINARY, ECHO))
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("thread"));
            connection.send(message);
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST));
        Client client = stage.client(server);
        client.send("still lines\n");
        client.expect("still lines\n");
    }

    @EveryNetwork
    void messageWithAListenerThatArrivesLaterHasTheNewFrame(Stage stage) throws IOException {
        AtomicReference<Connection> open = new AtomicReference<>();
        Transferred transferred = new Transferred();
        Server server = stage.open(stage.server((connection, line) -> {
            open.set(connection);
            LoopParts.onOtherThread(() -> {
                ByteBuffer late = ByteBuffer.wrap(Client.bytes("late"));
                assertThat(connection.send(late, transferred)).isEqualTo(SendResult.QUEUED);
                assertThat(late.hasRemaining()).isFalse();
                late.put(0, (byte) 'X'); // it was copied
            });
            connection.send("ok");
            connection.upgrade(BINARY, ECHO);
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("hello\n");
        client.expect("ok\n\0\4late");
        stage.until("reported", () -> transferred.count() == 1);
        assertThat(transferred.ends()).containsExactly("6 complete");
        stage.settle();
        assertThat(open.get().queue().bytes()).isZero();
        assertThat(open.get().queue().messages()).isZero();
    }

    @EveryNetwork
    void messageWithAListenerThatTheNewFrameCannotHoldResetsTheConnection(Stage stage) throws IOException {
        Transferred transferred = new Transferred();
        Server server = stage.open(stage.server((connection, line) -> {
            LoopParts.onOtherThread(() -> connection.send(ByteBuffer.allocate(300), transferred));
            connection.upgrade(Framing.lengthPrefixed(1), ECHO);
        }).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("hello\n");
        assertThat(client.endsInOrder()).as("a reset").isFalse();
        stage.until("reported", () -> transferred.count() == 1);
        assertThat(transferred.ends()).containsExactly("0 cut");
        assertThat(transferred.failure()).hasMessageContaining("protocol");
    }
}
