package io.trivet.app;

import io.trivet.net.Network;
import io.trivet.net.Selectable;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code trivet connect} without {@code --send}: what is typed, or comes through a pipe, goes to every connection; what they answer
 * is shown. Standard input and the connections wait in one select. At the end of the input each connection is half-closed, and read
 * to its end.
 */
final class Dialogue {
    private final StandardInput input;
    private final List<ClientConnection> connections;
    /** How long servers may be silent once the input has ended. */
    private final Duration patience;
    private final Received received;
    private final PrintStream err;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
    private boolean inputEnded;
    private boolean failed;

    private Dialogue(StandardInput input, List<ClientConnection> connections, Duration patience, Received received,
            PrintStream err) {
        this.input = input;
        this.connections = new ArrayList<>(connections);
        this.patience = patience;
        this.received = received;
        this.err = err;
    }

    /** Returns whether all went well: false when a server was gone too early. */
    static boolean hold(Network network, List<ClientConnection> connections, Duration patience, Received received,
            PrintStream err)
            throws IOException {
        if (Terminal.isInput()) {
            err.println("what you type is sent line by line; Ctrl-D finishes");
        }
        return new Dialogue(StandardInput.open(network, err), connections, patience, received, err).hold();
    }

    private boolean hold() throws IOException {
        while (!connections.isEmpty()) {
            Ready<Selectable> ready = select();
            if (inputEnded && ready.isEmpty()) {
                received.end();
                throw new IOException("the server has not finished within the time of --wait, " + DurationText.of(patience));
            }
            for (Selectable member : ready.readable()) {
                if (member instanceof ClientConnection connection) {
                    receive(connection);
                } else {
                    readInput();
                }
            }
            for (Selectable member : ready.writable()) {
                flush((ClientConnection) member);
            }
            connections.removeIf(connection -> connection.inputEnded);
        }
        received.end();
        return !failed;
    }

    private Ready<Selectable> select() throws IOException {
        List<Selectable> readers = new ArrayList<>();
        List<Selectable> writers = new ArrayList<>();
        boolean allSent = true;
        for (ClientConnection connection : connections) {
            readers.add(connection);
            if (connection.hasOutput()) {
                writers.add(connection);
                allSent = false;
            }
        }
        if (allSent && !inputEnded) {
            readers.add(input); // not before: a slow server must not fill our memory
        }
        @Nullable Duration timeout = inputEnded ? patience : null;
        return Select.select(readers, writers, List.of(), timeout);
    }

    private void readInput() throws IOException {
        int count = input.read(buffer.clear());
        if (count < 0) {
            inputEnded = true;
        } else {
            byte[] said = new byte[count];
            buffer.flip().get(said);
            for (ClientConnection connection : connections) {
                connection.say(said);
            }
        }
        for (ClientConnection connection : connections) {
            flush(connection);
        }
    }

    private void receive(ClientConnection connection) {
        try {
            if (!connection.receive(buffer)) {
                if (!inputEnded || connection.hasOutput()) {
                    gone(connection, "the server closed the connection");
                }
            } else if (buffer.hasRemaining()) {
                received.part(buffer);
                received.line(connection.name, buffer);
            }
        } catch (IOException e) {
            gone(connection, e.getMessage());
        }
    }

    private void flush(ClientConnection connection) {
        try {
            connection.flush();
            if (inputEnded && !connection.hasOutput()) {
                connection.finish();
            }
        } catch (IOException e) {
            gone(connection, e.getMessage());
        }
    }

    private void gone(ClientConnection connection, @Nullable String reason) {
        connection.inputEnded = true;
        failed = true;
        received.end();
        err.println("trivet connect: " + connection.name + ": " + reason);
    }
}
