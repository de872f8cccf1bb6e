package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Framings that an application writes: what they can do, and that their mistakes cost one connection. */
final class CustomFramingTest {
    private static final Handler ECHO = Connection::send;

    /** A head of the length in decimal digits and a colon, and a comma behind the message. */
    private static final FrameEncoder NETSTRING_ENCODER = new FrameEncoder() {
        @Override
        public int headLength(int messageBytes) {
            return Integer.toString(messageBytes).length() + 1;
        }

        @Override
        public void putHead(ByteBuffer out, int messageBytes) {
            out.put((messageBytes + ":").getBytes(StandardCharsets.US_ASCII));
        }

        @Override
        public byte[] tail() {
            return new byte[]{','};
        }
    };

    /** Netstrings, with a line feed as a keep-alive. */
    private static final Framing NETSTRINGS = Framing.of(CustomFramingTest::decodeNetstring).withEncoder(NETSTRING_ENCODER);

    private static void decodeNetstring(ByteBuffer in, int from, int to, Frame frame) throws ProtocolException {
        if (in.get(from) == '\n') {
            frame.skip(from + 1);
            return;
        }
        int length = 0;
        for (int at = from; at < to; at++) {
            byte b = in.get(at);
            if (b == ':' && at > from) {
                int end = at + 1 + length;
                frame.payloadAtLeast(length);
                if (end < to) {
                    if (in.get(end) != ',') {
                        throw new ProtocolException("a netstring must end with a comma");
                    }
                    frame.message(at + 1, end, end + 1);
                }
                return;
            }
            if (b < '0' || b > '9' || at - from == 9) {
                throw new ProtocolException("a netstring must start with its length");
            }
            length = 10 * length + b - '0';
        }
    }

    /** A decoder with state: each message is longer by one byte than the one before. */
    private static final class Growing implements FrameDecoder {
        private int length = 1;

        @Override
        public void decode(ByteBuffer in, int from, int to, Frame frame) {
            if (to - from >= length) {
                frame.message(from, from + length, from + length);
                length++;
            }
        }
    }

    private static String netstring(String message) {
        return message.length() + ":" + message + ",";
    }

    @EveryNetwork
    void messagesAreFoundWhereverTheStreamIsCut(Stage stage) throws Exception {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(NETSTRINGS));
        Seeded.run(3, random -> {
            Client client = stage.client(server);
            StringBuilder sent = new StringBuilder();
            StringBuilder expected = new StringBuilder();
            for (int i = 0; i < 200; i++) {
                String message = "x".repeat(random.nextInt(random.nextInt(20) == 0 ? 3000 : 12));
                expected.append(netstring(message));
                sent.append("\n".repeat(random.nextInt(3))).append(netstring(message));
            }
            sendInPieces(stage, client, sent.toString(), random);
            client.expect(expected.toString());
            client.finish();
            assertThat(client.restText()).isEmpty();
        });
    }

    private static void sendInPieces(Stage stage, Client client, String text, Random random) throws IOException {
        byte[] bytes = Client.bytes(text);
        for (int at = 0; at < bytes.length;) {
            int count = Math.min(bytes.length - at, 1 + random.nextInt(random.nextBoolean() ? 5 : 500));
            byte[] piece = new byte[count];
            System.arraycopy(bytes, at, piece, 0, count);
            client.send(piece);
            at += count;
            if (random.nextInt(8) == 0) {
                stage.settle();
            }
        }
    }

    @EveryNetwork
    void decoderPerConnectionKeepsItsState(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            if (message.remaining() == 2) {
                connection.pauseReading(); // then the same bytes are held, and decoded later
                connection.execute(connection::resumeReading);
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.perConnection(Growing::new)));
        Client one = stage.client(server);
        one.send("abbccc");
        stage.until("three messages", () -> story.count("message") == 3);
        Client two = stage.client(server);
        two.send("xyy");
        one.send("dd");
        one.send("dd");
        stage.until("six messages", () -> story.count("message") == 6);
        assertThat(story.callbacks(story.connection(0))).containsExactly("open", "message a", "message bb", "message ccc",
                "message dddd");
        assertThat(story.callbacks(story.connection(1))).containsExactly("open", "message x", "message yy");
    }

    @EveryNetwork
    void decoderThatThrowsCostsItsConnectionAloneAndRepliesAreSent(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(story).framing(NETSTRINGS));
            Client good = stage.client(server);
            Client bad = stage.client(server);
            good.send(netstring("before"));
            good.expect(netstring("before"));
            bad.send("3:one,3:two,wrong,5:never,");
            bad.expect(netstring("one") + netstring("two"));
            bad.expectEnd();
            stage.until("closed", () -> story.count("close") == 1);
            good.send(netstring("after"));
            good.expect(netstring("after"));
            Connection closed = story.connection(1);
            assertThat(story.callbacks(closed)).containsExactly("open", "message one", "message two", "close PROTOCOL_ERROR");
            assertThat(closed.failure()).isInstanceOf(ProtocolException.class)
                    .hasMessage("a netstring must start with its length");
            assertThat(log.lines("the protocol was broken")).hasSize(1).first().asString()
                    .contains("a netstring must start with its length").startsWith("FINE");
        }
    }

    /** What a decoder may do wrong, by the first byte. */
    private static void decodeWrongly(ByteBuffer in, int from, int to, Frame frame) throws Exception {
        switch ((char) in.get(from)) {
            case 'o' -> frame.message(from, from + 1, from + 1); // a correct message of one byte
            case 'l' -> frame.message(from + 1, from, from + 1); // an end before the beginning
            case 'b' -> frame.message(from - 1, from, from + 1); // the byte before
            case 'k' -> frame.message(from, to + 1, to + 1); // bytes that have not arrived
            case 'e' -> frame.message(from, from + 1, from); // no progress
            case 's' -> frame.skip(from);
            case 'S' -> frame.skip(to + 1);
            case 't' -> {
                frame.message(from, from + 1, from + 1);
                frame.skip(from + 1);
            }
            case 'c' -> frame.scannedTo(to + 1);
            case 'n' -> throw new NullPointerException();
            case 'r' -> in.get(to); // what the kernel may be writing at this moment
            case 'w' -> in.put(from, (byte) 'x');
            case 'i' -> throw new IOException("checked");
            case 'm' -> {
                in.order(ByteOrder.LITTLE_ENDIAN).limit(to - 1).position(to - 1); // reaches no other connection
                frame.message(from, from + 1, from + 1);
            }
            default -> throw new IllegalArgumentException();
        }
    }

    @EveryNetwork
    void nonsenseOfADecoderIsAProtocolError(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.of(CustomFramingTest::decodeWrongly)));
        Client bystander = stage.client(server);
        List<String> messages = new ArrayList<>();
        String wrong = "lbkesStcnrwi";
        for (int i = 0; i < wrong.length(); i++) {
            Client client = stage.client(server);
            client.send("om" + wrong.charAt(i));
            client.expect("om");
            client.expectEnd();
            int closed = i + 1;
            stage.until("closed", () -> story.count("close") == closed);
            Connection last = story.connection(i + 1);
            assertThat(story.callbacks(last)).endsWith("message m", "close PROTOCOL_ERROR");
            messages.add(last.failure().getMessage());
            bystander.send("o");
            bystander.expect("o");
        }
        assertThat(messages.getFirst()).contains("the decoder reported a message from");
        assertThat(messages).element(8).asString().contains("NullPointerException");
        assertThat(messages.getLast()).isEqualTo("checked");
    }

    @EveryNetwork
    void lengthThatIsClaimedTooLongEndsTheConnectionBeforeMemoryIsSpent(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(NETSTRINGS));
        Client client = stage.client(server);
        client.send("2:ok,999999999:x");
        client.expect("2:ok,");
        client.expectEnd();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TOO_LONG);
        assertThat(server.stats().queueBytes()).isZero();
    }

    @EveryNetwork
    void decoderThatNeverFindsAnEndHoldsNoMoreThanALongestMessage(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.of((in, from, to, frame) -> {}))
                .limits(Limits.defaults().withMessageBytesMax(1000)));
        Client client = stage.client(server);
        client.send("x".repeat(1000 + FrameFinder.FRAME_OVERHEAD_MAX));
        stage.until("received", () -> server.stats().total().bytesIn() == 1000 + FrameFinder.FRAME_OVERHEAD_MAX);
        stage.settle();
        assertThat(story.count("close")).isZero();
        client.send("x");
        client.expectEnd();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TOO_LONG);
    }

    @EveryNetwork
    void messageTimeoutHoldsForACustomDecoder(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.steppedServer(story).framing(NETSTRINGS));
        Client client = stage.client(server);
        client.send("5:hel");
        stage.until("received", () -> server.stats().total().bytesIn() == 5);
        stage.settle();
        stage.pass(Duration.ofSeconds(11));
        client.expectEnd();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TIMEOUT);
    }

    @EveryNetwork
    void searchContinuesWhereItStopped(Stage stage) throws IOException {
        List<Integer> searched = new ArrayList<>();
        Framing framing = Framing.of((in, from, to, frame) -> {
            searched.add(frame.searchFrom() - from);
            for (int at = frame.searchFrom(); at < to; at++) {
                if (in.get(at) == ';') {
                    frame.message(from, at, at + 1);
                    return;
                }
            }
            frame.scannedTo(to);
        });
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(framing));
        Client client = stage.client(server);
        client.send("abc");
        stage.until("received", () -> server.stats().total().bytesIn() == 3);
        stage.settle();
        client.send("d;e;");
        stage.until("two messages", () -> story.count("message") == 2);
        assertThat(story.callbacks()).contains("message abcd", "message e");
        // However the network has cut the bytes, none was searched twice before the end of a message.
        assertThat(searched).startsWith(0).contains(3);
        assertThat(searched.getLast()).as("at most the e").isBetween(0, 1);
    }

    // ---- the remainder

    @EveryNetwork
    void remainderIsDroppedOrDeliveredOrAnError(Stage stage) throws IOException {
        Story dropped = stage.story(ECHO);
        Story delivered = stage.story(ECHO);
        Story error = stage.story(ECHO);
        Server server = stage.open(stage.server(dropped).framing(Framing.lines())
                .listen(Stage.FREE_PORT,
                        stage.listening(Protocol.of(Framing.lines().withRemainder(Remainder.DELIVER), delivered)))
                .listen(Stage.FREE_PORT, stage.listening(Protocol.of(Framing.lines().withRemainder(Remainder.ERROR), error))));
        List<String> replies = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Client client = stage.client(server.addresses().get(i));
            client.send("whole\nunfinished");
            client.finish();
            replies.add(client.restText());
        }
        assertThat(replies).containsExactly("whole\n", "whole\nunfinished\n", "whole\n");
        stage.until("closed", () -> dropped.count("close") + delivered.count("close") + error.count("close") == 3);
        assertThat(dropped.callbacks()).containsExactly("open", "message whole", "end", "close PEER_FINISHED");
        assertThat(delivered.callbacks()).containsExactly("open", "message whole", "message unfinished", "end",
                "close PEER_FINISHED");
        assertThat(error.callbacks()).containsExactly("open", "message whole", "close PROTOCOL_ERROR");
        assertThat(error.connection(0).failure()).hasMessage("the input ended after 10 bytes of an unfinished message");
    }

    @EveryNetwork
    void endOfInputWaitsIfTheRemainderPausesReading(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.pauseReading());
        Server server = stage.open(stage.server(story).framing(Framing.lines().withRemainder(Remainder.DELIVER)));
        Client client = stage.client(server);
        client.send("rest");
        client.finish();
        stage.until("delivered", () -> story.count("message") == 1);
        stage.settle();
        assertThat(story.callbacks()).containsExactly("open", "message rest");
        story.connection(0).resumeReading();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message rest", "end", "close PEER_FINISHED");
    }

    // ---- encoders

    @EveryNetwork
    void broadcastIsFramedForEachFraming(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {});
        Server server = stage.open(stage.server(story).framing(Framing.lines())
                .listen(Stage.FREE_PORT, stage.listening(Protocol.of(NETSTRINGS, story)))
                .listen(Stage.FREE_PORT, stage.listening(Protocol.of(Framing.raw(), story)))
                .listen(Stage.FREE_PORT, stage.listening(Protocol.of(Framing.lengthPrefixed(1), story))));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            clients.add(stage.client(server.addresses().get(i % 4)));
        }
        stage.until("open", () -> story.size() == 8);
        String message = "m".repeat(200);
        server.broadcast(ByteBuffer.wrap(Client.bytes(message)));
        for (int i = 0; i < 8; i++) {
            clients.get(i).expect(switch (i % 4) {
                case 0 -> message + "\n";
                case 1 -> netstring(message);
                case 2 -> message;
                default -> (char) 200 + message;
            });
        }
        ByteBuffer tooLong = ByteBuffer.allocate(256);
        assertThatThrownBy(() -> server.broadcast(tooLong)).isInstanceOf(IllegalArgumentException.class);
        assertThat(tooLong.position()).isZero();
        assertThat(server.stats().queueBytes()).isZero();
    }

    @EveryNetwork
    void broadcastThatAFrameCannotHoldEndsThatConnectionAlone(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {});
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        Story outgoing = stage.story((connection, message) -> {});
        server.connect(server.address(), stage.outgoing(Protocol.of(Framing.lengthPrefixed(1), outgoing)), null);
        stage.until("open", () -> story.size() == 2 && outgoing.size() == 1);
        server.broadcast(ByteBuffer.allocate(256));
        stage.until("closed", () -> outgoing.count("close") == 1);
        assertThat(outgoing.reasons()).containsExactly(CloseReason.PROTOCOL_ERROR);
        client.expect("\0".repeat(256) + "\n");
    }

    @EveryNetwork
    void encoderThatFailsRefusesTheMessage(Stage stage) throws IOException, InterruptedException {
        FrameEncoder failing = new FrameEncoder() {
            @Override
            public int headLength(int messageBytes) {
                return 2;
            }

            @Override
            public void putHead(ByteBuffer out, int messageBytes) {
                out.put((byte) '#');
                if (messageBytes == 3) {
                    throw new IllegalStateException("three");
                }
                out.put((byte) '#');
            }
        };
        Story story = stage.story((connection, message) -> {
            connection.send("a");
            assertThatThrownBy(() -> connection.send("abc")).hasMessage("three");
            assertThatThrownBy(() -> connection.sendFirst("abc")).hasMessage("three");
            connection.send("b");
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines().withEncoder(failing)));
        Client client = stage.client(server);
        client.send("go\n");
        client.expect("##a##b");
        Connection connection = story.connection(0);
        assertThat(connection.queue().bytes()).isZero();
        Thread other = Thread.ofPlatform().start(() -> connection.send("abc")); // fails when it is on the loop
        other.join();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.PROTOCOL_ERROR);
        assertThat(connection.failure()).hasMessageContaining("three");
        assertThat(client.endsInOrder()).as("what was accepted is lost, and the peer can tell").isFalse();
    }
}
