package io.trivet.app;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * {@code trivet connect --send}: sends the same messages on every connection and waits for the replies. The next message is sent
 * when each connection has received at least as many bytes as the last message has, so that the server does not read two messages
 * as one. At the end, each connection is half-closed and read until the server ends its output.
 */
final class SendSession implements Client.Listener {
    /** How long a server may be silent after all replies have arrived, before the connection is closed anyway. */
    private static final Duration LINGER = Duration.ofSeconds(1);

    private final Client client;
    private final List<ClientConnection> connections;
    private final long expectedBytes;
    private final ReceivedOutput output;
    private final PrintStream err;
    /** All expected bytes have arrived on all connections: from then on a lost connection is not a failure. */
    private boolean complete;
    private @Nullable IOException failure;

    /**
     * Creates a session on the client's connections.
     *
     * @param expectedBytes how many bytes each connection must receive; negative: as many as it sends
     */
    SendSession(Client client, long expectedBytes, ReceivedOutput output, PrintStream err) {
        this.client = client;
        this.connections = client.connections();
        this.expectedBytes = expectedBytes;
        this.output = output;
        this.err = err;
    }

    /**
     * Sends the messages and waits for the replies.
     *
     * @throws IOException a connection was lost, or replies are missing when the client's timeout expires; the message says which
     */
    void run(List<String> messages) throws IOException {
        try {
            client.startReading(this);
            for (String message : messages) {
                for (ClientConnection connection : connections) {
                    err.println(connection.name + ": sending \"" + EscapedText.of(message) + "\"");
                    connection.send(RawText.bytes(message));
                }
                exchangeUntil(this::hasReply);
            }
            exchangeUntil(this::isDone);
            complete = true;
            connections.forEach(ClientConnection::finishOutput);
            readToEnd();
            printAll();
        } catch (IOException e) {
            if (!output.hasFailed()) {
                try {
                    printAll();
                } catch (IOException second) {
                    e.addSuppressed(second);
                }
            }
            throw e;
        }
    }

    private void printAll() throws IOException {
        for (ClientConnection connection : connections) {
            output.printLine(connection.name, connection.kept());
        }
        Duration remaining = client.remaining();
        output.finish(remaining.compareTo(LINGER) < 0 ? LINGER : remaining);
    }

    private boolean hasReply(ClientConnection connection) {
        boolean hasExpected = expectedBytes >= 0 && connection.receivedBytes() >= expectedBytes;
        return !connection.hasUnsent() && (connection.hasReply() || hasExpected);
    }

    private boolean isDone(ClientConnection connection) {
        return !connection.hasUnsent() && connection.receivedBytes() >= expectedBytes(connection);
    }

    private long expectedBytes(ClientConnection connection) {
        return expectedBytes < 0 ? connection.sentBytes() : expectedBytes;
    }

    /** Sends and receives until the condition holds for every connection. */
    private void exchangeUntil(Predicate<ClientConnection> condition) throws IOException {
        while (!connections.stream().allMatch(condition)) {
            Duration remaining = client.remaining();
            client.turn(remaining);
            output.check();
            if (failure != null) {
                throw failure;
            }
            for (ClientConnection connection : connections) {
                if (connection.inputEnded && !isDone(connection)) {
                    throw new IOException(connection.name + ": the server closed the connection after "
                            + connection.receivedBytes() + " of " + expectedBytes(connection) + " bytes");
                }
            }
            if (remaining.isZero() && output.isBlocked()) {
                throw new IOException("standard output: what was received was not read within --wait");
            }
            if (remaining.isZero() && !connections.stream().allMatch(condition)) {
                throw missingBytes();
            }
        }
    }

    private IOException missingBytes() {
        List<ClientConnection> waiting = connections.stream().filter(connection -> !isDone(connection)).toList();
        ClientConnection first = waiting.getFirst();
        long expected = expectedBytes(first);
        return new IOException(first.name + ": received " + first.receivedBytes() + " of " + expected + " bytes within --wait, "
                + (expected - first.receivedBytes()) + " are missing"
                + (waiting.size() == 1 ? "" : ", and some on " + (waiting.size() - 1) + " more connections"));
    }

    /** Reads until the server has ended its output on every connection, or is silent for too long. */
    private void readToEnd() throws IOException {
        while (!connections.stream().allMatch(connection -> connection.inputEnded)) {
            Duration remaining = client.remaining();
            if (!client.awaitActivity(remaining.compareTo(LINGER) < 0 ? remaining : LINGER, output::hasFailed)) {
                err.println("the server has not closed its side: closing anyway");
                return;
            }
        }
    }

    @Override
    public void onReceived(ClientConnection connection, ByteBuffer bytes) {
        err.println(connection.name + ": received \"" + EscapedText.of(bytes) + "\"");
        output.write(bytes);
    }

    @Override
    public void onEnd(ClientConnection connection, @Nullable IOException cause) {
        if (cause != null && !complete) {
            failure = cause;
        } else {
            err.println(connection.name + ": " + (cause == null ? "the server closed its side" : cause.getMessage()));
        }
    }
}
