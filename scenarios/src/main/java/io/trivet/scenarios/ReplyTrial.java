package io.trivet.scenarios;

import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ReadState;
import io.trivet.server.Connection;
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
import org.jspecify.annotations.Nullable;

/**
 * Replies within {@code onMessage}, to several messages of one delivery: echoes of a message or of a part of it, other messages, by every
 * method, to a socket that is often full. Each result, the order of the bytes, the gauges, and when reading is paused follow from them.
 */
final class ReplyTrial implements Trial {
    private static final int REPLIES_MAX = 40;
    private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

    /** A message that waits. */
    private static final class Reply {
        final byte[] bytes;
        final boolean urgent;
        /** It was sent with a listener: no message overtakes it, and it counts with all its bytes until its end. */
        final boolean listened;
        int at;

        Reply(byte[] bytes, boolean urgent, boolean listened) {
            this.bytes = bytes;
            this.urgent = urgent;
            this.listened = listened;
        }

        int counted() {
            return listened ? bytes.length : bytes.length - at;
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps extends TrialHandler {
        final TrialRun run;
        final TrialNetwork network;
        final Server server;
        final TrialClient client;
        /** The second client. The handler of its connection sends to the first client, so outside of the first connection's onMessage. */
        final @Nullable TrialClient other;
        final Limits limits;
        final boolean pauses;
        final int bufferBytes;
        final List<Reply> queue = new ArrayList<>();
        final ByteArrayOutputStream sent = new ByteArrayOutputStream();
        final List<String> written = new ArrayList<>();
        int writtenBytes;
        private int next;
        /** True while something is sent outside of the first connection's onMessage. */
        private boolean isOutside;
        private long bytesOut;
        private int listeners;
        private int listened;
        private long listenedBytes;
        private long listenedExpected;
        private boolean high;
        private boolean full;
        private byte nextFill = 'a';
        /** Nothing waits but replies that were collected since nothing waited: to make room for more, they are sent. */
        private boolean onlyReplies = true;
        /** What is drawn: messages that fill the socket exactly; or echoes of long messages with short ones between them. */
        private final boolean aligned;
        private final boolean alternates;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            aligned = run.random.chance(25);
            alternates = !aligned && run.random.chance(20);
            bufferBytes = alternates ? 32_768 : run.random.number(1024, 2048, 16_384);
            run.sim.buffers(bufferBytes, bufferBytes);
            int cap = alternates ? 200_000 : (int) run.random.logUniform(1_000, 200_000);
            int mark = run.random.between(1, cap);
            pauses = run.random.chance(60);
            limits = LIMITS.withQueueBytesMax(cap).withQueueMarks(mark, run.random.number(0, mark / 2, mark))
                    .withWriteTimeout(Duration.ZERO);
            server = run.builder(network, this, limits).framing(Framing.lines())
                    .overflow(pauses ? Overflow.PAUSE_READING : Overflow.DISCONNECT).open();
            run.log("queue of " + cap + " bytes, high " + mark + ", low " + limits.queueLowBytes() + (pauses ? ", pauses" : ""));
            client = TrialClient.connect(run, run.address);
            network.settle();
            other = run.random.chance(40) ? TrialClient.connect(run, run.address) : null;
            network.settle();
        }

        void perform() throws IOException {
            int steps = run.random.between(3, 25);
            for (int i = 0; i < steps && !run.hasFailed() && !full; i++) {
                TrialClient second = other;
                if (second != null && run.random.chance(25)) {
                    sendOutside(second);
                } else if (run.random.chance(60)) {
                    write();
                } else {
                    run.log("the client reads " + client.read(aligned ? bufferBytes / 4 * run.random.between(1, 8)
                            : (int) run.random.logUniform(1, 2L * bufferBytes)) + " bytes");
                }
                network.settle();
                check();
            }
            end();
            run.close(network, server);
        }

        private @Nullable ConnectionSnapshot snapshot() {
            long id = all.getFirst().connection.id();
            for (ConnectionSnapshot each : server.connections()) {
                if (each.id() == id) {
                    return each;
                }
            }
            return null;
        }

        /** Sends messages to the first client that are not replies. They never exceed the cap. */
        private void sendOutside(TrialClient second) {
            Connection of = all.getFirst().connection;
            switch (run.random.below(4)) {
                case 0 -> sendSome(of);
                case 1 -> of.execute(() -> sendSome(of));
                case 2 -> of.schedule(Duration.ZERO, () -> sendSome(of));
                default -> second.write("go\n");
            }
        }

        private void sendSome(Connection of) {
            isOutside = true;
            for (int i = run.random.number(1, 2, 5, 30); i > 0 && !run.hasFailed() && !full; i--) {
                reply(of, EMPTY, run.random.between(3, 8));
            }
            isOutside = false;
        }

        private void write() {
            ConnectionSnapshot now = snapshot();
            if (now == null) {
                return;
            }
            long room = bufferBytes - (writtenBytes - now.bytesIn());
            StringBuilder lines = new StringBuilder();
            for (int i = run.random.between(1, alternates ? 40 : 12); i > 0; i--) {
                char[] text = new char[alternates ? run.random.between(505, 530)
                        : aligned && run.random.chance(95) ? bufferBytes / 4 - 1
                        : (int) run.random.logUniform(0, run.random.chance(30) ? 3_000 : 40)];
                Arrays.fill(text, (char) ('A' + written.size() % 26));
                if (lines.length() + text.length + 1 > room) {
                    break;
                }
                lines.append(text).append('\n');
                written.add(new String(text));
            }
            writtenBytes += lines.length();
            run.log("the client sends " + lines.length() + " bytes");
            client.write(lines.toString());
        }

        // ---- the handler

        @Override
        public void onMessage(Connection of, ByteBuffer message) {
            if (seen(of).number > 0) {
                sendSome(all.getFirst().connection);
                return;
            }
            String text = StandardCharsets.ISO_8859_1.decode(message.duplicate()).toString();
            run.expect(Rule.DELIVERY, next < written.size() && text.equals(written.get(next)),
                    "message " + next + " is another one");
            next++;
            sync();
            run.expect(Rule.CAPS, !pauses || !high, "a message is delivered although the queue is high");
            if (alternates && run.random.chance(90)) {
                reply(of, message, run.random.number(0, 2));
                if (!full) {
                    reply(of, message, 3);
                }
                return;
            }
            int replies = run.random.chance(aligned ? 40 : 10) ? REPLIES_MAX : run.random.below(4);
            for (int i = 0; i < replies && !run.hasFailed() && !full; i++) {
                reply(of, message, aligned && run.random.chance(70) ? run.random.number(0, 3, 4) : run.random.below(9));
            }
        }

        private byte[] content() {
            byte[] content = new byte[aligned && run.random.chance(95) ? bufferBytes / 4 - 1
                    : (int) run.random.logUniform(0, run.random.chance(20) ? 5_000 : 700)];
            Arrays.fill(content, nextFill);
            nextFill = nextFill == 'z' ? (byte) 'a' : (byte) (nextFill + 1);
            return content;
        }

        private void reply(Connection of, ByteBuffer message, int how) {
            byte[] content = content();
            switch (how) {
                case 0, 1 -> { // the message itself: sent from the memory in which it was received
                    byte[] echoed = new byte[message.remaining()];
                    message.get(message.position(), echoed);
                    int from = message.position();
                    sent("echo", of.send(message), echoed, false, false, true);
                    run.same(Rule.BYTES, "bytes of a message that are left", message.remaining(),
                            full ? message.limit() - from : 0);
                    message.position(from);
                }
                case 2 -> { // a part of it, also in the buffer that the handler was given
                    int from = message.position();
                    int to = message.limit();
                    int part = alternates ? Math.max(0, message.remaining() - 1) : run.random.below(message.remaining() + 1);
                    byte[] echoed = new byte[part];
                    message.get(from, echoed);
                    ByteBuffer some = run.random.chance(70) ? message.limit(from + part) : message.slice(from, part);
                    sent("echo of a part", of.send(some), echoed, false, false, true);
                    message.limit(to).position(from);
                }
                case 3 -> sent("send", of.send(ByteBuffer.wrap(content)), content, false, false, true);
                case 4 -> sent("text", of.send(new String(content, StandardCharsets.ISO_8859_1)), content, false, false,
                        true);
                case 5 -> sent("offer", of.offer(content), content, false, false, false);
                case 6 -> sent("sendFirst", of.sendFirst(content), content, true, false, true);
                case 7 -> {
                    int length = content.length + 1;
                    SendResult result = of.send(ByteBuffer.wrap(content), (target, bytes, failure) -> {
                        listened++;
                        listenedBytes += failure == null ? bytes : 0;
                    });
                    listeners += result == SendResult.QUEUED ? 1 : 0;
                    listenedExpected += result == SendResult.QUEUED ? length : 0;
                    sent("send with a listener", result, content, false, true, true);
                }
                default -> {
                    if (other == null) {
                        server.broadcast(ByteBuffer.wrap(content));
                    } else {
                        server.broadcast(ByteBuffer.wrap(content), List.of(of));
                    }
                    sync();
                    if (counted() + content.length + 1 <= limits.queueBytesMax()) {
                        onlyReplies = false;
                        add(content, false, false);
                    } else {
                        run.log("a broadcast that does not fit");
                        full = true;
                    }
                }
            }
        }

        /** Checks a result. The socket may have accepted earlier replies in the call: they make room. */
        private void sent(String how, SendResult result, byte[] content, boolean urgent, boolean hasListener, boolean mayExceed) {
            // Room is reserved before the replies are sent to make place for this one. A text is placed first.
            long before = how.equals("text") ? 0 : counted() + content.length + 1;
            high |= before >= limits.queueHighBytes() && before <= limits.queueBytesMax();
            sync();
            boolean fits = counted() + content.length + 1 <= limits.queueBytesMax() || (mayExceed && pauses && !isOutside);
            run.log(how + " of " + content.length + " bytes: " + result);
            run.same(Rule.CAPS, how + " of " + (content.length + 1) + " bytes with " + counted() + " queued", result,
                    fits ? SendResult.QUEUED : SendResult.FULL);
            if (fits) {
                add(content, urgent, hasListener);
            } else {
                boolean hasRoom = onlyReplies && !isOutside && bytesOut == client.count()
                        && content.length < limits.queueBytesMax();
                run.expect(Rule.CAPS, !hasRoom, "a message is refused, although the socket has room for the replies before it");
                full = !how.equals("offer");
            }
        }

        private void add(byte[] content, boolean urgent, boolean hasListener) {
            byte[] framed = Arrays.copyOf(content, content.length + 1);
            framed[content.length] = '\n';
            int at = queue.size();
            if (urgent) {
                while (at > 0 && !queue.get(at - 1).listened && !queue.get(at - 1).urgent && queue.get(at - 1).at == 0) {
                    at--;
                }
            }
            queue.add(at, new Reply(framed, urgent, hasListener));
            high |= counted() >= limits.queueHighBytes();
            onlyReplies &= !urgent && !hasListener && !isOutside;
        }

        private long counted() {
            return queue.stream().mapToLong(Reply::counted).sum();
        }

        /** Moves what the socket has accepted from the queue to what was sent. */
        private void sync() {
            ConnectionSnapshot now = snapshot();
            if (now == null) {
                return;
            }
            long left = now.bytesOut() - bytesOut;
            bytesOut += left;
            while (left > 0 && !queue.isEmpty()) {
                Reply first = queue.getFirst();
                int part = (int) Math.min(left, first.bytes.length - first.at);
                sent.write(first.bytes, first.at, part);
                first.at += part;
                left -= part;
                if (first.at == first.bytes.length) {
                    queue.removeFirst();
                }
            }
            run.expect(Rule.BYTES, left == 0, left + " bytes were sent twice");
            onlyReplies |= queue.isEmpty();
        }

        @Override
        public void onDrained(Connection of) {
            sync();
            int low = Math.min(limits.queueLowBytes(), limits.queueHighBytes() - 1);
            run.expect(Rule.CALLBACKS, high && counted() <= low,
                    "onDrained is called with " + counted() + " bytes in the queue, which "
                            + (high ? "has" : "has not") + " been high; the low mark is " + low);
            high = false;
        }

        // ---- the checks

        private void check() {
            sync();
            if (full) {
                run.same(Rule.ENDS, "after a message that does not fit the connection is", all.getFirst().end(), "QUEUE_FULL");
                return;
            }
            int low = Math.min(limits.queueLowBytes(), limits.queueHighBytes() - 1);
            ConnectionSnapshot now = snapshot();
            if (now == null) {
                run.fail(Rule.ENDS, "the connection is closed");
                return;
            }
            run.same(Rule.GAUGES, "bytes in the queue", now.queueBytes(), counted());
            run.same(Rule.GAUGES, "messages in the queue", now.queueMessages(), queue.size());
            run.expect(Rule.CALLBACKS, !high || counted() > low,
                    "onDrained was not called with " + counted() + " bytes in the queue");
            boolean isPaused = pauses && high;
            run.same(Rule.CAPS, "reading is paused by the queue", now.readState() == ReadState.PAUSED_BY_QUEUE, isPaused);
            run.expect(Rule.DELIVERY, isPaused || next == written.size(), "only " + next + " of " + written.size()
                    + " messages were delivered");
            run.same(Rule.CALLBACKS, "listeners that were called", (long) listened, listeners
                    - queue.stream().filter(each -> each.listened).count());
            checkReceived();
        }

        private void checkReceived() {
            byte[] right = sent.toByteArray();
            int count = client.count();
            run.expect(Rule.ORDER, count <= right.length && Arrays.equals(client.received(), 0, count, right, 0, count),
                    "the client has received other bytes than were sent, from "
                            + Arrays.mismatch(client.received(), 0, count, right, 0, Math.min(count, right.length)) + " on");
        }

        private void end() throws IOException {
            for (int i = 0; i < 3_000 && !full && !run.hasFailed() && (next < written.size() || !queue.isEmpty()); i++) {
                client.readAll();
                network.settle();
                check();
            }
            if (!full && !run.hasFailed()) {
                client.readAll();
                run.same(Rule.DELIVERY, "bytes that the client has received", client.count(), sent.size());
                run.same(Rule.CALLBACKS, "bytes that listeners were called with", listenedBytes, listenedExpected);
            }
            client.close();
            TrialClient second = other;
            if (second != null) {
                second.close();
            }
            network.settle();
            run.same(Rule.CALLBACKS, "listeners that were called", listened, listeners);
        }
    }
}
