package io.trivet.app;

import io.trivet.net.Network;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * {@code trivet connect --send}: says the same messages on every connection, and waits for the replies. A message goes out on all
 * connections; the next follows when each of them got at least as many bytes back, so that no two messages melt into one.
 * In the end each connection is half-closed, and read to its end.
 */
final class Conversation {
    /** How long a server may be silent after all has come, before the connection is closed whether it has finished or not. */
    private static final Duration LINGER = Duration.ofSeconds(1);

    private final Network network;
    private final List<ClientConnection> connections;
    private final long expectedBytes;
    private final Received received;
    private final PrintStream err;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);

    /** Each connection is done when so many bytes came; negative: as many as it has sent. */
    Conversation(Network network, List<ClientConnection> connections, long expectedBytes, Received received, PrintStream err) {
        this.network = network;
        this.connections = connections;
        this.expectedBytes = expectedBytes;
        this.received = received;
        this.err = err;
    }

    /** Says the messages; fails when replies are missing at that time, and says what is missing. */
    void hold(List<String> messages, long untilNanos) throws IOException {
        try {
            for (String message : messages) {
                for (ClientConnection connection : connections) {
                    err.println(connection.name + ": sending \"" + EscapedText.of(message) + "\"");
                    connection.say(message.getBytes(StandardCharsets.UTF_8));
                }
                exchange(untilNanos, this::hasReply);
            }
            exchange(untilNanos, this::isDone);
            for (ClientConnection connection : connections) {
                connection.finish();
            }
            listen(untilNanos);
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
    private void exchange(long untilNanos, Predicate<ClientConnection> enough) throws IOException {
        while (!connections.stream().allMatch(enough)) {
            Ready<ClientConnection> ready = select(remaining(untilNanos));
            for (ClientConnection connection : ready.readable()) {
                receive(connection);
            }
            for (ClientConnection connection : ready.writable()) {
                connection.flush();
            }
            for (ClientConnection connection : connections) {
                if (connection.inputEnded && !isDone(connection)) {
                    throw new IOException("the server closed the connection of " + connection.name + " after "
                            + connection.receivedBytes() + " of " + dueBytes(connection) + " bytes");
                }
            }
            if (remaining(untilNanos).isZero() && !connections.stream().allMatch(enough)) {
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
    private void listen(long untilNanos) throws IOException {
        while (!connections.stream().allMatch(connection -> connection.inputEnded)) {
            Duration left = remaining(untilNanos);
            Ready<ClientConnection> ready = select(left.compareTo(LINGER) < 0 ? left : LINGER);
            for (ClientConnection connection : ready.readable()) {
                try {
                    receive(connection);
                } catch (IOException e) { // all that was due has come
                    connection.inputEnded = true;
                    err.println(connection.name + ": " + e.getMessage());
                }
            }
            if (ready.isEmpty()) {
                err.println("the server has not finished: closing all the same");
                return;
            }
        }
    }

    private Ready<ClientConnection> select(Duration timeout) throws IOException {
        List<ClientConnection> readers = new ArrayList<>();
        List<ClientConnection> writers = new ArrayList<>();
        for (ClientConnection connection : connections) {
            if (!connection.inputEnded) {
                readers.add(connection);
            }
            if (connection.hasOutput()) {
                writers.add(connection);
            }
        }
        return Select.select(readers, writers, List.of(), timeout);
    }

    private void receive(ClientConnection connection) throws IOException {
        if (!connection.receive(buffer)) {
            err.println(connection.name + ": the server has finished");
        } else if (buffer.hasRemaining()) {
            err.println(connection.name + ": received \"" + EscapedText.of(buffer) + "\"");
            received.part(buffer);
        }
    }

    private Duration remaining(long untilNanos) {
        return Duration.ofNanos(Math.max(0, untilNanos - network.clock().nanoTime()));
    }
}
