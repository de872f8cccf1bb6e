package io.trivet.tls;

import io.trivet.net.Clock;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The connections whose engine has an expensive part of a handshake to do, some 0.3 to 2 ms each, and how many of these parts a poll does:
 * one, or more if the turns of the caller are long. Otherwise many busy connections would delay the handshakes of new ones without end. One
 * thread.
 */
final class HandshakeTasks {
    /** Divisor: the parts of a turn may take half as long as everything else in it. */
    private static final int TURN_FRACTION = 2;
    /** Maximum number of parts in one poll, even after a turn that has taken very long. */
    static final int PER_POLL_MAX = 64;

    private final Clock clock;
    /** May contain closed connections. */
    private final ArrayDeque<TlsConnection> waiting = new ArrayDeque<>();
    private long endedNanos;
    private long untilNanos;
    private int done;
    /** A connection was added when none waited: the last poll with parts may have been long ago. */
    private boolean isFresh = true;
    /** Between {@link #begin} and {@link #end}. */
    private boolean isRunning;

    HandshakeTasks(Clock clock) {
        this.clock = clock;
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    void add(TlsConnection connection) {
        connection.awaitsTask = true;
        isFresh |= waiting.isEmpty() && !isRunning;
        waiting.addLast(connection);
    }

    /**
     * Begins the parts of a poll.
     *
     * @param mayHaveWaited true if the poll may have waited for completions: the time since the last poll is not that of a turn
     */
    void begin(boolean mayHaveWaited) {
        done = 0;
        boolean isUnmeasured = mayHaveWaited || isFresh;
        isFresh = false;
        isRunning = true;
        long now = clock.nanoTime();
        untilNanos = now + (isUnmeasured ? 0 : (now - endedNanos) / TURN_FRACTION);
    }

    /** Returns the connection of the next part of this poll, or null. */
    @Nullable
    TlsConnection next() {
        while (!waiting.isEmpty() && (done == 0 || (done < PER_POLL_MAX && clock.nanoTime() - untilNanos < 0))) {
            TlsConnection connection = waiting.removeFirst();
            if (!connection.closed && !connection.failed) {
                done++;
                connection.awaitsTask = false;
                return connection;
            }
        }
        return null;
    }

    /** Ends the parts of a poll. Returns how many there were. */
    int end() {
        isRunning = false;
        endedNanos = clock.nanoTime();
        return done;
    }
}
