package io.trivet.view;

import java.time.Duration;
import java.util.Arrays;

/**
 * Makes the loops of a server stand still between two turns, and lets them turn one by one. A pause always ends: when
 * no request has come for a while, and when the server is closed. Any thread.
 */
final class PauseGate {
    /** How long the loops stand still after the last request to pause or to step. */
    static final Duration PAUSE_MAX = Duration.ofMinutes(5);
    private static final long LOOK_MILLIS = 50;

    private final java.util.function.BooleanSupplier isClosed;
    private final int[] permits;
    private final boolean[] standing;
    private boolean paused;
    private boolean closed;
    private long pausedNanos;
    private long endNanos;

    /**
     * Creates an open gate.
     *
     * @param loops the number of loops
     * @param isClosed returns true when the server is closed, and no loop may be held any more
     */
    PauseGate(int loops, java.util.function.BooleanSupplier isClosed) {
        this.isClosed = isClosed;
        permits = new int[loops];
        standing = new boolean[loops];
    }

    /** Makes each loop stand still when its current turn is over. */
    synchronized void pause() {
        if (closed) {
            return;
        }
        if (!paused) {
            paused = true;
            pausedNanos = System.nanoTime();
            Arrays.fill(permits, 0);
        }
        extend();
    }

    /** Lets each loop that stands still turn once. */
    synchronized void step() {
        if (paused) {
            for (int loop = 0; loop < permits.length; loop++) {
                if (standing[loop]) {
                    permits[loop] = 1;
                }
            }
            extend();
            notifyAll();
        }
    }

    synchronized void resume() {
        paused = false;
        notifyAll();
    }

    /** Ends the pause, and allows no other: a request to pause may still arrive while the view ends. */
    synchronized void close() {
        closed = true;
        resume();
    }

    private void extend() {
        endNanos = System.nanoTime() + PAUSE_MAX.toNanos();
    }

    /** Called by a loop between two turns. Returns at once unless the loops are paused. */
    void pass(int loop) {
        synchronized (this) {
            boolean interrupted = false;
            while (paused && permits[loop] == 0 && !isClosed.getAsBoolean()) {
                if (System.nanoTime() - endNanos >= 0) {
                    paused = false;
                    notifyAll();
                    break;
                }
                standing[loop] = true;
                try {
                    wait(LOOK_MILLIS);
                } catch (InterruptedException e) {
                    interrupted = true; // as in a turn: the interrupt is kept for the loop
                }
            }
            standing[loop] = false;
            permits[loop] = 0;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    synchronized boolean isPaused() {
        return paused;
    }

    /** Returns true if the loop stands still. */
    synchronized boolean isStanding(int loop) {
        return standing[loop];
    }

    /** Returns how long the loops have been paused, in nanoseconds; 0 if they are not. */
    synchronized long pausedForNanos() {
        return paused ? System.nanoTime() - pausedNanos : 0;
    }

    /** Returns when the pause ends by itself, in nanoseconds from now; 0 if there is none. */
    synchronized long leftNanos() {
        return paused ? Math.max(0, endNanos - System.nanoTime()) : 0;
    }
}
