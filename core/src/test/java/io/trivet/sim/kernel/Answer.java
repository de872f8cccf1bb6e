package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import io.trivet.sim.KernelAccounting;
import org.jspecify.annotations.Nullable;

/**
 * What one step gave.
 *
 * @param result of the call itself: what it returned, or the name of its error
 * @param lists where each socket stood afterwards in the three lists: bits of {@link Interest} by place, -1 for what is not
 *     open
 * @param events what the poller reported afterwards: bits by place, 0 for nothing
 * @param taken how many bytes a send took; -1: it was no send
 * @param arrived how many of the bytes that a stream has sent are known to have arrived, by place
 * @param accounts what the kernel's records say of each stream, by place; empty: they were not asked for
 * @param cutShort places, as bits, of connections of which nothing can be said any more, since an end was closed while bytes had no room at it
 * @param endHeldBack places, as bits, of connections of which nothing can be said any more, since there was no room for the end of an output
 */
@SuppressWarnings("ArrayRecordComponent") // millions of them are made, and nobody changes them or asks whether they are equal
record Answer(String result, byte[] lists, byte[] events, int taken, long[] arrived,
        KernelAccounting.@Nullable Accounts[] accounts, int cutShort, int endHeldBack) {
    /** A step that a script no longer has, or that did nothing. */
    static final String NOTHING = "nothing";

    /** Whether another answer to the same step is the same, but for what nothing can be said of. */
    boolean agreesWith(Answer other, Step step, boolean buffersFill) {
        if (resultCounts(step) && !result.equals(other.result)) {
            return false;
        }
        for (int slot = 0; slot < lists.length; slot++) {
            if (counts(slot) && (lists[slot] != other.lists[slot] || !eventsAgree(slot, other, buffersFill))) {
                return false;
            }
        }
        return true;
    }

    /** Whether anything can be said of what the call gave. */
    boolean resultCounts(Step step) {
        return step.op() == Step.Op.SELECT ? (cutShort | endHeldBack) == 0 : counts(step.slot());
    }

    /** Whether anything can be said of where a socket stands. */
    boolean counts(int slot) {
        return ((cutShort | endHeldBack) & 1 << slot) == 0;
    }

    /** Whether a poller reports one thing more of a stream here or there, and that is let pass. */
    boolean isToldOtherwise(int slot, Answer other) {
        return counts(slot) && events[slot] != other.events[slot];
    }

    /** Where buffers fill, epoll is not told of every stream that is writable again: the next event of it brings that to light. */
    private boolean eventsAgree(int slot, Answer other, boolean buffersFill) {
        boolean maybeUntold = buffersFill && Slot.isStream(slot) && (lists[slot] & Interest.WRITE) != 0;
        int untold = maybeUntold ? other.events[slot] & Interest.WRITE : 0;
        return (events[slot] | untold) == other.events[slot];
    }

    /** The same, with what the simulation objects to in the kernel's decision. */
    Answer objecting(String objection) {
        return new Answer(result + ", not allowed: " + objection, lists, events, taken, arrived, accounts, cutShort,
                endHeldBack);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(result).append("  |");
        for (int slot = 0; slot < lists.length; slot++) {
            if (lists[slot] >= 0) {
                text.append(' ').append(Slot.name(slot)).append(' ').append(threeLetters(lists[slot]));
            }
        }
        text.append("  |");
        for (int slot = 0; slot < events.length; slot++) {
            if (events[slot] != 0) {
                text.append(' ').append(Slot.name(slot)).append(' ').append(Interest.toString(events[slot]));
            }
        }
        return text.toString();
    }

    private static String threeLetters(int lists) {
        return ((lists & 1) != 0 ? "r" : "-") + ((lists & 2) != 0 ? "w" : "-") + ((lists & 4) != 0 ? "x" : "-");
    }
}
