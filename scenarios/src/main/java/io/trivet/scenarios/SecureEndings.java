package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Server;
import io.trivet.tls.TlsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** The messages of an open connection with TLS, and each way in which it can end. */
final class SecureEndings {
    private static final int ROUNDS_MAX = 500;
    private static final int HEADER_BYTES = 5;
    /** Maximum length of a record without its header. */
    private static final int RECORD_BYTES_MAX = 16_384 + 2_048;
    /** A longer part of a record is held in a buffer for any record. */
    private static final int HALF_RECORD_BYTES = 8_192;
    private static final int HELD_BYTES_MIN = 512;

    /** How an open connection ends. */
    private enum Ending {
        CLOSE, CLOSE_UNSENT, RESET, SERVER_CLOSE, DRAIN, FORGED, PLAINTEXT, TOO_LONG, CUT
    }

    private final TrialRun run;
    private final SeededRandom random;
    private final TrialNetwork network;
    private final Server server;
    private final TrialHandler handler;
    private final TrialClient client;
    private final SecuredStream secured;
    private int lines;
    private boolean alerted;
    private @Nullable String streamEnd;
    private final StringBuilder expected = new StringBuilder();

    SecureEndings(TrialRun run, TrialNetwork network, Server server, TrialHandler handler, TrialClient client,
            SecuredStream secured) {
        this.run = run;
        random = run.random;
        this.network = network;
        this.server = server;
        this.handler = handler;
        this.client = client;
        this.secured = secured;
    }

    void perform() throws IOException {
        talk();
        end(random.pick(Ending.values()));
    }

    private Connection connection() {
        return handler.all.getFirst().connection;
    }

    // ---- while it is open

    private void talk() throws IOException {
        for (int i = random.between(0, 4); i > 0; i--) {
            if (secured.isTls13() && random.chance(40)) {
                run.log("the client updates its keys");
                secured.updateKeys();
                secured.flushAll(network);
            }
            exchange(random.between(1, random.chance(30) ? 3_000 : 100));
            run.same(Rule.GAUGES, "bytes held while nothing waits", server.stats().queueBytes(), 0L);
        }
        if (random.chance(30)) {
            run.expect(Rule.CALLBACKS, isRefused(() -> connection().sendUrgent((byte) 1)),
                    "an urgent byte over TLS is not refused");
        }
    }

    private static boolean isRefused(Runnable call) {
        try {
            call.run();
            return false;
        } catch (UnsupportedOperationException e) {
            return true;
        }
    }

    private String line(int size) {
        return lines + ":" + String.valueOf((char) ('a' + lines++ % 26)).repeat(size);
    }

    /** The client sends a line, and gets it back. */
    private void exchange(int size) throws IOException {
        String line = line(size);
        ByteBuffer message = ByteBuffer.wrap(MessageContent.ascii(line + "\n"));
        expected.append(line).append('\n');
        for (int i = 0; i < ROUNDS_MAX && (message.hasRemaining() || secured.hasUnsent()
                || secured.receivedBytes() < expected.length()); i++) {
            secured.send(message);
            secured.progress(true);
            network.settle();
        }
        checkReceived();
    }

    private void checkReceived() {
        run.same(Rule.DELIVERY, "what the client has received", new String(secured.received(), StandardCharsets.ISO_8859_1),
                expected.toString());
    }

    // ---- the end

    private void end(Ending ending) throws IOException {
        run.log("the end: " + ending);
        run.reached("SECURED_CASE_" + ending);
        Connection connection = connection();
        switch (ending) {
            case CLOSE -> {
                connection.close();
                network.settle();
                readToEnd();
                checkClosed(CloseReason.CLOSED, "ended", true);
            }
            case CLOSE_UNSENT -> {
                connection.send(line(60_000));
                network.settle();
                connection.close();
                network.settle();
                readToEnd();
                checkClosed(CloseReason.CLOSED, "ECONNRESET", false);
            }
            case RESET -> {
                connection.reset();
                network.settle();
                readToEnd();
                checkClosed(CloseReason.CLOSED, "ECONNRESET", false);
            }
            case SERVER_CLOSE -> {
                server.close();
                readToEnd();
                checkClosed(CloseReason.SERVER_CLOSED, "ended", true);
            }
            case DRAIN -> {
                server.drain(Duration.ofHours(1));
                network.settle();
                readToEnd();
                run.expect(Rule.ENDS, secured.hasReceivedNotify(), "a drain has sent no close_notify");
                endOutput();
                checkClosed(CloseReason.DRAINED, "ended", true);
            }
            case FORGED -> {
                String line = line(random.between(1, 200));
                sendPrepared(line);
                ByteBuffer record = secured.prepare(MessageContent.ascii("forged\n"));
                int at = random.between(HEADER_BYTES, record.limit() - 1);
                record.put(at, (byte) (record.get(at) ^ 1 << random.below(8)));
                secured.flushAll(network);
                checkBroken(line, null);
                run.expect(Rule.ENDS, alerted, "a client that has sent a forged record gets no alert");
            }
            case PLAINTEXT -> {
                String line = line(random.between(1, 200));
                sendPrepared(line);
                secured.sendRaw(MessageContent.ascii("hello\n"));
                secured.flushAll(network);
                checkBroken(line, "the peer has sent something that is no TLS record");
            }
            case TOO_LONG -> {
                String line = line(random.between(1, 200));
                sendPrepared(line);
                int length = RECORD_BYTES_MAX + random.number(0, 1, random.between(1, 65_535 - RECORD_BYTES_MAX));
                secured.sendRaw(new byte[]{23, 3, 3, (byte) (length >> 8), (byte) length, 0});
                secured.flushAll(network);
                if (length == RECORD_BYTES_MAX) {
                    run.same(Rule.ENDS, "a connection that has begun the longest record", handler.all.getFirst().end(), "open");
                } else {
                    checkBroken(line, "the peer has sent a record of " + length + " bytes; TLS allows " + RECORD_BYTES_MAX);
                }
            }
            case CUT -> cut();
        }
        run.same(Rule.CALLBACKS, "calls of onOpen", handler.all.getFirst().opens, 1);
    }

    /** Sends a line whose echo the client does not read yet. */
    private void sendPrepared(String line) throws IOException {
        expected.append(line).append('\n');
        secured.prepare(MessageContent.ascii(line + "\n"));
    }

    /** A part of a record is held, in a buffer that counts in the budget. Then the stream ends without a close_notify. */
    private void cut() throws IOException {
        byte[] record = new byte[random.between(2, 16_000)];
        Arrays.fill(record, (byte) 'x');
        int length = secured.prepare(record).remaining();
        int left = random.chance(30) ? random.between(length - 6, length - 1) : random.between(1, length - 1);
        secured.dropUnsent(left);
        secured.flushAll(network);
        int held = Math.max(HELD_BYTES_MIN, Integer.highestOneBit(2 * (length - left) - 1));
        run.same(Rule.GAUGES, "bytes of the budget for " + (length - left) + " bytes of a record", server.stats().queueBytes(),
                (long) (length - left > HALF_RECORD_BYTES ? HEADER_BYTES + RECORD_BYTES_MAX : held));
        run.same(Rule.ENDS, "a connection that has begun a record", handler.all.getFirst().end(), "open");
        client.endOutput();
        network.settle();
        readToEnd();
        run.same(Rule.CALLBACKS, "ends of the input that were delivered", handler.all.getFirst().inputEnded, false);
        checkClosed(CloseReason.TRUNCATED, "ended", true);
    }

    /** The client has broken TLS. What it has sent before that was delivered. */
    private void checkBroken(String line, @Nullable String message) throws IOException {
        readToEnd();
        TrialHandler.Seen seen = handler.all.getFirst();
        run.same(Rule.ENDS, "the end of a connection whose peer breaks TLS", seen.end(), CloseReason.PROTOCOL_ERROR.name());
        run.expect(Rule.DELIVERY, !seen.messages.isEmpty() && seen.messages.getLast().equals(line),
                "what the client has sent before it has broken TLS is not delivered");
        run.expect(Rule.ENDS, seen.connection.failure() instanceof TlsException, "the failure is " + seen.connection.failure());
        if (message != null) {
            checkFailure(message);
        }
    }

    private void checkFailure(String right) {
        IOException failure = handler.all.getFirst().connection.failure();
        run.same(Rule.ENDS, "the failure", failure == null ? "none" : String.valueOf(failure.getMessage()), right);
    }

    /** Reads everything; then TLS may have failed, which the client learns by an alert. */
    void readToEnd() throws IOException {
        try {
            for (int i = 0; i < ROUNDS_MAX && !secured.hasStreamEnded(); i++) {
                secured.progress(true);
                network.settle();
            }
        } catch (SSLException e) {
            run.log("the client has read " + e);
            alerted = true;
            client.readAll();
        } catch (NetworkException e) {
            if (e.code() == ErrorCode.EPIPE) { // the answer to the server's close_notify, after the client's FIN
                client.readAll();
            } else {
                streamEnd = String.valueOf(e.code());
            }
        }
    }

    /** Returns how the stream has ended for the client. */
    String streamEnd() {
        String failed = streamEnd;
        return failed != null ? failed : secured.hasStreamEnded() ? "ended" : client.end();
    }

    void endOutput() throws IOException {
        secured.endOutput();
        secured.flushAll(network);
        client.endOutput();
        network.settle();
    }

    void checkClosed(CloseReason reason, String end, boolean isNotified) {
        TrialHandler.Seen seen = handler.all.getFirst();
        run.same(Rule.ENDS, "the end of a connection with TLS", seen.end(), reason.name());
        run.same(Rule.CALLBACKS, "calls of onClose", seen.closes, 1);
        run.same(Rule.ENDS, "the client has read", streamEnd(), end);
        run.same(Rule.ENDS, "the client has received a close_notify", secured.hasReceivedNotify(), isNotified);
        run.same(Rule.ENDS, "the connection was reset", server.recentlyClosed().getFirst().reset(), !end.equals("ended"));
        if (isNotified) {
            checkReceived();
        }
    }
}
