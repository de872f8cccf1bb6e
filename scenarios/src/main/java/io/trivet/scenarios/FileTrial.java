package io.trivet.scenarios;

import io.trivet.server.Connection;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import io.trivet.sim.SimEngine;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Files and streams among messages: the client receives exactly these bytes, in the order in which they were accepted. Each
 * listener is called once. A source that fails, or ends too early, cuts the connection, and so does a close. A transfer that is
 * refused leaves its source to the caller.
 */
final class FileTrial implements Trial {
    private static final int FILE_BYTES = 200_000;
    private static final byte[] CONTENT = content();
    private static @Nullable Path file;
    /** What a transfer that waits counts in the queue. */
    private static final int RESERVED_BYTES = 1024;

    /** What a source does at its end. */
    private enum SourceEnd {
        ENDS, THROWS, THROWS_UNCHECKED, CLAIMS_MORE, CLAIMS_LESS
    }

    /** A source of a number of bytes, which sometimes has nothing. */
    private static final class Source implements ReadableByteChannel {
        private final ByteBuffer bytes;
        private final SeededRandom random;
        private final Runnable continuation;
        private final SourceEnd end;
        boolean open = true;

        Source(byte[] bytes, SeededRandom random, SourceEnd end, Runnable continuation) {
            this.bytes = ByteBuffer.wrap(bytes);
            this.random = random;
            this.end = end;
            this.continuation = continuation;
        }

        private int end(ByteBuffer into) throws IOException {
            return switch (end) {
                case ENDS -> -1;
                case THROWS -> throw new IOException("drawn");
                case THROWS_UNCHECKED -> throw new IllegalStateException("drawn");
                case CLAIMS_MORE -> 1;
                case CLAIMS_LESS -> {
                    into.put((byte) 1);
                    yield 0;
                }
            };
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            if (!bytes.hasRemaining()) {
                return end(into);
            }
            if (random.chance(20)) {
                continuation.run();
                return 0;
            }
            int count = Math.min(Math.min(bytes.remaining(), into.remaining()), (int) random.logUniform(1, 100_000));
            into.put(bytes.slice(bytes.position(), count));
            bytes.position(bytes.position() + count);
            return count;
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public void close() {
            open = false;
        }
    }

    private static byte[] content() {
        byte[] content = new byte[FILE_BYTES];
        SeededRandom random = new SeededRandom(2);
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) random.below(256);
        }
        return content;
    }

    /** Returns a file with {@link #CONTENT}, the same for all trials of this process. */
    private static synchronized Path file() throws IOException {
        Path known = file;
        if (known == null) {
            known = Files.createTempFile("trivet-scenario", ".bin");
            known.toFile().deleteOnExit();
            Files.write(known, CONTENT);
            file = known;
        }
        return known;
    }

    @Override
    public void run(TrialRun run) throws IOException {
        new Steps(run).perform();
    }

    private static final class Steps {
        final TrialRun run;
        final TrialNetwork network;
        final TrialHandler handler = new TrialHandler();
        final Server server;
        final TrialClient client;
        final Connection connection;
        final ByteArrayOutputStream expected = new ByteArrayOutputStream();
        final List<String> ended = new ArrayList<>();
        final List<String> endsExpected = new ArrayList<>();
        final List<Source> sources = new ArrayList<>();
        /** The sizes of the buffers of the sockets; 0: not known. */
        private final int sendBytes;
        private final int receiveBytes;
        private int transfers;
        private boolean cut;
        /** Why the connection must have ended in the end. */
        private String endExpected = "FINISHED";
        private @Nullable IOException lastFailure;
        /** True within a call that starts a transfer. */
        private boolean isStarting;
        /** The last thing that was accepted is a transfer, or a message that was sent first behind it. */
        private boolean isBehindTransfer;
        /** What was accepted: the offset behind it, and its number; -1: a message. */
        private final List<long[]> accepted = new ArrayList<>();
        private final Set<Integer> endedNumbers = new HashSet<>();
        private final boolean isRing;

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
            isRing = network.host().engine() == SimEngine.URING;
            sendBytes = run.random.number(0, 1024, 16_384);
            receiveBytes = run.random.number(0, 1024, 16_384);
            run.sim.buffers(sendBytes, receiveBytes);
            Limits limits = LIMITS.withQueueBytesMax(8 << 20).withWriteTimeout(Duration.ZERO);
            server = run.builder(network, handler, limits).overflow(Overflow.DISCONNECT).open();
            client = TrialClient.connect(run, run.address);
            network.settle();
            connection = handler.all.getFirst().connection;
        }

        void perform() throws IOException {
            int steps = run.random.between(1, 8);
            for (int i = 0; i < steps && isOpen() && !run.hasFailed(); i++) {
                step();
                checkQueue();
            }
            if (isOpen()) {
                breakOff();
            }
            if (isOpen()) {
                finish();
            }
            for (int i = 0; i < 3_000 && client.end().equals("open"); i++) {
                network.settle();
                client.read((int) run.random.logUniform(1, 200_000));
            }
            client.close();
            network.settle();
            check();
            run.close(network, server);
        }

        private boolean isOpen() {
            return endExpected.equals("FINISHED");
        }

        private void step() throws IOException {
            switch (run.random.below(8)) {
                case 0, 1 -> message();
                case 2, 3 -> sendFile();
                case 4, 5 -> stream(false, SourceEnd.ENDS, false);
                case 6 -> refused();
                default -> {
                    if (run.random.chance(40)) {
                        cutShort();
                    } else {
                        connection.continueTransfer(); // none waits for it
                        network.settle();
                        client.read(length());
                    }
                }
            }
        }

        private void message() {
            byte[] bytes = Arrays.copyOf(CONTENT, length());
            if (run.random.chance(15)) {
                int number = transfers++;
                run.log("the server sends a message of " + bytes.length + " bytes with a listener");
                run.same(Rule.CALLBACKS, "the message", connection.send(ByteBuffer.wrap(bytes),
                        (of, sent, failure) -> ends(of, number, null, sent, failure)), SendResult.QUEUED);
                expected.writeBytes(bytes);
                endsExpected.add(number + ": " + bytes.length);
                accepted(number);
                return;
            }
            boolean isFirst = isBehindTransfer && run.random.chance(50); // it cannot overtake the transfer
            run.log("the server sends a message of " + bytes.length + " bytes" + (isFirst ? " first" : ""));
            run.same(Rule.CALLBACKS, "the message", isFirst ? connection.sendFirst(bytes) : connection.send(bytes),
                    SendResult.QUEUED);
            expected.writeBytes(bytes);
            accepted(-1);
            isBehindTransfer = isFirst;
        }

        private void accepted(int number) {
            accepted.add(new long[]{expected.size(), number});
            isBehindTransfer = number >= 0;
        }

        /** Compares the number of messages that wait. A ring may have sent some of them already. */
        private void checkQueue() throws IOException {
            if (!isOpen() || isRing || run.random.chance(50)) {
                return;
            }
            network.settle();
            long sent = server.stats().total().bytesOut();
            long waiting = accepted.stream().filter(
                    each -> each[1] < 0 ? each[0] > sent : !endedNumbers.contains((int) each[1])).count();
            run.same(Rule.GAUGES, "messages and transfers that wait", (long) connection.queue().messages(), waiting);
        }

        /** Often just what fills the buffers, so that the socket accepts all of a message and nothing of what follows. */
        private int length() {
            int exact = run.random.number(sendBytes, receiveBytes, sendBytes + receiveBytes, sendBytes + receiveBytes);
            return exact > 0 && run.random.chance(60) ? exact : (int) run.random.logUniform(1, 50_000);
        }

        private void ends(Connection of, int number, @Nullable Source source, long bytes, @Nullable IOException failure) {
            run.expect(Rule.CALLBACKS, of.equals(connection), "a listener is called with " + of);
            run.expect(Rule.CALLBACKS, !isStarting, "a listener is called within the call that has started a transfer");
            run.expect(Rule.CALLBACKS, source == null || !source.open, "a listener is called while the source is open");
            run.same(Rule.CALLBACKS, "calls of onClose before that of a listener", handler.all.getFirst().closes, 0);
            endedNumbers.add(number);
            lastFailure = failure;
            ended.add(number + ": " + bytes + (failure == null ? "" : ", " + failure.getClass().getSimpleName()));
        }

        private void sendFile() throws IOException {
            int from = run.random.chance(10) ? FILE_BYTES : (int) run.random.logUniform(0, FILE_BYTES);
            int most = FILE_BYTES - from;
            int count = run.random.chance(30) ? -1 : (int) run.random.logUniform(0, Math.max(1, most));
            int bytes = Math.min(most, count < 0 ? most : count);
            int number = transfers++;
            run.log("the server sends " + (count < 0 ? "the rest" : count + " bytes") + " of a file from byte " + from);
            int before = connection.queue().bytes();
            isStarting = true;
            SendResult result = connection.sendFile(file(), from, count < 0 ? -1 : bytes,
                    (of, sent, failure) -> ends(of, number, null, sent, failure));
            isStarting = false;
            run.same(Rule.CALLBACKS, "the file", result, SendResult.QUEUED);
            run.same(Rule.GAUGES, "bytes in the queue for the file", connection.queue().bytes() - before, RESERVED_BYTES);
            expected.write(CONTENT, from, bytes);
            endsExpected.add(number + ": " + bytes);
            accepted(number);
        }

        private void stream(boolean isCut, SourceEnd end, boolean listenerThrows) {
            int bytes = (int) run.random.logUniform(1, 150_000);
            boolean counted = (isCut && end == SourceEnd.ENDS) || run.random.chance(50);
            int number = transfers++;
            int more = counted && !isCut ? run.random.number(0, 0, 1, 5_000) : 0; // than is to be sent
            run.log("the server streams " + bytes + " bytes" + (counted ? "" : " until the end of the source")
                    + (isCut ? ", and a byte is missing: " + end : "") + (more > 0 ? ", whose source has more" : ""));
            Source source = new Source(Arrays.copyOf(CONTENT, bytes + more), run.random, end,
                    () -> connection.execute(connection::continueTransfer));
            sources.add(source);
            int before = connection.queue().bytes();
            isStarting = true;
            SendResult result = connection.sendFrom(source, counted ? bytes + (isCut ? 1 : 0) : -1, (of, sent, cause) -> {
                ends(of, number, source, sent, cause);
                if (cause == null) {
                    run.same(Rule.BYTES, "bytes that are left in a source", source.bytes.remaining(), more);
                }
                if (listenerThrows) {
                    TestExceptions.throwUndeclared(number);
                }
            });
            isStarting = false;
            run.same(Rule.CALLBACKS, "the stream", result, SendResult.QUEUED);
            run.same(Rule.GAUGES, "bytes in the queue for the stream", connection.queue().bytes() - before, RESERVED_BYTES);
            expected.write(CONTENT, 0, bytes);
            endsExpected.add(number + ": " + bytes + (!isCut ? "" : end == SourceEnd.ENDS ? ", EOFException" : ", IOException"));
            accepted(number);
        }

        /** A source that fails, or that ends before the number of bytes that was promised; or the connection is closed. */
        private void cutShort() throws IOException {
            if (run.random.chance(30)) {
                stream(false, SourceEnd.ENDS, false);
                network.settle();
                run.log("the connection is closed");
                connection.close();
                closed("CLOSED");
                return;
            }
            run.reached("TRANSFER_FAILED");
            cut = true;
            endExpected = "TRANSFER_FAILED";
            if (run.random.chance(20)) {
                sendShortened();
                return;
            }
            stream(true, run.random.chance(40) ? SourceEnd.ENDS : run.random.pick(SourceEnd.values()), false);
        }

        /** A file that is shortened while it is sent. */
        private void sendShortened() throws IOException {
            int from = run.random.below(FILE_BYTES - 1);
            int end = run.random.between(from, FILE_BYTES - 1);
            int number = transfers++;
            run.log("a file from byte " + from + " that is shortened to " + end + " bytes");
            network.shortenFiles(end);
            run.same(Rule.CALLBACKS, "the file", connection.sendFile(file(), from, -1,
                    (of, sent, failure) -> ends(of, number, null, sent, failure)), SendResult.QUEUED);
            network.shortenFiles(Long.MAX_VALUE);
            expected.write(CONTENT, from, end - from);
            endsExpected.add(number + ": " + (end - from) + ", EOFException");
        }

        /** What is left when a connection is closed at once was cut: each listener learns how much was sent. */
        private void closed(String reason) throws IOException {
            network.settle();
            endExpected = reason;
            long sent = server.stats().total().bytesOut();
            endsExpected.clear();
            long from = 0;
            cut = sent < expected.size();
            for (long[] each : accepted) {
                long length = each[0] - from;
                if (each[1] >= 0) {
                    boolean isWhole = sent >= each[0] && endsExpected.size() < ended.size()
                            && ended.get(endsExpected.size()).equals(each[1] + ": " + length);
                    cut |= !isWhole;
                    endsExpected.add(each[1] + ": " + (isWhole ? length : Math.clamp(sent - from, 0, length) + ", IOException"));
                }
                from = each[0];
            }
        }

        /** Sometimes the listener of a last stream throws, or there is just not enough room for a transfer. */
        private void breakOff() throws IOException {
            if (run.random.chance(10)) {
                run.log("a listener throws");
                endExpected = "HANDLER_FAILED";
                stream(false, SourceEnd.ENDS, true);
            } else if (run.random.chance(10)) {
                byte[] bytes = Arrays.copyOf(CONTENT, 8 * RESERVED_BYTES);
                run.same(Rule.CALLBACKS, "the message", connection.send(bytes), SendResult.QUEUED);
                expected.writeBytes(bytes);
                accepted(-1);
                int cap = connection.queue().bytes() + RESERVED_BYTES - 1;
                run.log("a stream does not fit into a queue of " + cap + " bytes");
                connection.limits(LIMITS.withQueueBytesMax(cap));
                refuse(SendResult.FULL);
                closed("QUEUE_FULL");
            }
        }

        /** Nothing of a transfer is touched that is refused. */
        private void refuse(SendResult result) throws IOException {
            Source source = new Source(new byte[10], run.random, SourceEnd.ENDS, () -> {});
            run.same(Rule.CALLBACKS, "a stream that is refused", connection.sendFrom(source, 10, (of, sent, failure) -> {
                ended.add("of a stream that was refused");
            }), result);
            run.expect(Rule.CALLBACKS, source.open && source.bytes.remaining() == 10, "the source of a stream that was refused"
                    + " was read or closed");
            if (result == SendResult.CLOSED) {
                run.same(Rule.CALLBACKS, "a file that is refused", connection.sendFile(file(), 0, -1, (of, sent, failure) -> {
                    ended.add("of a file that was refused");
                }), result);
            }
        }

        /** Everything that was accepted is sent before the end, by each method. */
        private void finish() throws IOException {
            boolean isHalf = run.random.chance(30);
            run.log(isHalf ? "the server finishes its output" : "the server finishes");
            if (isHalf) {
                endExpected = "PEER_FINISHED";
                connection.finishOutput();
            } else {
                connection.finish();
            }
            refuse(SendResult.CLOSED);
        }

        private void refused() throws IOException {
            try {
                connection.sendFile(file(), FILE_BYTES - 10, 11, (of, sent, failure) -> {});
                run.fail(Rule.CALLBACKS, "more of a file is accepted than it has");
            } catch (EOFException e) {
                run.log("more of a file than it has is refused");
            }
            try {
                connection.sendFile(file().resolveSibling("trivet-no-such-file"), 0, -1, (of, sent, failure) -> {});
                run.fail(Rule.CALLBACKS, "a file that does not exist is accepted");
            } catch (NoSuchFileException e) {
                // As it must be.
            }
            try {
                connection.sendFile(file(), -1, 1, (of, sent, failure) -> {});
                run.fail(Rule.CALLBACKS, "a negative position is accepted");
            } catch (IllegalArgumentException e) {
                // As it must be.
            }
        }

        private void check() {
            TrialHandler.Seen seen = handler.all.getFirst();
            byte[] received = client.received();
            byte[] right = expected.toByteArray();
            int length = Math.min(client.count(), right.length);
            run.expect(Rule.BYTES, client.count() <= right.length, "the client has received more than was sent");
            if (!Arrays.equals(received, 0, length, right, 0, length)) {
                run.fail(Rule.BYTES, "the client has received other bytes than were sent, from offset "
                        + Arrays.mismatch(received, 0, length, right, 0, length) + " on");
            }
            for (Source source : sources) {
                run.expect(Rule.LEAKS, !source.isOpen(), "the source of a transfer that has ended is open");
            }
            run.same(Rule.CALLBACKS, "the ends of the transfers", ended, endsExpected);
            run.same(Rule.ENDS, "the connection is", seen.end(), endExpected);
            run.same(Rule.ENDS, "the client has read", client.end(), cut ? "ECONNRESET" : "ended");
            if (endExpected.equals("TRANSFER_FAILED")) {
                IOException failure = seen.connection.failure();
                run.expect(Rule.ENDS, failure != null && failure.equals(lastFailure), "after a failed transfer, failure() is "
                        + failure + ", and its listener gets " + lastFailure);
            } else if (!cut) {
                run.same(Rule.DELIVERY, "bytes received", client.count(), right.length);
            }
        }
    }
}
