package io.trivet.scenarios;

import io.trivet.server.Connection;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
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
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Files and streams among messages: the client receives exactly these bytes, in the order in which they were accepted. Each listener is
 * called once. A source that fails, or ends too early, cuts the connection.
 */
final class FileTrial implements Trial {
    private static final int FILE_BYTES = 200_000;
    private static final byte[] CONTENT = content();
    private static @Nullable Path file;

    /** A source of a number of bytes, which sometimes has nothing. */
    private static final class Source implements ReadableByteChannel {
        private final ByteBuffer bytes;
        private final SeededRandom random;
        private final Runnable continuation;
        /** What it throws at its end; null: it just ends. */
        private final @Nullable IOException failure;
        boolean open = true;

        Source(byte[] bytes, SeededRandom random, @Nullable IOException failure, Runnable continuation) {
            this.bytes = ByteBuffer.wrap(bytes);
            this.random = random;
            this.failure = failure;
            this.continuation = continuation;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            if (!bytes.hasRemaining()) {
                if (failure != null) {
                    throw failure;
                }
                return -1;
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

        Steps(TrialRun run) throws IOException {
            this.run = run;
            network = run.anyNetwork();
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
            for (int i = 0; i < steps && !cut && !run.hasFailed(); i++) {
                step();
            }
            if (!cut) {
                connection.finish();
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

        private void step() throws IOException {
            switch (run.random.below(8)) {
                case 0, 1 -> message();
                case 2, 3 -> sendFile();
                case 4, 5 -> stream(false, null);
                case 6 -> refused();
                default -> {
                    if (run.random.chance(40)) {
                        cutShort();
                    } else {
                        network.settle();
                        client.read(length());
                    }
                }
            }
        }

        private void message() {
            byte[] bytes = Arrays.copyOf(CONTENT, length());
            run.log("the server sends a message of " + bytes.length + " bytes");
            run.same(Rule.CALLBACKS, "the message", connection.send(bytes), SendResult.QUEUED);
            expected.writeBytes(bytes);
        }

        /** Often just what fills the buffers, so that the socket accepts all of a message and nothing of what follows. */
        private int length() {
            int exact = run.random.number(sendBytes, receiveBytes, sendBytes + receiveBytes, sendBytes + receiveBytes);
            return exact > 0 && run.random.chance(60) ? exact : (int) run.random.logUniform(1, 50_000);
        }

        private void ends(int number, long bytes, @Nullable IOException failure) {
            ended.add(number + ": " + bytes + (failure == null ? "" : ", " + failure.getClass().getSimpleName()));
        }

        private void sendFile() throws IOException {
            int from = (int) run.random.logUniform(0, FILE_BYTES);
            int most = FILE_BYTES - from;
            int count = run.random.chance(30) ? -1 : (int) run.random.logUniform(0, Math.max(1, most));
            int bytes = Math.min(most, count < 0 ? most : count);
            int number = transfers++;
            run.log("the server sends " + (count < 0 ? "the rest" : count + " bytes") + " of a file from byte " + from);
            SendResult result = connection.sendFile(file(), from, count < 0 ? -1 : bytes,
                    (of, sent, failure) -> ends(number, sent, failure));
            run.same(Rule.CALLBACKS, "the file", result, SendResult.QUEUED);
            expected.write(CONTENT, from, bytes);
            endsExpected.add(number + ": " + bytes);
        }

        private void stream(boolean isCut, @Nullable IOException failure) {
            int bytes = (int) run.random.logUniform(1, 150_000);
            boolean counted = (isCut && failure == null) || run.random.chance(50);
            int number = transfers++;
            run.log("the server streams " + bytes + " bytes" + (counted ? "" : " until the end of the source")
                    + (failure != null ? ", whose source fails" : isCut ? ", and a byte is missing" : ""));
            Source source = new Source(Arrays.copyOf(CONTENT, bytes), run.random, failure,
                    () -> connection.execute(connection::continueTransfer));
            sources.add(source);
            SendResult result = connection.sendFrom(source, counted ? bytes + (isCut ? 1 : 0) : -1,
                    (of, sent, cause) -> ends(number, sent, cause));
            run.same(Rule.CALLBACKS, "the stream", result, SendResult.QUEUED);
            if (!isCut) {
                expected.write(CONTENT, 0, bytes);
                endsExpected.add(number + ": " + bytes);
            }
        }

        /** A source that fails, or that ends before the number of bytes that was promised. */
        private void cutShort() {
            cut = true;
            run.reached("TRANSFER_FAILED");
            stream(true, run.random.chance(50) ? null : new IOException("drawn"));
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
            if (!Arrays.equals(received, 0, length, right, 0, length)) {
                run.fail(Rule.BYTES, "the client has received other bytes than were sent, from offset "
                        + Arrays.mismatch(received, 0, length, right, 0, length) + " on");
            }
            for (Source source : sources) {
                run.expect(Rule.LEAKS, !source.isOpen(), "the source of a transfer that has ended is open");
            }
            if (cut) {
                run.same(Rule.ENDS, "the connection whose transfer has failed is", seen.end(), "TRANSFER_FAILED");
                run.same(Rule.ENDS, "its client has read", client.end(), "ECONNRESET");
                run.same(Rule.CALLBACKS, "listeners that were called", ended.size(), transfers);
                run.expect(Rule.ENDS, seen.connection.failure() != null, "failure() returns null after a failed transfer");
            } else {
                run.same(Rule.DELIVERY, "bytes received", client.count(), right.length);
                run.same(Rule.ENDS, "the client has read", client.end(), "ended");
                run.same(Rule.CALLBACKS, "the ends of the transfers", ended, endsExpected);
            }
        }
    }
}
