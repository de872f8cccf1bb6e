package io.trivet.server;

import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Requests to close a connection at once. A request takes effect immediately: the connection is in state CLOSED, and its handler
 * gets no call but {@code onClose}. The resources are released at the end of the turn, when {@link Lifecycle} takes the request.
 * One thread.
 */
final class CloseRequests {
    private final Log log;
    private final ArrayDeque<ConnectionRecord> requests = new ArrayDeque<>();

    CloseRequests(Log log) {
        this.log = log;
    }

    /** Closes a connection, unless it is closed already. */
    void close(ConnectionRecord connection, CloseReason reason) {
        if (!connection.isClosed()) {
            connection.closeReason(reason);
            connection.state(ConnectionState.CLOSED);
            requests.addLast(connection);
        }
    }

    /** Closes a connection because the network reported an error. */
    void fail(ConnectionRecord connection, IOException failure) {
        switch (connection.state()) {
            case CONNECTING -> {
                log.connectFailed(failure);
                connection.networkFailure(failure);
                close(connection, CloseReason.CONNECT_FAILED);
            }
            case LINGERING -> close(connection, connection.finishReason()); // the kernel had already accepted everything
            case OPEN, INPUT_ENDED, DRAINING -> {
                boolean reset = isReset(failure);
                if (!reset) {
                    log.callFailed(connection, failure);
                }
                connection.networkFailure(failure);
                close(connection, reset ? CloseReason.RESET : CloseReason.FAILED);
            }
            case CLOSED -> {
                // The first failure is the reason.
            }
        }
    }

    private static boolean isReset(IOException failure) {
        return failure instanceof NetworkException e && switch (e.code()) {
            case ECONNRESET, EPIPE, ECONNABORTED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, ENOTCONN -> true;
            default -> false;
        };
    }

    boolean isEmpty() {
        return requests.isEmpty();
    }

    /** Removes and returns the oldest request, or null. */
    @Nullable
    ConnectionRecord take() {
        return requests.pollFirst();
    }
}
