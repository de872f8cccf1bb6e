package io.trivet.server;

import io.trivet.net.Clock;

/**
 * The time of a loop. Within a turn, {@link #now} is read from the network's clock once after the wait, when it is first asked
 * for; between two turns it is read each time. One thread, except {@link #nanoTime}.
 */
final class TurnClock {
    private final Clock clock;
    private long nowNanos;
    private boolean inTurn;
    private boolean isKnown;

    TurnClock(Clock clock) {
        this.clock = clock;
    }

    void beginTurn() {
        inTurn = true;
        isKnown = false;
    }

    /** Called before the loop waits: forgets the time of the turn, which will be out of date. */
    void forget() {
        isKnown = false;
    }

    void endTurn() {
        inTurn = false;
        isKnown = false;
    }

    /** Returns the time of this turn. */
    long now() {
        if (!isKnown) {
            nowNanos = clock.nanoTime();
            isKnown = inTurn;
        }
        return nowNanos;
    }

    /** Returns the network's time. Any thread. */
    long nanoTime() {
        return clock.nanoTime();
    }

    /** Returns the time since then, at least 0. Any thread. */
    long sinceNanos(long thenNanos) {
        return Math.max(0, clock.nanoTime() - thenNanos);
    }
}
