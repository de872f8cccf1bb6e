package io.trivet.app;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code trivet connect} without {@code --send}: what is typed, or comes through a pipe, goes to every connection; what they answer
 * is shown. At the end of the input each connection is half-closed, and read to its end.
 */
final class Dialogue implements Client.Listener, StandardInput.Reader {
    private final Client client;
    /** Those whose server has not finished. */
    private final List<ClientConnection> connections;
    /** How long servers may be silent once the input has ended. */
    private final Duration patience;
    private final Received received;
    private final PrintStream err;
    private boolean inputEnded;
    private @Nullable IOException inputFailure;
    private boolean failed;

    Dialogue(Client client, Duration patience, Received received, PrintStream err) {
        this.client = client;
        this.connections = new ArrayList<>(client.connections());
        this.patience = patience;
        this.received = received;
        this.err = err;
    }

    /** Returns whether all went well: false when a server was gone too early. */
    boolean hold() throws IOException {
        if (Terminal.isInput()) {
            err.println("what you type is sent line by line; Ctrl-D finishes");
        }
        StandardInput input = new StandardInput(connections.getFirst().loop(), this);
        client.listen(this);
        while (!connections.isEmpty() && !inputEnded) {
            if (connections.stream().noneMatch(ClientConnection::hasOutput)) {
                input.ask(); // not before: a slow server must not fill our memory
            }
            client.turn(null);
        }
        while (!connections.isEmpty() && inputFailure == null) {
            if (!client.awaitSign(patience)) {
                inputFailure = new IOException(
                        "the server has not finished within the time of --wait, " + DurationText.of(patience));
            }
        }
        received.end();
        if (inputFailure != null) {
            throw inputFailure;
        }
        return !failed;
    }

    @Override
    public void typed(byte[] bytes) {
        for (ClientConnection connection : connections) {
            connection.say(bytes);
        }
    }

    @Override
    public void inputEnded(@Nullable IOException failure) {
        inputEnded = true;
        inputFailure = failure;
        for (ClientConnection connection : connections) {
            connection.finish();
        }
    }

    @Override
    public void received(ClientConnection connection, ByteBuffer bytes) {
        received.part(bytes);
        received.line(connection.name, bytes);
    }

    @Override
    public void ended(ClientConnection connection, @Nullable IOException why) {
        connections.remove(connection);
        if (why != null || !inputEnded || connection.hasOutput()) {
            failed = true;
            received.end();
            err.println("trivet connect: " + connection.name + ": "
                    + (why == null ? "the server closed the connection" : why.getMessage()));
        }
    }
}
