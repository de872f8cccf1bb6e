package io.trivet.tls;

import io.trivet.net.Clock;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The connections whose handshakes can continue, in the order in which they became ready. A step of a handshake takes 0.1 to 3 ms, and during
 * a storm thousands of connections wait here. Steps run while the caller would otherwise wait. If the caller always has other work, they get
 * about a quarter of the time: replies to established connections then take a third longer, and not seconds. One thread.
 */
final class HandshakeQueue {
    /** Divisor: all steps together may take a third of the time of everything else. */
    private static final int REST_PER_STEPS = 3;
    /** Maximum time that can be saved up, or owed after a long step: about the longest that either side waits for the other. */
    static final long SAVED_NANOS_MAX = 10_000_000;
    /** Maximum number of steps in one poll, so that other work continues even if the clock stands still. */
    static final int PER_POLL_MAX = 64;

    private final Clock clock;
    /** May contain closed connections. */
    private final ArrayDeque<TlsConnection> waiting = new ArrayDeque<>();
    /** The time that steps may take now; negative after a step that has taken more. */
    private long savedNanos;
    private long endedNanos;
    private long stepBeganNanos;
    private int done;
    private boolean isIdle;

    HandshakeQueue(Clock clock) {
        this.clock = clock;
        endedNanos = clock.nanoTime();
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Adds a connection whose handshake can continue. Each waits at most once. */
    void add(TlsConnection connection) {
        connection.isQueued = true;
        connection.queuedSinceNanos = clock.nanoTime();
        waiting.addLast(connection);
    }

    /**
     * Returns how long the handshake of a connection has waited here, in nanoseconds: a delay that the peer did not cause.
     *
     * @param connection a connection whose handshake is not over
     */
    long waitedNanos(TlsConnection connection) {
        return connection.queuedNanos + (connection.isQueued ? clock.nanoTime() - connection.queuedSinceNanos : 0);
    }

    /**
     * Begins the steps of a poll.
     *
     * @param isIdle true if the caller would otherwise wait: the poll performs at most one step, and its time is not charged
     */
    void begin(boolean isIdle) {
        this.isIdle = isIdle;
        done = 0;
        stepBeganNanos = clock.nanoTime();
        savedNanos = Math.min(SAVED_NANOS_MAX, savedNanos + (stepBeganNanos - endedNanos) / REST_PER_STEPS);
    }

    /** Returns the connection of the next step of this poll, or null. The previous step, if any, is complete. */
    @Nullable
    TlsConnection next() {
        if (done > 0) { // a poll without a step is free: otherwise frequent polls would use up the credit, and no step would run
            endStep();
        }
        while (!waiting.isEmpty() && (isIdle ? done == 0 : savedNanos >= 0 && done < PER_POLL_MAX)) {
            TlsConnection connection = waiting.removeFirst();
            if (!connection.closed && !connection.failed) {
                done++;
                connection.isQueued = false;
                connection.queuedNanos += stepBeganNanos - connection.queuedSinceNanos;
                return connection;
            }
        }
        endedNanos = stepBeganNanos;
        return null;
    }

    private void endStep() {
        long now = clock.nanoTime();
        if (!isIdle) {
            savedNanos = Math.max(-SAVED_NANOS_MAX, savedNanos - (now - stepBeganNanos)); // bounded: a pause of the JVM counts, too
        }
        stepBeganNanos = now;
    }

    /** Removes all connections. */
    void clear() {
        waiting.clear();
    }

    /** Returns the number of steps of the last poll. */
    int done() {
        return done;
    }
}
