package io.trivet.server;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.time.Duration;

/**
 * The deadlines of one loop's connections. Each connection has several; {@link Deadlines} knows the earliest that may be due, and here it is
 * found out which it is, and whether it has moved meanwhile. One thread.
 */
final class Expiry {
    private final EventLoop loop;
    private final Input input;
    private final Limits limits;
    private final Deadlines deadlines = new Deadlines();

    Expiry(EventLoop loop, Input input, Limits limits) {
        this.loop = loop;
        this.input = input;
        this.limits = limits;
    }

    long next() {
        return deadlines.next();
    }

    /** Something must be looked at by then. */
    void atLatest(Connection connection, long deadlineNanos) {
        if (connection.handle >= 0) {
            deadlines.atLatest(Proactor.slot(connection.handle), deadlineNanos);
        }
    }

    /** The state that a connection is in ends by itself after so long; zero: it does not. */
    void stateEndsIn(Connection connection, Duration timeout) {
        if (timeout.isZero()) {
            connection.stateDeadlineNanos(Loop.NO_DEADLINE);
        } else {
            connection.stateDeadlineNanos(loop.now() + Limits.nanos(timeout));
            atLatest(connection, connection.stateDeadlineNanos());
        }
    }

    /** The first message has its whole time, from now on: of one that was accepted, and only until it has come. */
    void firstMessageIsDue(Connection connection) {
        if (connection.is(Connection.ACCEPTED) && !connection.is(Connection.SPOKEN)) {
            stateEndsIn(connection, limits.firstMessageTimeout());
        }
    }

    void forget(Connection connection) {
        deadlines.remove(Proactor.slot(connection.handle));
    }

    int closeOverdue(long nowNanos) {
        int done = 0;
        while (deadlines.next() != Loop.NO_DEADLINE && deadlines.next() - nowNanos <= 0) {
            int slot = deadlines.nextSlot();
            deadlines.remove(slot);
            Connection connection = loop.connectionAt(slot);
            if (connection != null && !connection.isClosed()) {
                CloseReason overdue = overdue(connection, nowNanos);
                if (overdue != null) {
                    if (overdue == CloseReason.CONNECT_TIMEOUT) {
                        connection.failure(new NetworkException("connect", connection.remoteAddress(), ErrorCode.ETIMEDOUT));
                    }
                    loop.endings().close(connection, overdue);
                } else {
                    deadlines.set(slot, earliest(connection));
                }
                done++;
            }
        }
        return done;
    }

    private @org.jspecify.annotations.Nullable CloseReason overdue(Connection connection, long now) {
        if (isOver(stateDeadline(connection), now)) {
            return switch (connection.state()) {
                case CONNECTING -> CloseReason.CONNECT_TIMEOUT;
                case OPEN, INPUT_ENDED -> CloseReason.FIRST_MESSAGE_TIMEOUT;
                case DRAINING, LINGERING, CLOSED -> Endings.reasonToFinish(connection);
            };
        }
        if (isOver(messageDeadline(connection), now)) {
            return CloseReason.MESSAGE_TIMEOUT;
        }
        if (isOver(writeDeadline(connection), now)) {
            return CloseReason.WRITE_TIMEOUT;
        }
        return isOver(idleDeadline(connection), now) ? CloseReason.IDLE_TIMEOUT : null;
    }

    private long earliest(Connection connection) {
        long earliest = stateDeadline(connection);
        earliest = earlier(earliest, messageDeadline(connection));
        earliest = earlier(earliest, writeDeadline(connection));
        return earlier(earliest, idleDeadline(connection));
    }

    private static long stateDeadline(Connection connection) {
        boolean met = switch (connection.state()) {
            // The first message has come, or it is we who do not read it; and there is no other deadline for being open.
            case OPEN -> connection.is(Connection.SPOKEN) || Input.isPaused(connection);
            case INPUT_ENDED -> connection.is(Connection.SPOKEN);
            case CONNECTING, DRAINING, LINGERING, CLOSED -> false;
        };
        return met ? Loop.NO_DEADLINE : connection.stateDeadlineNanos();
    }

    private long messageDeadline(Connection connection) {
        Held held = connection.held();
        return held == null || limits.messageTimeout().isZero() || !input.awaitsRest(connection)
                ? Loop.NO_DEADLINE
                : held.begunNanos + Limits.nanos(limits.messageTimeout());
    }

    private long writeDeadline(Connection connection) {
        long sinceNanos = connection.writingSinceNanos();
        return sinceNanos == Loop.NO_DEADLINE || limits.writeTimeout().isZero()
                || connection.state() == ConnectionState.CONNECTING
                        ? Loop.NO_DEADLINE
                        : sinceNanos + Limits.nanos(limits.writeTimeout());
    }

    private long idleDeadline(Connection connection) {
        // One that lingers has a deadline of its own, and nothing is expected of it.
        return limits.idleTimeout().isZero() || connection.state() == ConnectionState.CONNECTING
                || connection.state() == ConnectionState.LINGERING
                        ? Loop.NO_DEADLINE
                        : connection.activityNanos(loop.now()) + Limits.nanos(limits.idleTimeout());
    }

    private static boolean isOver(long deadline, long now) {
        return deadline != Loop.NO_DEADLINE && deadline - now <= 0;
    }

    private static long earlier(long one, long other) {
        return one == Loop.NO_DEADLINE || (other != Loop.NO_DEADLINE && other - one < 0) ? other : one;
    }
}
