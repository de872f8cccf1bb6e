package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The tester of framings: it decodes as a server does, and finds mistakes of decoders. */
final class FramingTesterTest {
    /** The decoder of docs/protocols.md. */
    private static final FrameDecoder NETSTRINGS = (in, from, to, frame) -> {
        int length = 0;
        for (int at = from; at < to; at++) {
            byte b = in.get(at);
            if (b == ':' && at > from) {
                frame.payloadAtLeast(length);
                int end = at + 1 + length;
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
    };

    private static final FramingTester TESTER = FramingTester.of(Framing.of(NETSTRINGS));

    private static byte[] bytes(String text) {
        return Client.bytes(text);
    }

    private static FramingTester tester(FrameDecoder decoder, int messageBytesMax) {
        return FramingTester.of(Framing.of(decoder)).withLimits(Limits.defaults().withMessageBytesMax(messageBytesMax));
    }

    // ---- what it returns

    @Test
    void messagesAreFoundWhereverTheStreamIsCut() throws Exception {
        assertThat(TESTER.decodeCutAnywhere(bytes("5:hello,0:,11:hello world,")).texts())
                .containsExactly("hello", "", "hello world");
        assertThat(TESTER.decode(bytes("5:hello,0:,")).texts()).containsExactly("hello", "");
        assertThat(TESTER.decode(bytes("5:hello,0:,"), 0, 1, 1, 7, 11).texts()).containsExactly("hello", "");
        assertThat(TESTER.decodeByteByByte(bytes("5:hello,0:,")).texts()).containsExactly("hello", "");
        assertThat(TESTER.decodeByteByByte(bytes("5:hello,0:,"))).isEqualTo(TESTER.decode(bytes("5:hello,0:,")));
    }

    @Test
    void unfinishedMessageIsTheRemainder() throws Exception {
        String stream = "2:ab,7:unfinis";
        for (int length = 0; length < stream.length(); length++) {
            FramingTester.Decoded decoded = TESTER.decodeCutAnywhere(bytes(stream.substring(0, length)));
            assertThat(decoded.texts()).hasSize(length < 5 ? 0 : 1);
            assertThat(Messages.text(decoded.remainder())).isEqualTo(stream.substring(length < 5 ? 0 : 5, length));
        }
    }

    @Test
    void failureIsThatOfTheConnection() {
        assertThatExceptionOfType(FramingTester.Failure.class)
                .isThrownBy(() -> TESTER.decodeCutAnywhere(bytes("3:one,3:two;3:six,")))
                .withMessage("a netstring must end with a comma")
                .withCauseExactlyInstanceOf(ProtocolException.class)
                .satisfies(failure -> {
                    assertThat(failure.reason()).isEqualTo(CloseReason.PROTOCOL_ERROR);
                    assertThat(failure.messages()).extracting(Messages::text).containsExactly("one");
                });
    }

    @Test
    void tooLongMessageIsRefusedBeforeItArrives() {
        FramingTester small = tester(NETSTRINGS, 10);
        assertThatExceptionOfType(FramingTester.Failure.class)
                .isThrownBy(() -> small.decodeCutAnywhere(bytes("2:ok,11:")))
                .withMessage("a message of at least 11 bytes is longer than messageBytesMax, 10")
                .satisfies(failure -> {
                    assertThat(failure.reason()).isEqualTo(CloseReason.MESSAGE_TOO_LONG);
                    assertThat(failure.messages()).hasSize(1);
                });
        assertThatThrownBy(() -> small.decode(bytes("11:hello world,")))
                .hasMessage("a message of 11 bytes is longer than messageBytesMax, 10");
    }

    @Test
    void decoderThatNeverFindsAnEndFailsWhereAServerEndsIt() throws Exception {
        FramingTester endless = tester((in, from, to, frame) -> {}, 100);
        byte[] most = new byte[100 + FrameFinder.FRAME_OVERHEAD_MAX];
        assertThat(endless.decode(most).remainder().remaining()).isEqualTo(most.length);
        assertThatThrownBy(() -> endless.decode(Arrays.copyOf(most, most.length + 1), 3, most.length))
                .hasMessage("a message of at least 101 bytes is longer than messageBytesMax, 100");
    }

    @Test
    void rawInputIsCutAtTheLimitAndWhereItArrives() throws Exception {
        FramingTester raw = FramingTester.of(Framing.raw()).withLimits(Limits.defaults().withMessageBytesMax(4));
        assertThat(raw.decode(bytes("123456789")).texts()).containsExactly("1234", "5678", "9");
        assertThat(raw.decode(bytes("123456789"), 6).texts()).containsExactly("1234", "56", "789");
        assertThatThrownBy(() -> raw.decodeCutAnywhere(bytes("12"))).isInstanceOf(AssertionError.class)
                .hasMessage("the result depends on how the bytes arrive; at once: messages [12] and 0 bytes; "
                        + "cut after 1 of 2 bytes: messages [1, 2] and 0 bytes");
    }

    @Test
    void eachCallHasADecoderOfItsOwn() throws Exception {
        FramingTester growing = FramingTester.of(Framing.perConnection(Growing::new));
        for (int i = 0; i < 2; i++) {
            assertThat(growing.decodeCutAnywhere(bytes("abbcccd")).texts()).containsExactly("a", "bb", "ccc");
        }
    }

    @Test
    void whatWasSearchedIsNotSearchedAgain() throws Exception {
        List<Integer> searched = new ArrayList<>();
        FramingTester tester = FramingTester.of(Framing.of((in, from, to, frame) -> {
            searched.add(frame.searchFrom() - from);
            for (int at = frame.searchFrom(); at < to; at++) {
                if (in.get(at) == ';') {
                    frame.message(from, at, at + 1);
                    return;
                }
            }
            frame.scannedTo(to);
        }));
        assertThat(tester.decode(bytes("abc;def;gh"), 2, 5, 6).texts()).containsExactly("abc", "def");
        assertThat(searched).containsExactly(0, 2, 0, 1, 2, 0);
    }

    @Test
    void cutsMustBeInOrderAndWithinTheStream() {
        byte[] stream = bytes("0:,");
        assertThatThrownBy(() -> TESTER.decode(stream, 2, 1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the cuts [2, 1] are not in order, or not within 3 bytes");
        assertThatThrownBy(() -> TESTER.decode(stream, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> TESTER.decode(stream, 4)).isInstanceOf(IllegalArgumentException.class);
    }

    // ---- mistakes of decoders

    private static void assertFinds(FrameDecoder decoder, String stream) {
        assertThatThrownBy(() -> FramingTester.of(Framing.perConnection(() -> decoder)).decodeCutAnywhere(bytes(stream)))
                .isInstanceOf(AssertionError.class).hasMessageStartingWith("the result depends on how the bytes arrive");
    }

    @Test
    void findsDecoderThatExpectsAWholeHeader() {
        assertFinds((in, from, to, frame) -> {
            int end = from + 2 + in.getShort(from); // the second byte may not have arrived
            if (end <= to) {
                frame.message(from + 2, end, end);
            }
        }, "\0\1x\0\2xx");
    }

    @Test
    void findsDecoderThatTakesWhatHasArrivedForTheMessage() {
        assertFinds((in, from, to, frame) -> {
            int end = from + 1 + in.get(from);
            frame.message(from + 1, Math.min(end, to), Math.min(end, to));
        }, "\3abc\1a");
    }

    @Test
    void findsDecoderThatReportsBytesAsSearchedThatItMustSeeAgain() {
        assertFinds((in, from, to, frame) -> {
            for (int at = frame.searchFrom(); at < to - 1; at++) {
                if (in.get(at) == '\r' && in.get(at + 1) == '\n') {
                    frame.message(from, at, at + 2);
                    return;
                }
            }
            frame.scannedTo(to); // to - 1 would be right: the delimiter may be split
        }, "a\r\nb\r\n");
    }

    /** Remembers an index of the buffer, and the next bytes lie elsewhere. */
    private static final class RemembersIndex implements FrameDecoder {
        private int searched = -1;

        @Override
        public void decode(ByteBuffer in, int from, int to, Frame frame) {
            for (int at = searched < 0 ? from : searched; at < to; at++) {
                if (in.get(at) == '\n') {
                    searched = -1;
                    frame.message(from, at, at + 1);
                    return;
                }
            }
            searched = to;
        }
    }

    @Test
    void findsDecoderThatRemembersAnIndex() {
        assertFinds(new RemembersIndex(), "abc\nde\n");
    }

    // ---- compared with a server

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

    /** What a handler has been called with. */
    private static final class Recording implements Handler {
        private final List<String> messages = new ArrayList<>();
        private String end = "";

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            messages.add(Messages.text(message));
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            end = reason + ": " + (connection.failure() == null ? "" : connection.failure().getMessage());
        }
    }

    private static Recording serve(Framing framing, Limits limits, byte[] stream, int... cuts) throws IOException {
        Recording handler = new Recording();
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        try (Server server = Server.builder().network(network)
                .listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 8080))
                .framing(framing).limits(limits).handler(handler).open()) {
            TcpStream client = network.connect(server.address());
            network.run(Duration.ofMillis(10));
            int from = 0;
            for (int piece = 0; piece <= cuts.length && handler.end.isEmpty(); piece++) {
                int to = piece < cuts.length ? cuts[piece] : stream.length;
                if (to > from) {
                    assertThat(client.write(ByteBuffer.wrap(stream, from, to - from))).isEqualTo(to - from);
                    network.run(Duration.ofMillis(10));
                    from = to;
                }
            }
            network.run(Duration.ofMillis(10));
            client.close();
        }
        return handler;
    }

    @Test
    void decodesLikeAServer() throws Exception {
        List<Framing> framings = List.of(Framing.of(NETSTRINGS), Framing.perConnection(Growing::new), Framing.lines(),
                Framing.raw(), Framing.lengthPrefixed(2), Framing.delimited((byte) ','), Framing.of((in, from, to, frame) -> {}),
                Framing.of((in, from, to, frame) -> frame.message(from, to + in.get(from) - '2', to)),
                Framing.of((in, from, to, frame) -> frame.skip(Math.min(to, from + 3))));
        Seeded.run(300, random -> {
            Framing framing = framings.get(random.nextInt(framings.size()));
            Limits limits = Limits.defaults().withMessageBytesMax(random.nextBoolean() ? 1 + random.nextInt(12) : 200);
            byte[] stream = stream(random);
            int[] cuts = random.ints(random.nextInt(6), 0, stream.length + 1).sorted().toArray();
            Recording served = serve(framing, limits, stream, cuts);
            List<String> messages;
            String end = CloseReason.SERVER_CLOSED + ": ";
            try {
                messages = FramingTester.of(framing).withLimits(limits).decode(stream, cuts).texts();
            } catch (FramingTester.Failure failure) {
                messages = failure.messages().stream().map(Messages::text).toList();
                end = failure.reason() + ": " + failure.getMessage();
            }
            assertThat(messages).as("messages of %s", framing).isEqualTo(served.messages);
            String indices = "(the decoder reported a message).*"; // they depend on the memory
            assertThat(end.replaceAll(indices, "$1")).as("end of %s", framing).isEqualTo(served.end.replaceAll(indices, "$1"));
        });
    }

    private static byte[] stream(Random random) {
        StringBuilder stream = new StringBuilder();
        for (int i = random.nextInt(8); i >= 0; i--) {
            String text = "x".repeat(random.nextInt(random.nextInt(8) == 0 ? 300 : 12));
            stream.append(switch (random.nextInt(8)) {
                case 0 -> text + "\r\n";
                case 1 -> "\0" + (char) (text.length() & 127) + text;
                default -> text.length() + ":" + text + (random.nextInt(20) == 0 ? ";" : ",");
            });
        }
        return bytes(stream.toString());
    }
}
