package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Remainder;
import io.trivet.server.Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Messages, and payloads that are received in parts, cut anywhere by the network: what is delivered, and when. The handler pauses
 * reading, requests parts (none, some, or all until the end), changes the framing, and the input ends anywhere.
 */
final class DeliveryTrial implements Trial {
    private static final long UNTIL_END = Long.MAX_VALUE;
    private static final int ITEMS_MAX = 12;
    private static final int MANY = 1_500;

    /**
     * A message, and what follows it.
     *
     * @param text the message
     * @param parts the bytes that follow it, to be received in parts; null: a message follows
     * @param untilEnd the parts end with the input
     * @param more bytes that are requested with the last of these parts; null: none
     * @param empties how often no bytes are requested with the last part after that
     * @param pauses reading is paused with the message
     * @param upgrades the framing changes with the message
     */
    private record Item(String text, @Nullable String parts, boolean untilEnd, @Nullable String more, int empties, boolean pauses,
            boolean upgrades) {}

    @Override
    public void run(TrialRun run) throws IOException {
        if (run.random.chance(10)) {
            new DeliveryShares(run).perform();
        } else {
            new Steps(run).perform();
        }
    }

    private static final class Steps implements Handler {
        final TrialRun run;
        final TrialNetwork network;
        final Remainder remainder;
        final List<Item> items = new ArrayList<>();
        final byte[] stream;
        final Server server;
        final TrialClient client;
        final List<String> expected = new ArrayList<>();
        final List<String> delivered = new ArrayList<>();
        final StringBuilder parts = new StringBuilder();
        @Nullable Connection connection;
        private int next;
        private boolean inMore;
        private int emptiesLeft;
        boolean paused;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            run.sim.buffers(128 << 10, 128 << 10);
            remainder = run.random.pick(Remainder.values());
            stream = draw();
            server = run.builder(network, this, LIMITS.withMessageTimeout(Duration.ZERO))
                    .framing(Framing.lines().withRemainder(remainder)).open();
            client = TrialClient.connect(run, run.address);
            network.settle();
            run.log("remainder " + remainder + "; " + items.size() + " messages, " + stream.length + " bytes");
        }

        private String text(int length) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < length; i++) {
                text.append((char) ('a' + run.random.below(26)));
            }
            return text.toString();
        }

        /** Draws the messages and the end of the input, and what must be delivered. */
        private byte[] draw() {
            SeededRandom random = run.random;
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            boolean many = random.chance(10);
            int count = many ? MANY : random.between(0, ITEMS_MAX);
            boolean upgraded = false;
            boolean ends = false;
            for (int i = 0; i < count && !ends; i++) {
                boolean hasParts = !many && random.chance(25);
                boolean untilEnd = hasParts && i == count - 1 && random.chance(50);
                String of = hasParts ? text(random.number(0, 1, 10, 5_000)) : null;
                String more = hasParts && !untilEnd && random.chance(30) ? text(random.number(0, 3)) : null;
                int empties = !hasParts || random.chance(70) ? 0 : random.chance(30) ? MANY : random.between(1, 3);
                Item item = new Item(text(many ? 1 : (int) random.logUniform(0, 300)), of, untilEnd, more, empties,
                        !many && random.chance(15), !many && !upgraded && random.chance(8));
                items.add(item);
                bytes.writeBytes(framed(item.text, upgraded));
                expected.add("message " + item.text);
                upgraded |= item.upgrades;
                if (of != null) {
                    bytes.writeBytes(MessageContent.ascii(of));
                    expected.add("last part of " + of);
                }
                if (more != null) {
                    bytes.writeBytes(MessageContent.ascii(more));
                    expected.add("last part of " + more);
                }
                for (int k = 0; k < empties; k++) {
                    expected.add("last part of ");
                }
                ends = untilEnd;
            }
            if (!ends && random.chance(20)) {
                cutParts(bytes, upgraded);
            } else if (!ends && random.chance(50)) {
                rest(bytes, upgraded);
            } else {
                expected.add("end of input");
            }
            return bytes.toByteArray();
        }

        private static byte[] framed(String text, boolean upgraded) {
            ClientFraming framing = upgraded ? ClientFraming.PREFIXED_2 : ClientFraming.LINES;
            return framing.frame(MessageContent.ascii(text), false);
        }

        /** The input ends within parts: with the policy ERROR that breaks the protocol, otherwise there is no last part. */
        private void cutParts(ByteArrayOutputStream bytes, boolean upgraded) {
            String of = text(run.random.between(2, 3_000));
            Item item = new Item(text(3), of, false, null, 0, false, false);
            items.add(item);
            bytes.writeBytes(framed(item.text, upgraded));
            bytes.writeBytes(MessageContent.ascii(of.substring(1)));
            expected.add("message " + item.text);
            expected.add(remainder == Remainder.ERROR && !upgraded ? "close PROTOCOL_ERROR" : "end of input");
        }

        /** The input ends within a message. */
        private void rest(ByteArrayOutputStream bytes, boolean upgraded) {
            byte[] framed = framed(text(run.random.between(1, 50)), upgraded);
            int length = run.random.between(1, framed.length - 1);
            bytes.write(framed, 0, length);
            Remainder policy = upgraded ? Remainder.DROP : remainder;
            switch (policy) {
                case DROP -> expected.add("end of input");
                case ERROR -> expected.add("close PROTOCOL_ERROR");
                case DELIVER -> {
                    expected.add("message " + new String(framed, 0, length, StandardCharsets.ISO_8859_1));
                    expected.add("end of input");
                }
            }
        }

        void perform() throws IOException {
            int sent = 0;
            boolean whole = run.random.chance(20);
            while (sent < stream.length && !run.hasFailed()) {
                int length = whole ? stream.length - sent : (int) Math.min(run.random.logUniform(1, 6_000), stream.length - sent);
                length = Math.min(length, 32 << 10);
                client.write(Arrays.copyOfRange(stream, sent, sent + length));
                sent += length;
                turns();
            }
            client.endOutput();
            network.settle();
            for (int i = 0; i < items.size() + 2 && paused; i++) {
                resume();
            }
            if (!expected.getLast().startsWith("close")) {
                Connection of = connection;
                run.expect(Rule.CALLBACKS, of != null, "the connection was not opened");
                if (of != null) {
                    of.finish();
                }
                expected.add("close PEER_FINISHED");
            }
            network.settle();
            client.close();
            network.settle();
            check();
            run.close(network, server);
        }

        /** Turns the loop, not always often enough for everything to be delivered. */
        private void turns() throws IOException {
            if (run.random.chance(60)) {
                network.settle();
            } else {
                network.turn(0);
            }
            if (paused && run.random.chance(50)) {
                resume();
            }
        }

        private void resume() throws IOException {
            Connection of = connection;
            if (of != null && paused) {
                network.settle();
                int before = delivered.size();
                network.settle();
                run.same(Rule.CALLBACKS, "callbacks while reading is paused", delivered.size() - before, 0);
                paused = false;
                run.log("reading is resumed");
                of.resumeReading();
                network.settle();
            }
        }

        private void check() {
            for (int i = 0; i < Math.max(expected.size(), delivered.size()) && !run.hasFailed(); i++) {
                String right = i < expected.size() ? expected.get(i) : "nothing";
                String was = i < delivered.size() ? delivered.get(i) : "nothing";
                if (!right.equals(was)) {
                    run.fail(Rule.DELIVERY, "callback " + i + " is " + shown(was) + " instead of " + shown(right));
                }
            }
        }

        private static String shown(String text) {
            return text.length() <= 60 ? text : text.substring(0, 60) + "… (" + text.length() + " characters)";
        }

        // ---- callbacks

        private void add(String callback) {
            delivered.add(callback);
            if (items.size() <= ITEMS_MAX) {
                run.log("callback: " + shown(callback));
            }
        }

        @Override
        public void onOpen(Connection opened) {
            connection = opened;
        }

        @Override
        public void onMessage(Connection of, ByteBuffer message) {
            run.expect(Rule.CALLBACKS, !paused, "onMessage is called while reading is paused");
            add("message " + StandardCharsets.ISO_8859_1.decode(message.duplicate()));
            Item item = next < items.size() ? items.get(next++) : null;
            if (item == null) {
                return;
            }
            String asks = (item.parts == null ? ""
                    : ", asks for " + (item.untilEnd ? "all" : item.parts.length()) + " bytes in parts")
                    + (item.upgrades ? ", changes the framing" : "") + (item.pauses ? ", pauses" : "");
            if (!asks.isEmpty()) {
                run.log("the handler" + asks.substring(1));
            }
            if (item.parts != null) {
                parts.setLength(0);
                inMore = false;
                emptiesLeft = item.empties;
                of.receiveParts(item.untilEnd ? UNTIL_END : item.parts.length());
            }
            if (item.upgrades) {
                of.upgrade(Framing.lengthPrefixed(2), this);
            }
            if (item.pauses) {
                paused = true;
                of.pauseReading();
            }
        }

        @Override
        public void onPart(Connection of, ByteBuffer part, boolean last) {
            run.expect(Rule.CALLBACKS, !paused, "onPart is called while reading is paused");
            parts.append(StandardCharsets.ISO_8859_1.decode(part.duplicate()));
            if (!last) {
                return;
            }
            add("last part of " + parts);
            parts.setLength(0);
            String more = items.get(next - 1).more;
            if (more != null && !inMore) {
                run.log("the handler asks for " + more.length() + " more bytes in parts");
                inMore = true;
                of.receiveParts(more.length());
            } else if (emptiesLeft > 0) {
                emptiesLeft--;
                of.receiveParts(0);
            }
        }

        @Override
        public void onEndOfInput(Connection of) {
            add("end of input");
        }

        @Override
        public void onClose(Connection of, CloseReason reason) {
            add("close " + reason);
        }
    }
}
