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

    /**
     * By slot: the number of consecutive events with nothing to do. Both arrays are as long as the highest slot that had such an
     * event needs: most servers have none, and then an idle connection takes no room here.
     */
    private short[] fruitless = new short[0];
    /** By slot: the lower 16 bits of the number of the poll that reported the last such event. */
    private short[] fruitlessPolls = new short[0];

    private short polls;

    /** Starts from 0 for a slot that has a new socket. */
    void reset(int slot) {
        if (slot < fruitless.length) {
            fruitless[slot] = 0;
        }
    }

    /** Counts a poll. */
    void polled() {
        polls++;
    }

    /** Counts an event with nothing to do. Returns true if it was one too many, and then starts from 0 again. */
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
