package io.trivet.net;

import java.util.Arrays;

/**
 * Finds sockets that are reported as ready again and again although there is nothing to do. Each such event ends a wait, so the
 * loop would spin unnoticed. Belongs to one {@link ReadinessProactor}, and to its thread.
 */
final class SpinGuard {
    /** Maximum number of consecutive events of one socket with nothing to do. At this number, they are reported as a spin. */
    static final int FRUITLESS_EVENTS_MAX = 1024;
    /** Maximum number of polls between two such events that count as consecutive: spurious readiness now and then is normal. */
    static final int FRUITLESS_POLLS_APART_MAX = 16;

    /** By slot: the number of consecutive events with nothing to do. */
    private short[] fruitless;
    /** By slot: the lower 16 bits of the number of the poll that reported the last such event. */
    private short[] fruitlessPolls;

    private short polls;

    SpinGuard(int slots) {
        fruitless = new short[slots];
        fruitlessPolls = new short[slots];
    }

    void grow(int slots) {
        fruitless = Arrays.copyOf(fruitless, slots);
        fruitlessPolls = Arrays.copyOf(fruitlessPolls, slots);
    }

    /** Starts from 0 for a slot that has a new socket. */
    void reset(int slot) {
        fruitless[slot] = 0;
    }

    /** Counts a poll. */
    void polled() {
        polls++;
    }

    /** Counts an event with nothing to do. Returns true if it was one too many, and then starts from 0 again. */
    boolean isSpin(int slot) {
        if ((short) (polls - fruitlessPolls[slot]) > FRUITLESS_POLLS_APART_MAX) {
            fruitless[slot] = 0;
        }
        fruitlessPolls[slot] = polls;
        if (++fruitless[slot] < FRUITLESS_EVENTS_MAX) {
            return false;
        }
        fruitless[slot] = 0;
        return true;
    }
}
