package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.net.Proactor;
import java.time.Duration;

/**
 * Sets the deadlines of one loop's connections. A connection has several; the queue holds the earliest time at which one of them
 * may be due, and {@link DeadlineSweep} finds out which one that is, and whether it has moved meanwhile. One thread.
 */
final class ConnectionDeadlines {
    private final TurnClock clock;
    private final DeadlineQueue queue = new DeadlineQueue();

    ConnectionDeadlines(TurnClock clock) {
        this.clock = clock;
    }

    DeadlineQueue queue() {
        return queue;
    }

    /** Makes {@link DeadlineSweep} check the connection at that time or earlier. */
    void atLatest(ConnectionRecord connection, long deadlineNanos) {
        if (connection.handle >= 0) {
            queue.atLatest(Proactor.slot(connection.handle), deadlineNanos);
        }
    }

    /** Sets when the connection's current state ends by itself: after that time; zero: never. */
    void stateEndsIn(ConnectionRecord connection, Duration timeout) {
        if (timeout.isZero()) {
            connection.stateDeadlineNanos(Loop.NO_DEADLINE);
        } else {
            connection.stateDeadlineNanos(Deadline.after(clock.now(), Limits.nanos(timeout)));
            atLatest(connection, connection.stateDeadlineNanos());
        }
    }

    /**
     * Limits the time that remains for a handshake. A timeout of zero changes nothing.
     *
     * @param waitedNanos how long it has waited behind others. {@link DeadlineSweep} adds the whole wait, of which only the rest is to count
     */
    void handshakeEndsWithin(ConnectionRecord connection, Duration timeout, long waitedNanos) {
        if (!timeout.isZero()) {
            long deadline = Deadline.after(clock.now() - waitedNanos, Limits.nanos(timeout));
            connection.stateDeadlineNanos(Deadline.earlier(connection.stateDeadlineNanos(), deadline));
            atLatest(connection, connection.stateDeadlineNanos());
        }
    }

    /** Starts the first-message deadline, if the connection was accepted and its first message has not arrived. */
    void startFirstMessage(ConnectionRecord connection) {
        if (connection.is(ConnectionRecord.ACCEPTED) && !connection.is(ConnectionRecord.RECEIVED_MESSAGE)) {
            stateEndsIn(connection, connection.profile().limits().firstMessageTimeout());
        }
    }

    /** Starts the idle deadline of a connection that has just opened. */
    void startIdle(ConnectionRecord connection) {
        Duration timeout = connection.profile().limits().idleTimeout();
        if (!timeout.isZero()) {
            atLatest(connection, Deadline.after(clock.now(), Limits.nanos(timeout)));
        }
    }

    /** Records that the peer has sent a byte, or is not to blame for having sent none; and starts the deadline of the next one. */
    void startReadIdle(ConnectionRecord connection) {
        Duration timeout = connection.profile().limits().readIdleTimeout();
        if (timeout.isZero()) {
            connection.receivedNanos(Loop.NO_DEADLINE);
        } else {
            connection.receivedNanos(clock.now());
            atLatest(connection, Deadline.after(clock.now(), Limits.nanos(timeout)));
        }
    }

    /** Starts the deadline of a message whose first byte arrived at that time. */
    void startMessage(ConnectionRecord connection, long beganNanos) {
        Duration timeout = connection.profile().limits().messageTimeout();
        if (!timeout.isZero()) {
            atLatest(connection, Deadline.after(beganNanos, Limits.nanos(timeout)));
        }
    }

    /** Starts the write deadline of a connection that last made progress at that time. */
    void startWrite(ConnectionRecord connection, long progressNanos) {
        Duration timeout = connection.profile().limits().writeTimeout();
        if (!timeout.isZero()) {
            atLatest(connection, Deadline.after(progressNanos, Limits.nanos(timeout)));
        }
    }

    void remove(ConnectionRecord connection) {
        queue.remove(Proactor.slot(connection.handle));
    }
}
