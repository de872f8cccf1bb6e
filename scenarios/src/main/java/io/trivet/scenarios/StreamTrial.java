package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Streamed messages whose sources have as much as the trial gives them, and whose peer reads now and then: the write timeout, to the
 * nanosecond, which runs only while the peer is the one that is waited for; the bytes and the counters; and the end of each
 * transfer, also of one that reaches the loop after its connection was closed.
 */
final class StreamTrial implements Trial {
    private static final long MILLI = 1_000_000;
    private static final int STEPS_MAX = 40;

    /** A source that has what the trial has given it. */
    private static final class Source implements ReadableByteChannel {
        final byte fill;
        /** The number of bytes until its end. */
        int left;
        int given;
        /** It had nothing when it was last read. */
        boolean starved;
        boolean open = true;
        /** Its close fails, which concerns neither the stream nor its listener. */
        boolean failsToClose;
        /** It fails with an unchecked exception. */
        boolean failsUnchecked;
        int ends;
        boolean failed;

        Source(byte fill, int left, int given) {
            this.fill = fill;
            this.left = left;
            this.given = given;
        }

        @Override
        public int read(ByteBuffer into) {
            int count = Math.min(Math.min(given, left), into.remaining());
            for (int i = 0; i < count; i++) {
                into.put(fill);
            }
            given -= count;
            left -= count;
            boolean ended = left == 0 && count == 0;
            starved = count == 0 && !ended;
            return ended ? -1 : count;
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public void close() throws IOException {
            open = false;
            if (failsToClose && failsUnchecked) {
                throw new IllegalStateException("this source cannot be closed at all");
            }
            if (failsToClose) {
                throw new IOException("this source cannot be closed");
            }
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialHandler handler = new TrialHandler();
        final Limits limits;
        final Server server;
        final TrialClient client;
        final Connection connection;
        final List<Source> sources = new ArrayList<>();
        final ByteArrayOutputStream expected = new ByteArrayOutputStream();
        private byte nextFill = 'a';
        private boolean waits;
        private long progressNanos;
        private @Nullable String reason;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.readinessNetwork();
            run.sim.buffers(run.random.number(1024, 4096), 1024);
            limits = LIMITS.withQueueBytesMax(8 << 20).withQueueMarks(8 << 20, 0)
                    .withWriteTimeout(Duration.ofNanos(run.random.logUniform(5 * MILLI, 200 * MILLI)));
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).loops(run.random.number(1, 2)).open();
            client = TrialClient.connect(run, run.address);
            network.settle();
            connection = handler.all.getFirst().connection;
        }

        void perform() throws IOException {
            int steps = run.random.between(5, STEPS_MAX);
            for (int i = 0; i < steps && !run.hasFailed() && reason == null; i++) {
                step();
                turn();
                check();
            }
            if (!run.hasFailed()) {
                end();
            }
            run.close(network, server);
        }

        private void step() throws IOException {
            switch (run.random.below(8)) {
                case 0 -> message();
                case 1, 2 -> stream();
                case 3 -> give();
                case 4 -> run.log("the client reads " + client.read((int) run.random.logUniform(1, 20_000)) + " bytes");
                default -> pass();
            }
        }

        private byte nextFill() {
            byte fill = nextFill;
            nextFill = fill == 'z' ? (byte) 'a' : (byte) (fill + 1);
            return fill;
        }

        private void startsToWait() {
            progressNanos = waits ? progressNanos : network.now();
            waits = true;
        }

        private void message() {
            byte[] content = new byte[(int) run.random.logUniform(1, 6_000)];
            Arrays.fill(content, nextFill());
            run.log("a message of " + content.length + " bytes");
            run.same(Rule.CALLBACKS, "the message", connection.send(content), SendResult.QUEUED);
            expected.writeBytes(content);
            startsToWait();
        }

        private void stream() {
            int bytes = (int) run.random.logUniform(1, 50_000);
            Source source = new Source(nextFill(), bytes, run.random.chance(50) ? bytes : run.random.below(bytes));
            boolean counted = run.random.chance(50);
            source.failsToClose = run.random.chance(20);
            source.failsUnchecked = source.failsToClose && run.random.chance(50);
            run.log("a stream of " + bytes + " bytes, of which " + source.given + " are there");
            run.same(Rule.CALLBACKS, "the stream", send(source, counted ? bytes : -1), SendResult.QUEUED);
            sources.add(source);
            byte[] content = new byte[bytes];
            Arrays.fill(content, source.fill);
            expected.writeBytes(content);
            startsToWait();
        }

        private SendResult send(Source source, long count) {
            return connection.sendFrom(source, count, (of, sent, failure) -> {
                source.ends++;
                source.failed = failure != null;
            });
        }

        /** The first stream that has not ended. */
        private @Nullable Source first() {
            for (Source each : sources) {
                if (each.ends == 0) {
                    return each;
                }
            }
            return null;
        }

        private void give() {
            Source source = first();
            if (source == null || source.left == 0) {
                return;
            }
            int more = run.random.chance(50) ? source.left : run.random.below(source.left + 1);
            source.given = more;
            run.log("the first source has " + more + " bytes now");
            if (source.starved) {
                progressNanos = network.now(); // the peer is not to blame for the silence of the source
                source.starved = false;
            }
            connection.continueTransfer();
        }

        private long deadline() {
            Source source = first();
            return !waits || (source != null && source.starved) ? Long.MAX_VALUE
                    : progressNanos + limits.writeTimeout().toNanos();
        }

        private void pass() {
            long deadline = deadline();
            long by = deadline == Long.MAX_VALUE || run.random.chance(30)
                    ? run.random.logUniform(1, 3 * limits.writeTimeout().toNanos())
                    : deadline - network.now() - run.random.number(0, 1, 1);
            by = deadline == Long.MAX_VALUE ? by : Math.min(by, deadline - network.now());
            run.log(ReportText.duration(Math.max(0, by)) + " pass");
            network.pass(Math.max(0, by));
        }

        private void turn() throws IOException {
            long now = network.now();
            long before = server.stats().total().bytesOut();
            Source source = first();
            boolean starves = source != null && source.starved; // asked before: a close ends the stream
            network.settle();
            long sent = server.stats().total().bytesOut() - before;
            if (sent > 0) {
                progressNanos = now;
            }
            waits = handler.all.getFirst().isOpen() ? connection.queue().messages() > 0 : waits;
            if (!starves && deadline() <= now) {
                reason = CloseReason.WRITE_TIMEOUT.name();
                run.reached("STREAM_TIMED_OUT");
            }
        }

        private void check() {
            TrialHandler.Seen seen = handler.all.getFirst();
            String right = reason;
            run.same(Rule.DEADLINES, "the connection is, " + ReportText.duration(network.now() - progressNanos)
                    + " after the peer accepted a byte or the source continued", seen.end(), right == null ? "open" : right);
            if (right == null) {
                long unsent = expected.size() - server.stats().total().bytesOut();
                run.same(Rule.GAUGES, "messages wait if bytes are left", connection.queue().messages() > 0, unsent > 0
                        || first() != null);
            }
        }

        private void end() throws IOException {
            boolean closes = reason == null && run.random.chance(50);
            Source late = new Source((byte) '!', 10, 10);
            if (closes) { // with two loops this thread is another one: the calls reach the loop one after the other
                run.log("the connection is closed, and a stream is sent");
                connection.close();
                late.ends = send(late, 10) == SendResult.QUEUED ? 0 : 1;
                late.open = late.ends == 0;
                sources.add(late);
            }
            for (Source each : sources) {
                each.given = each.left;
            }
            if (reason == null && !closes) {
                connection.continueTransfer();
                connection.finish();
            }
            for (int i = 0; i < 1_000 && client.end().equals("open"); i++) {
                network.settle();
                client.readAll();
            }
            client.close();
            network.settle();
            for (int i = 0; i < sources.size() && !run.hasFailed(); i++) {
                Source each = sources.get(i);
                run.same(Rule.CALLBACKS, "the listener of stream " + i + " was called this often", each.ends, 1);
                run.expect(Rule.LEAKS, !each.open, "the source of stream " + i + " is open");
            }
            byte[] right = expected.toByteArray();
            int length = Math.min(right.length, client.count());
            int mismatch = Arrays.mismatch(client.received(), 0, length, right, 0, length);
            run.expect(Rule.BYTES, mismatch < 0, "the client has received other bytes, from offset " + mismatch + " on");
            if (reason == null && !closes) {
                run.same(Rule.DELIVERY, "bytes received", client.count(), right.length);
                run.same(Rule.ENDS, "the client has read", client.end(), "ended");
                run.expect(Rule.CALLBACKS, sources.stream().noneMatch(each -> each.failed), "a stream that was sent has failed");
            }
            long all = server.stats().total().bytesOut();
            run.expect(Rule.GAUGES, all >= client.count() && all <= right.length,
                    "bytes sent: " + all + ", of which the client has "
                            + client.count() + " of " + right.length);
        }
    }
}
