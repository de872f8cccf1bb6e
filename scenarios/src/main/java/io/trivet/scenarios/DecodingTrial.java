package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.scenarios.DecodedStream.Decoded;
import io.trivet.server.Connection;
import io.trivet.server.FrameEncoder;
import io.trivet.server.Framing;
import io.trivet.server.FramingTester;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Remainder;
import io.trivet.server.Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Streams in any framing, also with decoders and encoders of the application, cut anywhere: after each piece, exactly the messages of
 * {@link DecodedStream} have been delivered and echoed. The same for {@link FramingTester}. Then the input ends within a message.
 */
final class DecodingTrial implements Trial {
    private static final int STREAM_BYTES_MAX = 6_000;
    private static final int PIECE_BYTES_MAX = 2_000;
    /** Longest stream that the tester cuts at each index. */
    private static final int CUT_BYTES_MAX = 60;

    /** Puts the length of each message before it, in both orders of bytes, and a tail behind it. */
    private record TwiceEncoder(String end) implements FrameEncoder {
        @Override
        public int headLength(int messageBytes) {
            return messageBytes == 0 ? 0 : 6;
        }

        @Override
        public void putHead(ByteBuffer out, int messageBytes) {
            out.putShort((short) messageBytes).order(ByteOrder.LITTLE_ENDIAN).putInt(messageBytes);
        }

        @Override
        public byte[] tail() {
            return MessageContent.ascii(end);
        }

        byte[] frame(byte[] content) {
            ByteBuffer framed = ByteBuffer.allocate(headLength(content.length) + content.length + end.length());
            if (content.length > 0) {
                putHead(framed, content.length);
            }
            return framed.put(content).put(tail()).array();
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps extends TrialHandler {
        final TrialRun run;
        final SeededRandom random;
        final TrialNetwork network;
        final int messageBytesMax;
        final DecodedStream model;
        final byte[] stream;
        final TwiceEncoder encoder;
        final Remainder remainder;
        final Limits limits;
        final Framing framing;
        final Framing testedFraming;
        final Server server;
        final TrialClient client;
        final List<Integer> cuts = new ArrayList<>();
        private int decoders;
        /** The number of the message at which reading is paused; -1: none. */
        private final int pauseAt;
        private boolean paused;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            random = run.random;
            network = run.anyNetwork();
            run.sim.buffers(1 << 16, 1 << 16);
            messageBytesMax = random.number(1, 5, 20, 50, 200);
            model = new DecodedStream(random, messageBytesMax);
            stream = draw();
            encoder = new TwiceEncoder(random.pick("", ";", "\r\n"));
            remainder = random.pick(Remainder.values());
            pauseAt = random.chance(25) ? random.below(6) : -1;
            limits = LIMITS.withMessageBytesMax(messageBytesMax).withMessageTimeout(Duration.ZERO)
                    .withQueueBytesMax(1 << 20).withQueueMarks(1 << 20, 0);
            List<UnaryOperator<Framing>> settings = List.of(each -> each.withEncoder(encoder),
                    each -> each.withRemainder(remainder));
            framing = AnyOrder.of(random, framing(true), settings);
            testedFraming = AnyOrder.of(random, framing(false), settings);
            server = run.builder(network, this, limits).framing(framing).overflow(Overflow.DISCONNECT).open();
            client = TrialClient.connect(run, run.address);
            network.settle();
            run.log(model + ", messages of up to " + messageBytesMax + " bytes, " + stream.length + " bytes: "
                    + MessageContent.latin(stream, 0, Math.min(stream.length, 200)));
        }

        private Framing framing(boolean isServed) {
            Framing builtIn = model.builtIn();
            if (builtIn != null) {
                return builtIn;
            }
            if (model.kind == DecodedStream.Kind.CUSTOM) {
                return Framing.of(new ReportingDecoder(run, model, stream, messageBytesMax, isServed));
            }
            return Framing.perConnection(() -> {
                decoders += isServed ? 1 : 0;
                return new ReportingDecoder(run, model, stream, messageBytesMax, true);
            });
        }

        private byte[] draw() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            int count = random.between(0, random.chance(20) ? 60 : 12);
            for (int i = 0; i < count && bytes.size() < STREAM_BYTES_MAX; i++) {
                bytes.writeBytes(model.draw(random));
            }
            bytes.writeBytes(model.drawUnfinished(random));
            if (model.isCustom() && random.chance(10)) { // a frame without an end
                bytes.write(random.number('n', 's'));
                bytes.writeBytes(new byte[DecodedStream.OVERHEAD_MAX + messageBytesMax - random.number(0, 1, 2)]);
                bytes.write(1);
            }
            return bytes.toByteArray();
        }

        // ---- the handler

        @Override
        public void onMessage(Connection connection, ByteBuffer message) throws Exception {
            run.expect(Rule.CALLBACKS, !paused, "a message is delivered while reading is paused");
            run.expect(Rule.CALLBACKS, message.isReadOnly() && message.order() == ByteOrder.BIG_ENDIAN,
                    "a message is not read-only and big-endian");
            super.onMessage(connection, message);
            int number = seen(connection).messages.size() - 1;
            String text = seen(connection).messages.get(number);
            if (number % 3 == 2 && text.chars().allMatch(c -> c < 0x80)) {
                connection.send(text);
            } else {
                connection.send(message);
            }
            message.clear().order(ByteOrder.LITTLE_ENDIAN); // a handler may do that
            if (number == pauseAt) {
                paused = true;
                connection.pauseReading();
            }
        }

        // ---- the run

        void perform() throws IOException {
            int sent = 0;
            Decoded right = model.decode(stream, 0);
            boolean whole = random.chance(20);
            boolean single = stream.length < 300 && random.chance(30);
            while (sent < stream.length && right.failure() == null && !run.hasFailed()) {
                int left = stream.length - sent;
                int length = Math.min(PIECE_BYTES_MAX, single ? 1 : whole ? left : (int) random.logUniform(1, left));
                client.write(Arrays.copyOfRange(stream, sent, sent + length));
                sent += length;
                network.settle();
                if (paused && random.chance(50)) {
                    resume();
                }
                if (!paused) { // held messages would be found together with later ones
                    right = model.decode(stream, sent);
                    check(right, sent);
                    cuts.add(sent);
                }
            }
            if (paused) {
                resume();
                right = model.decode(stream, sent);
                check(right, sent);
                cuts.add(sent);
            }
            compareTester(right, sent);
            end(right, sent);
            client.close();
            network.settle();
            run.same(Rule.CALLBACKS, "decoders that were made", decoders,
                    model.kind == DecodedStream.Kind.CUSTOM_PER_CONNECTION ? 1 : 0);
            run.close(network, server);
        }

        private void resume() throws IOException {
            paused = false;
            all.getFirst().connection.resumeReading();
            network.settle();
        }

        private void check(Decoded right, int sent) {
            Seen seen = all.getFirst();
            run.same(Rule.DELIVERY, "the messages in " + sent + " bytes, framing: " + model, seen.messages, right.messages());
            run.same(Rule.GAUGES, "bytes received", server.stats().total().bytesIn(), (long) sent);
            run.same(Rule.GAUGES, "messages received", server.stats().total().messagesIn(), (long) right.messages().size());
            client.readAll();
            ByteArrayOutputStream echo = new ByteArrayOutputStream();
            for (String message : right.messages()) {
                echo.writeBytes(encoder.frame(message.getBytes(StandardCharsets.ISO_8859_1)));
            }
            byte[] echoed = echo.toByteArray();
            run.expect(Rule.BYTES, Arrays.equals(echoed, Arrays.copyOf(client.received(), client.count())),
                    "the client has received other bytes than the " + echoed.length + " bytes of the echo");
        }

        /** A tester must find the same, with the same cuts. */
        private void compareTester(Decoded right, int sent) {
            FramingTester tester = FramingTester.of(testedFraming).withLimits(limits);
            byte[] bytes = Arrays.copyOf(stream, sent);
            int[] starts = cuts.stream().mapToInt(Integer::intValue).filter(cut -> cut < sent).toArray();
            compare("the tester", right, () -> tester.decode(bytes, starts));
            if (sent <= CUT_BYTES_MAX && !hasLooseBound(right)) {
                compare("the tester, cut anywhere", right, () -> tester.decodeCutAnywhere(bytes));
            } else if (!hasLooseBound(right)) {
                compare("the tester, byte by byte", right, () -> tester.decodeByteByByte(bytes));
            }
        }

        /** Returns true if it depends on the cuts whether a frame without an end is too long. */
        private boolean hasLooseBound(Decoded right) {
            return stream.length > DecodedStream.OVERHEAD_MAX && model.isCustom()
                    && right.failure() != CloseReason.PROTOCOL_ERROR;
        }

        private interface Test {
            FramingTester.Decoded run() throws FramingTester.Failure;
        }

        private void compare(String who, Decoded right, Test test) {
            List<String> messages;
            CloseReason failure = null;
            int rest = -1;
            try {
                FramingTester.Decoded decoded = test.run();
                messages = decoded.messages().stream().map(Steps::text).toList();
                rest = decoded.remainder().remaining();
                run.expect(Rule.CALLBACKS, decoded.messages().stream().allMatch(ByteBuffer::isReadOnly),
                        who + " returns messages that can be changed");
            } catch (FramingTester.Failure e) {
                messages = e.messages().stream().map(Steps::text).toList();
                failure = e.reason();
                String served = String.valueOf(all.getFirst().connection.failure());
                String text = String.valueOf(e.getMessage());
                run.expect(Rule.CALLBACKS,
                        pauseAt >= 0 || !who.equals("the tester") || withoutIndices(served).endsWith(withoutIndices(text)),
                        who + " fails with " + text + ", and a server with " + served);
            } catch (AssertionError e) {
                run.fail(Rule.CALLBACKS, who + " finds a dependence on the cuts, framing: " + model + ": " + e.getMessage());
                return;
            }
            run.same(Rule.CALLBACKS, who + " finds the messages", messages, right.messages());
            run.same(Rule.CALLBACKS, who + " finds the failure", String.valueOf(failure), String.valueOf(right.failure()));
            if (failure == null) {
                run.same(Rule.CALLBACKS, who + " finds the rest", rest, cutLength() - right.rest());
            }
        }

        /** Returns a text without the indices of a buffer, which differ. A ring may receive a piece in two. */
        private static String withoutIndices(String text) {
            return text.contains("the bytes are those from") ? text.replaceAll("-?[0-9]+", "N") : text.replace("at least ", "");
        }

        private int cutLength() {
            return cuts.isEmpty() ? 0 : cuts.getLast();
        }

        private static String text(ByteBuffer message) {
            byte[] bytes = new byte[message.remaining()];
            message.get(bytes);
            return MessageContent.latin(bytes, 0, bytes.length);
        }

        /** The client ends its output, perhaps within a message. */
        private void end(Decoded right, int sent) throws IOException {
            Seen seen = all.getFirst();
            client.endOutput();
            network.settle();
            client.readAll();
            String rest = MessageContent.latin(stream, right.rest(), sent);
            CloseReason reason = reason(right, rest);
            boolean delivers = right.failure() == null && remainder == Remainder.DELIVER && !rest.isEmpty()
                    && rest.length() <= messageBytesMax;
            List<String> messages = new ArrayList<>(right.messages());
            if (delivers) {
                messages.add(rest);
                run.reached("REST_DELIVERED");
            }
            if (paused) {
                resume();
            }
            run.same(Rule.DELIVERY, "the messages at the end of the input, with the remainder " + remainder, seen.messages,
                    messages);
            run.same(Rule.ENDS, "the end of " + model, seen.end(), reason.name());
            run.same(Rule.CALLBACKS, "onEndOfInput was called", seen.inputEnded, reason == CloseReason.PEER_FINISHED);
            run.same(Rule.GAUGES, "messages received in the end", server.stats().total().messagesIn(), (long) messages.size());
            @Nullable IOException failure = seen.connection.failure();
            run.same(Rule.ENDS, "it has a failure", failure != null, reason != CloseReason.PEER_FINISHED);
            client.readAll();
            run.same(Rule.ENDS, "the client has read", client.end(), "ended");
        }

        private CloseReason reason(Decoded right, String rest) {
            CloseReason failure = right.failure();
            if (failure != null) {
                return failure;
            }
            if (rest.isEmpty() || remainder == Remainder.DROP) {
                return CloseReason.PEER_FINISHED;
            }
            return remainder == Remainder.ERROR ? CloseReason.PROTOCOL_ERROR
                    : rest.length() > messageBytesMax ? CloseReason.MESSAGE_TOO_LONG : CloseReason.PEER_FINISHED;
        }
    }
}
