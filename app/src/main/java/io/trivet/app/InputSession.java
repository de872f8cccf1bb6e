package io.trivet.app;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code trivet connect} without {@code --send}: forwards standard input, typed or piped, to every connection and prints what
 * arrives. When the input ends, each connection is half-closed and read until the server ends its output.
 */
final class InputSession implements Client.Listener, StandardInput.Reader {
    private final Client client;
    /** Connections on which the server has not ended its output. */
    private final List<ClientConnection> connections;
    /** How long all servers may be silent once the input has ended. */
    private final Duration silenceMax;
    private final ReceivedOutput output;
    private final PrintStream err;
    /** True if standard input has reached its end without an error. */
    private boolean inputEnded;
    /** True if the connections were reset because a stream failed. */
    private boolean cut;
    private @Nullable IOException inputFailure;
    private boolean failed;

    InputSession(Client client, Duration silenceMax, ReceivedOutput output, PrintStream err) {
        this.client = client;
        this.connections = new ArrayList<>(client.connections());
        this.silenceMax = silenceMax;
        this.output = output;
        this.err = err;
    }

    /**
     * Forwards input and output until both have ended. If this fails before the end of the input, resets the connections: a
     * truncated input must not look complete to a server.
     *
     * @return false if a server closed its side before the input had ended and been sent
     */
    boolean run() throws IOException {
        try {
            return forward();
        } finally {
            if (!inputEnded) {
                cut = true;
                connections.forEach(ClientConnection::reset);
            }
        }
    }

    private boolean forward() throws IOException {
        if (Terminal.isInput()) {
            err.println("type lines to send; Ctrl-D ends the input");
        }
        StandardInput input = new StandardInput(connections.getFirst().loop(), this);
        client.startReading(this);
        while (!connections.isEmpty() && !inputEnded && inputFailure == null) {
            if (connections.stream().noneMatch(ClientConnection::hasUnsent)) {
                input.requestRead(); // not before: with a slow server the input would pile up in memory
            }
            client.turn(null);
            output.check();
        }
        while (!connections.isEmpty() && inputFailure == null) {
            boolean active = client.awaitActivity(silenceMax, output::hasFailed);
            output.check();
            if (!active && !output.isBlocked()) {
                inputFailure = new IOException(
                        "the server has not closed its side within --wait, " + DurationText.of(silenceMax));
            }
        }
        output.finish(null);
        if (inputFailure != null) {
            throw inputFailure;
        }
        return !failed;
    }

    @Override
    public void onInput(byte[] bytes) {
        for (ClientConnection connection : connections) {
            connection.send(bytes);
        }
    }

    @Override
    public void onInputEnd(@Nullable IOException failure) {
        if (failure != null) {
            inputFailure = failure;
            return;
        }
        inputEnded = true;
        for (ClientConnection connection : connections) {
            connection.finishOutput();
        }
    }

    @Override
    public void onReceived(ClientConnection connection, ByteBuffer bytes) {
        output.write(bytes);
        output.printLine(connection.name, bytes);
    }

    @Override
    public void onEnd(ClientConnection connection, @Nullable IOException cause) {
        if (cut) { // run() has reset the connections, and its caller reports why
            return;
        }
        connections.remove(connection);
        if (cause != null || !inputEnded || connection.hasUnsent()) {
            failed = true;
            output.endLine();
            err.println("trivet connect: " + connection.name + ": "
                    + (cause == null ? "the server closed the connection" : cause.getMessage()));
        }
    }
}
