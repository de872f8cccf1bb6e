package io.trivet.app;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * {@code trivet connect --send}: says the same messages on every connection, and waits for the replies. A message goes out on all
 * connections; the next follows when each of them got at least as many bytes back, so that no two messages melt into one.
 * In the end each connection is half-closed, and read to its end.
 */
final class Conversation implements Client.Listener {
    /** How long a server may be silent after all has come, before the connection is closed whether it has finished or not. */
    private static final Duration LINGER = Duration.ofSeconds(1);

    private final Client client;
    private final List<ClientConnection> connections;
    private final long expectedBytes;
    private final Received received;
    private final PrintStream err;
    /** All that was due on all connections: what happens now is no failure. */
    private boolean allCame;
    private @Nullable IOException failure;

    /** Each connection is done when so many bytes came; negative: as many as it has sent. */
    Conversation(Client client, long expectedBytes, Received received, PrintStream err) {
        this.client = client;
        this.connections = client.connections();
        this.expectedBytes = expectedBytes;
        this.received = received;
        this.err = err;
    }

    /** Says the messages; fails when replies are missing at the end of the client's time, and says what is missing. */
    void hold(List<String> messages) throws IOException {
        try {
            client.listen(this);
            for (String message : messages) {
                for (ClientConnection connection : connections) {
                    err.println(connection.name + ": sending \"" + EscapedText.of(message) + "\"");
                    connection.say(message.getBytes(StandardCharsets.UTF_8));
                }
                exchange(this::hasReply);
            }
            exchange(this::isDone);
            allCame = true;
            connections.forEach(ClientConnection::finish);
            listen();
        } finally {
            for (ClientConnection connection : connections) {
                received.line(connection.name, connection.kept());
            }
            received.end();
        }
    }

    private boolean hasReply(ClientConnection connection) {
        boolean allCame = expectedBytes >= 0 && connection.receivedBytes() >= expectedBytes;
        return !connection.hasOutput() && (connection.hasReply() || allCame);
    }

    private boolean isDone(ClientConnection connection) {
        return !connection.hasOutput() && connection.receivedBytes() >= dueBytes(connection);
    }

    private long dueBytes(ClientConnection connection) {
        return expectedBytes < 0 ? connection.saidBytes() : expectedBytes;
    }

    /** Sends and receives until that is so of every connection. */
    private void exchange(Predicate<ClientConnection> enough) throws IOException {
        while (!connections.stream().allMatch(enough)) {
            Duration left = client.remaining();
            client.turn(left);
            if (failure != null) {
                throw failure;
            }
            for (ClientConnection connection : connections) {
                if (connection.inputEnded && !isDone(connection)) {
                    throw new IOException("the server closed the connection of " + connection.name + " after "
                            + connection.receivedBytes() + " of " + dueBytes(connection) + " bytes");
                }
            }
            if (left.isZero() && !connections.stream().allMatch(enough)) {
                throw missing();
            }
        }
    }

    private IOException missing() {
        List<ClientConnection> waiting = connections.stream().filter(connection -> !isDone(connection)).toList();
        ClientConnection first = waiting.getFirst();
        return new IOException("after the time of --wait " + first.name + " got " + first.receivedBytes() + " of "
                + dueBytes(first) + " bytes: " + (dueBytes(first) - first.receivedBytes()) + " are missing"
                + (waiting.size() == 1 ? "" : ", and some on " + (waiting.size() - 1) + " more connections"));
    }

    /** Reads what still comes, until every server has finished. */
    private void listen() throws IOException {
        while (!connections.stream().allMatch(connection -> connection.inputEnded)) {
            Duration left = client.remaining();
            if (!client.awaitSign(left.compareTo(LINGER) < 0 ? left : LINGER)) {
                err.println("the server has not finished: closing all the same");
                return;
            }
        }
    }

    @Override
    public void received(ClientConnection connection, ByteBuffer bytes) {
        err.println(connection.name + ": received \"" + EscapedText.of(bytes) + "\"");
        received.part(bytes);
    }

    @Override
    public void ended(ClientConnection connection, @Nullable IOException why) {
        if (why != null && !allCame) {
            failure = why;
        } else {
            err.println(connection.name + ": " + (why == null ? "the server has finished" : why.getMessage()));
        }
    }
}
