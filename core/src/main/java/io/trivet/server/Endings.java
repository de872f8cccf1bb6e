package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * How a loop's connections end: at once, by a failure, or in an orderly way, through the states that {@link Connection} draws. What is
 * closed here is told at the end of the turn. One thread.
 */
final class Endings {
    private final Proactor proactor;
    private final Input input;
    private final Output output;
    private final Expiry expiry;
    private final Log log;
    private final Limits limits;
    /** Closed, and not yet told so. */
    private final ArrayDeque<Connection> closed = new ArrayDeque<>();

    Endings(Proactor proactor, Input input, Output output, Expiry expiry, Log log, Limits limits) {
        this.proactor = proactor;
        this.input = input;
        this.output = output;
        this.expiry = expiry;
        this.log = log;
        this.limits = limits;
    }

    boolean hasWork() {
        return !closed.isEmpty();
    }

    /** One that was closed and must be told so; null: there is none. */
    @Nullable
    Connection next() {
        return closed.pollFirst();
    }

    /** Takes and gives nothing more; closes when everything for the peer has left and it has read to the end. */
    void finish(Connection connection, CloseReason reason) {
        switch (connection.state()) {
            case CONNECTING -> {
                connection.outputFinished();
                if (connection.queuedMessages() == 0) {
                    close(connection, reason);
                } else if (connection.closeReason() == null) {
                    connection.closeReason(reason); // it drains as soon as it is there
                }
            }
            case OPEN, INPUT_ENDED -> {
                boolean both = reason == CloseReason.FINISHED && connection.is(Connection.INPUT_ENDED);
                connection.closeReason(both ? CloseReason.PEER_FINISHED : reason);
                connection.state(ConnectionState.DRAINING);
                connection.stateDeadlineNanos(Loop.NO_DEADLINE);
                input.dropHeld(connection);
                input.updateReceiving(connection);
                output.touch(connection);
            }
            case DRAINING, LINGERING, CLOSED -> {
                // It ends already.
            }
        }
    }

    /** Takes nothing more, and ends the output when everything for the peer has left; what comes is given. */
    void finishOutput(Connection connection) {
        switch (connection.state()) {
            case CONNECTING, OPEN -> {
                connection.outputFinished();
                output.touch(connection);
            }
            case INPUT_ENDED -> finish(connection, CloseReason.FINISHED);
            case DRAINING, LINGERING, CLOSED -> {
                // It ends already.
            }
        }
    }

    /** Everything for the peer has left, and nothing more will come. */
    void endOutput(Connection connection) {
        if (!connection.is(Connection.OUTPUT_ENDED)) {
            connection.set(Connection.OUTPUT_ENDED);
            try {
                proactor.shutdownOutput(connection.handle);
            } catch (IOException e) {
                failed(connection, e);
                return;
            }
        }
        if (connection.state() != ConnectionState.DRAINING) {
            return; // the peer may go on
        }
        if (connection.is(Connection.INPUT_ENDED)) {
            close(connection, reasonToFinish(connection));
            return;
        }
        connection.state(ConnectionState.LINGERING);
        expiry.stateEndsIn(connection, limits.lingerTimeout());
        input.updateReceiving(connection);
    }

    void linger(Connection connection, int bytes) {
        if (connection.addLingerBytes(bytes) > limits.lingerBytesMax()) {
            close(connection, reasonToFinish(connection));
        }
    }

    static CloseReason reasonToFinish(Connection connection) {
        CloseReason reason = connection.closeReason();
        return reason == null ? CloseReason.FINISHED : reason;
    }

    void failed(Connection connection, IOException failure) {
        switch (connection.state()) {
            case CONNECTING -> {
                log.connectFailed(failure);
                connection.failure(failure);
                close(connection, CloseReason.CONNECT_FAILED);
            }
            case LINGERING -> close(connection, reasonToFinish(connection)); // everything was handed to the kernel before
            case OPEN, INPUT_ENDED, DRAINING -> {
                boolean reset = failure instanceof NetworkException e && switch (e.code()) {
                    case ECONNRESET, EPIPE, ECONNABORTED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, ENOTCONN -> true;
                    default -> false;
                };
                if (!reset) {
                    log.callFailed(connection, failure);
                }
                connection.failure(failure);
                close(connection, reset ? CloseReason.RESET : CloseReason.FAILED);
            }
            case CLOSED -> {
                // One failure is enough.
            }
        }
    }

    /** Closes: nothing more is told of it but onClose, at the end of the turn. */
    void close(Connection connection, CloseReason reason) {
        if (!connection.isClosed()) {
            connection.closeReason(reason);
            connection.state(ConnectionState.CLOSED);
            closed.addLast(connection);
        }
    }
}
