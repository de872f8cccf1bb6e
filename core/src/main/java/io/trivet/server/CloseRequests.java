package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.tls.TlsException;
import io.trivet.tls.TruncatedException;
import java.io.IOException;
import java.net.ProtocolException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Requests to end a connection, from any part of the loop. A request takes effect immediately on the state, and {@link Lifecycle}
 * completes it within the turn. One thread.
 *
 * <p>{@link #close} ends the connection at once. If that drops anything that was accepted for sending, the peer gets a reset: it
 * must not take what it has received for everything. {@link #endAfterSending} first sends what was accepted, within the linger
 * limits: the peer has broken a rule, or the handler has failed, and that must not take back earlier replies.
 */
final class CloseRequests {
    private final Log log;
    private final ArrayDeque<ConnectionRecord> closes = new ArrayDeque<>();
    private final ArrayDeque<ConnectionRecord> ends = new ArrayDeque<>();

    CloseRequests(Log log) {
        this.log = log;
    }

    /** Closes a connection, unless it is closed already. Its handler gets no call but {@code onClose}. */
    void close(ConnectionRecord connection, CloseReason reason) {
        if (!connection.isClosed()) {
            if (!connection.hasBrokenOff()) { // otherwise that is the reason, whatever has cut the end short
                connection.closeReason(reason);
            }
            connection.state(ConnectionState.CLOSED);
            closes.addLast(connection);
        }
    }

    /**
     * Ends a connection when everything was sent that has been accepted. From now on it neither accepts nor delivers messages,
     * and its handler gets no call but {@code onClose}.
     */
    void endAfterSending(ConnectionRecord connection, CloseReason reason) {
        switch (connection.state()) {
            case CONNECTING -> close(connection, reason);
            case OPEN, INPUT_ENDED -> {
                connection.closeReason(reason);
                connection.state(ConnectionState.DRAINING);
                connection.stateDeadlineNanos(Loop.NO_DEADLINE); // that of the first message
                ends.addLast(connection);
            }
            case DRAINING, LINGERING -> {
                if (!connection.hasBrokenOff()) { // it is already ending; now this is the reason
                    connection.closeReason(reason);
                    ends.addLast(connection);
                }
            }
            case CLOSED -> {
                // The first reason stays.
            }
        }
    }

    /**
     * Ends a connection after sending, because its input breaks the protocol, or a broadcast does not fit into its frame.
     */
    void protocolError(ConnectionRecord connection, Exception cause) {
        if (!connection.isClosed() && !connection.hasBrokenOff()) {
            connection.failure(protocolFailure(cause));
            endAfterSending(connection, CloseReason.PROTOCOL_ERROR);
        }
    }

    /**
     * Ends a connection after sending, because a message is longer than the limit.
     *
     * @param bytes the length of the message
     * @param isIncomplete true if the message may be longer
     */
    void messageTooLong(ConnectionRecord connection, long bytes, boolean isIncomplete) {
        if (!connection.isClosed() && !connection.hasBrokenOff()) {
            connection.failure(tooLong(bytes, isIncomplete, connection.profile().limits().messageBytesMax()));
            endAfterSending(connection, CloseReason.MESSAGE_TOO_LONG);
        }
    }

    /** Ends a connection after sending, because the peer's stream has ended without TLS's close_notify. */
    void truncated(ConnectionRecord connection) {
        connection.failure(new TruncatedException());
        endAfterSending(connection, CloseReason.TRUNCATED);
    }

    /** Closes a connection with a reset, because a message that was accepted for it cannot be put into its frame. */
    void frameFailed(ConnectionRecord connection, Exception cause) {
        if (!connection.isClosed()) {
            connection.failure(protocolFailure(cause));
            connection.set(ConnectionRecord.RESET_ON_CLOSE);
            close(connection, CloseReason.PROTOCOL_ERROR);
        }
    }

    /** Returns the failure of a connection whose input contains too long a message. */
    static ProtocolException tooLong(long bytes, boolean isIncomplete, int messageBytesMax) {
        return new ProtocolException("a message of " + (isIncomplete ? "at least " : "") + bytes
                + " bytes is longer than messageBytesMax, " + messageBytesMax);
    }

    /** Returns the failure of a connection whose decoder or encoder has thrown an exception. */
    static ProtocolException protocolFailure(Exception cause) {
        // An exception that is no IOException may be a mistake in the decoder: its class helps then.
        ProtocolException failure = new ProtocolException(cause instanceof IOException ? cause.getMessage() : cause.toString());
        failure.initCause(cause);
        return failure;
    }

    /** Closes a connection because a streamed message cannot be completed. */
    void failTransfer(ConnectionRecord connection, IOException failure) {
        if (!connection.isClosed()) {
            log.transferFailed(connection, failure);
            connection.failure(failure);
            close(connection, CloseReason.TRANSFER_FAILED);
        }
    }

    /**
     * Closes a connection because the other connection of a relay has ended. That one's end is logged with its reason, and not a
     * second time here.
     */
    void failRelay(ConnectionRecord connection, IOException failure) {
        if (!connection.isClosed()) {
            connection.failure(failure);
            close(connection, CloseReason.TRANSFER_FAILED);
        }
    }

    /** Closes a connection because the network reported an error. */
    void fail(ConnectionRecord connection, IOException failure) {
        switch (connection.state()) {
            case CONNECTING -> {
                connection.failure(failure);
                if (connection.is(ConnectionRecord.HANDSHAKING)) {
                    close(connection, CloseReason.HANDSHAKE_FAILED);
                } else if (connection.is(ConnectionRecord.ACCEPTED)) { // a proxy that has not sent its header
                    close(connection, isReset(failure) ? CloseReason.RESET : CloseReason.FAILED);
                } else {
                    log.connectFailed(failure);
                    close(connection, CloseReason.CONNECT_FAILED);
                }
            }
            case LINGERING -> close(connection, connection.finishReason()); // the kernel had already accepted everything
            case OPEN, INPUT_ENDED, DRAINING -> {
                CloseReason reason = failure instanceof TlsException ? CloseReason.PROTOCOL_ERROR
                        : isReset(failure) ? CloseReason.RESET : CloseReason.FAILED;
                if (reason == CloseReason.FAILED) {
                    log.callFailed(connection, failure);
                }
                if (connection.closeReason() != CloseReason.TRUNCATED) { // the cut is the cause, and this only its consequence
                    connection.failure(failure);
                }
                close(connection, reason);
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
        return closes.isEmpty() && ends.isEmpty();
    }

    /** Removes and returns the oldest connection to be closed, or null. */
    @Nullable
    ConnectionRecord takeClose() {
        return closes.pollFirst();
    }

    /** Removes and returns the oldest connection that ends after sending, or null. */
    @Nullable
    ConnectionRecord takeEnd() {
        return ends.pollFirst();
    }
}
