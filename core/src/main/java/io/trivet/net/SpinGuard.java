package io.trivet.net;

import java.util.Arrays;

/**
 * Detects sockets that are reported as ready again and again although there is nothing to do. Each such event ends a wait, so the
 * loop would spin unnoticed. Part of a {@link ReadinessProactor}; used by its thread only.
 */
final class SpinGuard {
    /** Number of consecutive events of one socket with nothing to do at which a spin is reported. */
    static final int FRUITLESS_EVENTS_MAX = 1024;
    /**
     * Maximum number of polls between two such events that still count as consecutive. Occasional spurious readiness is normal.
     */
    static final int FRUITLESS_POLLS_APART_MAX = 16;

    /**
     * By slot: the number of consecutive events with nothing to do. Both arrays grow only when a slot has such an event. Most
     * servers have none, and an idle connection then takes no memory here.
     */
    private short[] fruitless = new short[0];
    /** By slot: the lower 16 bits of the number of the poll that reported the last such event. */
    private short[] fruitlessPolls = new short[0];

    private short polls;

    /** Resets the count of a slot: there was something to do, or the slot has a new socket. */
    void reset(int slot) {
        if (slot < fruitless.length) {
            fruitless[slot] = 0;
        }
    }

    /** Counts a poll. */
    void polled() {
        polls++;
    }

    /** Counts an event with nothing to do. At {@link #FRUITLESS_EVENTS_MAX}, returns true and resets the count. */
    boolean isSpin(int slot) {
        if (slot >= fruitless.length) {
            int slots = Math.max(slot + 1, 2 * fruitless.length);
            fruitless = Arrays.copyOf(fruitless, slots);
            fruitlessPolls = Arrays.copyOf(fruitlessPolls, slots);
        }
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
