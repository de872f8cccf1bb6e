package io.trivet.scenarios;

import io.trivet.observe.ConnectionSnapshot;
import io.trivet.server.Connection;
import io.trivet.server.FrameEncoder;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Frames at their limits. Sent: texts of any characters, messages that just fit into their frame or do not, and an encoder that
 * fails. Received: messages of exactly the longest length, cut anywhere, also within a delimiter; another framing while a message
 * is incomplete; connections with other limits in turn.
 */
final class FrameTrial implements Trial {
    private static final int MESSAGES_MAX = 12;
    private static final int BUFFER_BYTES = 4 << 20;

    /** Puts a byte before each message. Fails for messages of some lengths: see {@link #fails}. */
    private record FailingEncoder() implements FrameEncoder {
        static boolean fails(int length) {
            return length % 5 == 3;
        }

        @Override
        public int headLength(int messageBytes) {
            return 1;
        }

        @Override
        public void putHead(ByteBuffer out, int messageBytes) {
            if (fails(messageBytes) && messageBytes % 2 == 0) {
                throw new IllegalStateException("drawn");
            }
            if (!fails(messageBytes)) {
                out.put((byte) '>');
            }
        }

        @Override
        public byte[] tail() {
            return new byte[]{';'};
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        if (run.random.chance(50)) {
            new Sending(run).perform();
        } else {
            new Receiving(run).perform();
        }
    }

    /** Framings by which messages are sent. */
    private enum Sent {
        LINES, LINES_CRLF, PREFIXED_1, PREFIXED_2, PREFIXED_4, FAILING;

        Framing toFraming() {
            return switch (this) {
                case LINES -> ClientFraming.LINES.toFraming();
                case LINES_CRLF -> ClientFraming.LINES_CRLF.toFraming();
                case PREFIXED_1 -> ClientFraming.PREFIXED_1.toFraming();
                case PREFIXED_2 -> ClientFraming.PREFIXED_2.toFraming();
                case PREFIXED_4 -> ClientFraming.PREFIXED_4.toFraming();
                case FAILING -> Framing.lines().withEncoder(new FailingEncoder());
            };
        }

        int lengthMax() {
            return this == PREFIXED_1 ? 0xff : this == PREFIXED_2 ? 0xffff : Integer.MAX_VALUE;
        }

        byte[] frame(byte[] content) {
            return switch (this) {
                case LINES -> ClientFraming.LINES.frame(content, false);
                case LINES_CRLF -> ClientFraming.LINES_CRLF.frame(content, false);
                case PREFIXED_1 -> ClientFraming.PREFIXED_1.frame(content, false);
                case PREFIXED_2 -> ClientFraming.PREFIXED_2.frame(content, false);
                case PREFIXED_4 -> ClientFraming.PREFIXED_4.frame(content, false);
                case FAILING -> ByteBuffer.allocate(content.length + 2).put((byte) '>').put(content).put((byte) ';').array();
            };
        }
    }

    /** Messages that are sent in callbacks and tasks. */
    private static final class Sending {
        private static final int BYTES_MAX = 1 << 20;

        final TrialRun run;
        final TrialNetwork network;
        final Sent sent;
        final TrialHandler handler;
        final Server server;
        final TrialClient client;
        final Connection connection;
        final ByteArrayOutputStream expected = new ByteArrayOutputStream();

        Sending(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            run.sim.buffers(BUFFER_BYTES, BUFFER_BYTES);
            sent = run.random.pick(Sent.values());
            handler = new TrialHandler() {
                @Override
                public void onMessage(Connection of, ByteBuffer message) {
                    sendSome();
                }
            };
            Limits limits = LIMITS.withQueueBytesMax(16 << 20).withQueueMarks(16 << 20, 0);
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).framing(sent.toFraming()).open();
            client = TrialClient.connect(run, run.address);
            network.settle();
            connection = handler.all.getFirst().connection;
        }

        void perform() throws IOException {
            int steps = run.random.between(1, 6);
            for (int i = 0; i < steps && !run.hasFailed() && expected.size() < BYTES_MAX; i++) {
                if (run.random.chance(50)) {
                    connection.execute(this::sendSome);
                } else {
                    byte[] message = MessageContent.ascii("m");
                    client.write(sent == Sent.FAILING ? ClientFraming.LINES.frame(message, false) : sent.frame(message));
                }
                network.settle();
                run.same(Rule.GAUGES, "bytes in the queue", connection.queue().bytes(), 0);
                client.readAll();
            }
            connection.finish();
            network.settle();
            client.readAll();
            byte[] right = expected.toByteArray();
            int length = Math.min(right.length, client.count());
            int mismatch = Arrays.mismatch(client.received(), 0, length, right, 0, length);
            run.expect(Rule.BYTES, mismatch < 0, "with " + sent + " the client has received other bytes from offset " + mismatch
                    + " on");
            run.same(Rule.DELIVERY, "bytes received", client.count(), right.length);
            run.same(Rule.ENDS, "the client has read", client.end(), "ended");
            client.close();
            network.settle();
            run.close(network, server);
        }

        private void sendSome() {
            int count = run.random.between(1, MESSAGES_MAX);
            for (int i = 0; i < count; i++) {
                if (run.random.chance(40)) {
                    String text = text();
                    byte[] content = text.getBytes(StandardCharsets.UTF_8);
                    send("a text of " + text.length() + " characters", content, () -> connection.send(text));
                } else {
                    byte[] content = new byte[length()];
                    Arrays.fill(content, (byte) ('a' + i));
                    boolean offer = run.random.chance(50);
                    send(offer ? "offer" : "send", content,
                            () -> offer ? connection.offer(content) : connection.send(ByteBuffer.wrap(content)));
                }
            }
        }

        private interface Call {
            SendResult make();
        }

        private void send(String what, byte[] content, Call call) {
            boolean tooLong = content.length > sent.lengthMax();
            boolean fails = sent == Sent.FAILING && FailingEncoder.fails(content.length);
            String expectation = tooLong ? "IllegalArgumentException" : fails ? "IllegalStateException" : "QUEUED";
            String result;
            try {
                result = call.make().name();
            } catch (IllegalArgumentException | IllegalStateException e) {
                result = e.getClass().getSimpleName();
            }
            run.same(Rule.CALLBACKS, what + ", " + content.length + " bytes with " + sent, result, expectation);
            if (!tooLong && !fails) {
                expected.writeBytes(sent.frame(content));
            }
        }

        private int length() {
            return run.random.chance(40) ? run.random.number(0, 1, 254, 255, 256, 257, 65_534, 65_535, 65_536)
                    : (int) run.random.logUniform(1, 20_000);
        }

        /** Returns a text of characters that have one to four bytes, among them the first and last ones of each length. */
        private String text() {
            int length = (int) run.random.logUniform(1, run.random.chance(10) ? 9_000 : 300);
            boolean ascii = run.random.chance(40);
            int other = run.random.number(0x80, 0x80, 0xff, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff, 0xd800);
            StringBuilder text = new StringBuilder();
            while (text.length() < length) {
                text.appendCodePoint(ascii || run.random.chance(80) ? run.random.number('a', 'z', 0, 0x7f) : other);
            }
            return text.toString();
        }
    }

    /** Messages that are received, cut anywhere. */
    private static final class Receiving {
        private final TrialRun run;
        private final TrialNetwork network;
        private final TrialHandler handler = new TrialHandler();
        private final ClientFraming framing;
        private final Server server;
        private final Limits limits;
        /** The server is called from another thread than a loop's. */
        private final boolean isForeign;
        private final List<Peer> peers = new ArrayList<>();

        /** A client, and what must have been delivered. */
        private static final class Peer {
            final TrialClient client;
            final TrialHandler.Seen seen;
            int lengthMax;
            boolean upgraded;
            final List<String> messages = new ArrayList<>();

            Peer(TrialClient client, TrialHandler.Seen seen, int lengthMax) {
                this.client = client;
                this.seen = seen;
                this.lengthMax = lengthMax;
            }
        }

        Receiving(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            run.sim.buffers(1 << 20, 1 << 20);
            framing = run.random.pick(ClientFraming.LINES, ClientFraming.LINES, ClientFraming.LINES_CRLF, ClientFraming.DELIMITED,
                    ClientFraming.PREFIXED_1, ClientFraming.PREFIXED_2, ClientFraming.PREFIXED_4, ClientFraming.NETSTRINGS);
            limits = LIMITS.withMessageBytesMax(lengthMax()).withMessageTimeout(Duration.ZERO);
            isForeign = run.random.chance(50); // one thread turns two loops
            server = run.builder(network, handler, limits).framing(framing.toFraming()).loops(isForeign ? 2 : 1).open();
            run.log(framing + (isForeign ? ", two loops" : "") + ", messages of up to " + limits.messageBytesMax() + " bytes");
            int count = run.random.between(1, 3);
            for (int i = 0; i < count; i++) {
                TrialClient client = TrialClient.connect(run, run.address);
                network.settle();
                peers.add(new Peer(client, handler.all.getLast(), limits.messageBytesMax()));
            }
        }

        private int lengthMax() {
            return framing == ClientFraming.PREFIXED_1 ? run.random.between(10, 254)
                    : run.random.chance(20) ? run.random.number(32_767, 32_768, 40_000, 65_534)
                    : (int) run.random.logUniform(10, 3_000);
        }

        void perform() throws IOException {
            int steps = run.random.between(2, 15);
            for (int i = 0; i < steps && !run.hasFailed(); i++) {
                Peer peer = peers.get(run.random.below(peers.size()));
                if (peer.seen.isOpen()) {
                    step(peer);
                    check(peer);
                }
            }
            for (Peer peer : peers) {
                peer.client.close();
            }
            network.settle();
            run.close(network, server);
        }

        private void step(Peer peer) throws IOException {
            switch (run.random.below(8)) {
                case 0 -> {
                    peer.lengthMax = lengthMax();
                    run.log("client " + peer.seen.number + ": now messages of up to " + peer.lengthMax + " bytes");
                    peer.seen.connection.limits(limits.withMessageBytesMax(peer.lengthMax));
                    network.settle();
                }
                case 1 -> tooLong(peer);
                case 2 -> upgrade(peer);
                case 3, 4, 5 -> message(peer, peer.lengthMax);
                default -> message(peer, (int) run.random.logUniform(1, peer.lengthMax));
            }
        }

        private void check(Peer peer) {
            run.same(Rule.DELIVERY, "the lengths of the messages of client " + peer.seen.number,
                    peer.seen.messages.stream().map(String::length).toList(),
                    peer.messages.stream().map(String::length).toList());
            run.expect(Rule.BYTES, peer.seen.messages.equals(peer.messages), "client " + peer.seen.number
                    + " has sent other messages");
        }

        private static String text(int length) {
            return "abcdefghij".repeat(length / 10 + 1).substring(0, length);
        }

        private void message(Peer peer, int length) throws IOException {
            String text = text(length);
            byte[] framed = frame(peer, text);
            if (framed.length == 0) {
                return;
            }
            peer.messages.add(text);
            write(peer, framed);
        }

        /** Returns a message in its frame; empty if the frame cannot hold it. */
        private byte[] frame(Peer peer, String text) {
            byte[] content = MessageContent.ascii(text);
            if (peer.upgraded) {
                return MessageContent.ascii(text + ';');
            }
            boolean fits = switch (framing) {
                case PREFIXED_1 -> content.length <= 0xff;
                case PREFIXED_2 -> content.length <= 0xffff;
                default -> true;
            };
            return !fits ? new byte[0]
                    : framing == ClientFraming.LINES && run.random.chance(50) ? MessageContent.ascii(text + "\r\n")
                    : framing.frame(content, true);
        }

        /** Writes bytes in pieces: cut anywhere, or just before the last byte. */
        private void write(Peer peer, byte[] bytes) throws IOException {
            int way = run.random.below(3);
            int at = 0;
            while (at < bytes.length) {
                int left = bytes.length - at;
                int length = way == 0 ? left : way == 1 && left > 1 ? left - 1 : (int) run.random.logUniform(1, left);
                peer.client.write(Arrays.copyOfRange(bytes, at, at + length));
                at += length;
                network.settle();
            }
        }

        private void tooLong(Peer peer) throws IOException {
            byte[] framed = frame(peer, text(peer.lengthMax + run.random.number(1, 1, 1, 2_000)));
            if (framed.length == 0) {
                return;
            }
            String sent = "a message of " + framed.length + " bytes, framed, of client " + peer.seen.number
                    + ", whose messages may have " + peer.lengthMax;
            run.log(sent + ", is sent");
            write(peer, framed);
            run.same(Rule.CAPS, "the connection after " + sent, describe(peer), "ends with MESSAGE_TOO_LONG");
            peer.client.endOutput();
            network.settle();
            run.same(Rule.ENDS, "the connection with a message that is too long is", peer.seen.end(), "MESSAGE_TOO_LONG");
        }

        private String describe(Peer peer) {
            for (ConnectionSnapshot each : server.connections()) {
                if (each.id() == peer.seen.connection.id()) {
                    return each.closeReason() == null ? "stays" : "ends with " + each.closeReason();
                }
            }
            return "is closed";
        }

        /** Sends up to two messages, in the frame before the change of the framing or the one after it. */
        private void send(Peer peer, StringBuilder sent, boolean isBefore) {
            for (int i = run.random.between(0, 2); i > 0; i--) {
                String text = text(run.random.between(1, 30)).toUpperCase(Locale.ROOT);
                byte[] framed = isBefore ? framing.frame(MessageContent.ascii(text), true) : MessageContent.ascii(text + ';');
                Connection connection = peer.seen.connection;
                SendResult result = switch (run.random.below(4)) {
                    case 0 -> connection.send(text);
                    case 1 -> connection.send(MessageContent.ascii(text));
                    case 2 -> connection.offer(text);
                    default -> connection.send(ByteBuffer.wrap(MessageContent.ascii(text)), (of, bytes, failure) -> run.same(
                            Rule.CALLBACKS, "bytes of a message with a listener", bytes, (long) framed.length));
                };
                run.same(Rule.CALLBACKS, "the message", result, SendResult.QUEUED);
                sent.append(new String(framed, StandardCharsets.ISO_8859_1));
            }
        }

        /** Another framing, while the beginning of a message is held in which it finds messages. */
        private void upgrade(Peer peer) throws IOException {
            boolean isText = framing == ClientFraming.LINES || framing == ClientFraming.LINES_CRLF
                    || framing == ClientFraming.DELIMITED;
            if (peer.upgraded || !isText || peer.lengthMax < 20) {
                return;
            }
            int count = run.random.between(0, 3);
            StringBuilder held = new StringBuilder();
            for (int i = 0; i < count; i++) {
                String text = text(run.random.between(0, 4));
                held.append(text).append(';');
                peer.messages.add(text);
            }
            run.log("client " + peer.seen.number + " sends \"" + held + "uvw\", and the framing changes to one with semicolons");
            write(peer, MessageContent.ascii(held + "uvw"));
            Connection connection = peer.seen.connection;
            StringBuilder sent = new StringBuilder();
            send(peer, sent, true);
            connection.execute(() -> connection.upgrade(Framing.delimited((byte) ';'), handler));
            peer.upgraded = true;
            send(peer, sent, !isForeign); // from another thread, it reaches the loop behind the change
            network.settle();
            send(peer, sent, false);
            network.settle();
            peer.client.readAll();
            run.same(Rule.BYTES, "what the client has received", peer.client.text(), sent.toString());
            run.same(Rule.GAUGES, "bytes in a queue of which everything was sent", connection.queue().bytes(), 0);
            check(peer);
            peer.messages.add("uvwxyz");
            write(peer, MessageContent.ascii("xyz;"));
        }
    }
}
