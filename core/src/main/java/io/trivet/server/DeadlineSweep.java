package io.trivet.server;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.time.Duration;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Closes the connections whose deadline has passed. {@link DeadlineQueue} knows when a connection may be overdue; this class
 * finds out whether it is, by which of its deadlines, and otherwise sets the next time to look. One thread.
 */
final class DeadlineSweep {
    /** The least time between two checks of a handshake. While it is queued, its deadline moves on with the time. */
    private static final long HANDSHAKE_PAUSE_NANOS = 10_000_000;

    private final TurnClock clock;
    private final ConnectionTable table;
    private final DeadlineQueue queue;
    private final PendingSends pendingSends;
    private final CloseRequests closeRequests;
    private final ToLongFunction<ConnectionRecord> handshakeWaitedNanos;

    /**
     * Creates the sweep of a loop.
     *
     * @param handshakeWaitedNanos returns how long a connection's handshake has waited for its turn: this time does not count
     */
    DeadlineSweep(TurnClock clock, ConnectionTable table, ConnectionDeadlines deadlines, PendingSends pendingSends,
            CloseRequests closeRequests, ToLongFunction<ConnectionRecord> handshakeWaitedNanos) {
        this.clock = clock;
        this.table = table;
        queue = deadlines.queue();
        this.pendingSends = pendingSends;
        this.closeRequests = closeRequests;
        this.handshakeWaitedNanos = handshakeWaitedNanos;
    }

    /** Returns the time at which a connection may be overdue, or {@link Loop#NO_DEADLINE}. */
    long next() {
        return queue.next();
    }

    /** Closes overdue connections, and returns how many connections were checked. */
    int closeOverdue(long nowNanos) {
        int done = 0;
        while (Deadline.isOver(queue.next(), nowNanos)) {
            int slot = queue.nextSlot();
            queue.remove(slot);
            ConnectionRecord connection = table.at(slot);
            if (connection != null) {
                CloseReason overdue = overdue(connection, nowNanos);
                if (overdue != null) {
                    end(connection, overdue);
                }
                if (!connection.isClosed()) {
                    queue.set(slot, nextCheck(connection, nowNanos));
                }
                done++;
            }
        }
        return done;
    }

    private long nextCheck(ConnectionRecord connection, long nowNanos) {
        long earliest = earliest(connection);
        long pause = Deadline.after(nowNanos, HANDSHAKE_PAUSE_NANOS);
        return isHandshake(connection) && Deadline.earlier(earliest, pause) == earliest ? pause : earliest;
    }

    /**
     * Ends an overdue connection. If the peer was too slow to send, messages that were accepted for it before are still sent. If
     * the connection is already ending, closes it.
     */
    private void end(ConnectionRecord connection, CloseReason reason) {
        boolean sendsFirst = switch (reason) {
            case MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT, IDLE_TIMEOUT -> !isEnding(connection);
            default -> false;
        };
        if (sendsFirst) {
            closeRequests.endAfterSending(connection, reason);
        } else {
            close(connection, reason);
        }
    }

    /**
     * Returns true if the linger deadline applies: the connection lingers, or sends the last messages after a rule was broken.
     */
    private static boolean isEnding(ConnectionRecord connection) {
        return connection.state() == ConnectionState.LINGERING
                || (connection.state() == ConnectionState.DRAINING && connection.hasBrokenOff());
    }

    private void close(ConnectionRecord connection, CloseReason reason) {
        InetSocketAddress address = connection.cachedAddress();
        if (reason == CloseReason.CONNECT_TIMEOUT && address != null) {
            connection.failure(new NetworkException("connect", address, ErrorCode.ETIMEDOUT));
        }
        if (reason == CloseReason.PROTOCOL_ERROR && connection.state() == ConnectionState.CONNECTING) {
            connection.failure(new ProtocolException("the proxy has sent no complete PROXY header within "
                    + ProxyHeaders.TIMEOUT.toSeconds() + " s"));
        }
        closeRequests.close(connection, reason);
    }

    private @Nullable CloseReason overdue(ConnectionRecord connection, long now) {
        if (Deadline.isOver(stateDeadline(connection), now)) {
            return switch (connection.state()) {
                case CONNECTING -> connection.is(ConnectionRecord.HANDSHAKING) ? CloseReason.HANDSHAKE_TIMEOUT
                        : connection.is(ConnectionRecord.ACCEPTED) ? CloseReason.PROTOCOL_ERROR
                        : CloseReason.CONNECT_TIMEOUT;
                case OPEN, INPUT_ENDED -> CloseReason.FIRST_MESSAGE_TIMEOUT;
                case DRAINING, LINGERING, CLOSED -> connection.finishReason();
            };
        }
        if (Deadline.isOver(messageDeadline(connection), now)) {
            return CloseReason.MESSAGE_TIMEOUT;
        }
        if (Deadline.isOver(writeDeadline(connection), now)) {
            return CloseReason.WRITE_TIMEOUT;
        }
        if (Deadline.isOver(readIdleDeadline(connection), now)) {
            return CloseReason.IDLE_TIMEOUT;
        }
        if (Deadline.isOver(idleDeadline(connection), now)) {
            return connection.state() == ConnectionState.LINGERING ? connection.finishReason() : CloseReason.IDLE_TIMEOUT;
        }
        return null;
    }

    private long earliest(ConnectionRecord connection) {
        long earliest = stateDeadline(connection);
        earliest = Deadline.earlier(earliest, messageDeadline(connection));
        earliest = Deadline.earlier(earliest, writeDeadline(connection));
        earliest = Deadline.earlier(earliest, readIdleDeadline(connection));
        return Deadline.earlier(earliest, idleDeadline(connection));
    }

    private long stateDeadline(ConnectionRecord connection) {
        boolean isMet = switch (connection.state()) {
            // The first message has arrived, or reading is paused on our side. No other deadline concerns this state.
            case OPEN -> connection.is(ConnectionRecord.RECEIVED_MESSAGE) || connection.isPaused();
            case INPUT_ENDED -> connection.is(ConnectionRecord.RECEIVED_MESSAGE);
            case CONNECTING, DRAINING, LINGERING, CLOSED -> false;
        };
        long deadline = isMet ? Loop.NO_DEADLINE : connection.stateDeadlineNanos();
        boolean isExtended = isHandshake(connection) && deadline != Loop.NO_DEADLINE;
        return isExtended ? Deadline.after(deadline, handshakeWaitedNanos.applyAsLong(connection)) : deadline;
    }

    private static boolean isHandshake(ConnectionRecord connection) {
        return connection.state() == ConnectionState.CONNECTING && connection.is(ConnectionRecord.HANDSHAKING);
    }

    private long messageDeadline(ConnectionRecord connection) {
        Duration timeout = connection.profile().limits().messageTimeout();
        PartialInput input = connection.partialInput();
        return input == null || timeout.isZero() || connection.state() != ConnectionState.OPEN
                || !connection.awaitsRestOfMessage()
                        ? Loop.NO_DEADLINE
                        : Deadline.after(input.beganNanos, Limits.nanos(timeout));
    }

    private long writeDeadline(ConnectionRecord connection) {
        Duration timeout = connection.profile().limits().writeTimeout();
        return !pendingSends.isWaiting(connection) || timeout.isZero()
                || connection.state() == ConnectionState.CONNECTING || Transfers.awaitsSource(connection)
                        ? Loop.NO_DEADLINE
                        : Deadline.after(pendingSends.progressNanos(connection), Limits.nanos(timeout));
    }

    private static long readIdleDeadline(ConnectionRecord connection) {
        Duration timeout = connection.profile().limits().readIdleTimeout();
        long receivedNanos = connection.receivedNanos();
        return timeout.isZero() || receivedNanos == Loop.NO_DEADLINE || connection.state() != ConnectionState.OPEN
                || connection.isPaused() || connection.is(ConnectionRecord.INPUT_ENDED)
                        ? Loop.NO_DEADLINE
                        : Deadline.after(receivedNanos, Limits.nanos(timeout));
    }

    private long idleDeadline(ConnectionRecord connection) {
        Limits limits = connection.profile().limits();
        // No activity is required of an ending connection. Its linger deadline closes it, unless there is no linger timeout.
        return limits.idleTimeout().isZero() || connection.state() == ConnectionState.CONNECTING
                || (isEnding(connection) && !limits.lingerTimeout().isZero())
                        ? Loop.NO_DEADLINE
                        : Deadline.after(connection.activityNanos(clock.now()), Limits.nanos(limits.idleTimeout()));
    }
}
