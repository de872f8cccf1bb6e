package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import io.trivet.sim.KernelAccounting;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of one step.
 *
 * @param result the call's return value, or the name of its error
 * @param lists for each slot, the lists that its socket was in after the step, as bits of {@link Interest}; -1 if no socket is open
 * @param events for each slot, what the poller reported after the step, as bits; 0 for nothing
 * @param accepted the number of bytes that a send accepted; -1 for every other operation
 * @param arrived for each slot, how many of the bytes sent by its stream are known to have arrived
 * @param accounts for each slot, the kernel's memory accounting of its stream; an empty array if it was not read
 * @param closedWhileFull a bit for each slot whose connection cannot be compared any more, because an end was closed while sent bytes did not
 *     fit into its receive buffer
 * @param finBlocked a bit for each slot whose connection cannot be compared any more, because a FIN did not fit into the receive buffer
 */
@SuppressWarnings("ArrayRecordComponent") // created by the million, never modified, never compared with equals
record Outcome(String result, byte[] lists, byte[] events, int accepted, long[] arrived,
        KernelAccounting.@Nullable Accounts[] accounts, int closedWhileFull, int finBlocked) {
    /** The result of a step whose slot does not allow the operation. */
    static final String NO_OP = "no-op";

    /** Compares two outcomes of the same step, except for what cannot be compared. */
    boolean matches(Outcome other, Step step, boolean buffersFill) {
        if (isResultComparable(step) && !result.equals(other.result)) {
            return false;
        }
        for (int slot = 0; slot < lists.length; slot++) {
            if (isComparable(slot) && (lists[slot] != other.lists[slot] || !eventsMatch(slot, other, buffersFill))) {
                return false;
            }
        }
        return true;
    }

    /** Returns true if the call's result can be compared. */
    boolean isResultComparable(Step step) {
        return step.op() == Step.Op.SELECT ? (closedWhileFull | finBlocked) == 0 : isComparable(step.slot());
    }

    /** Returns true if the readiness of a slot's socket can be compared. */
    boolean isComparable(int slot) {
        return ((closedWhileFull | finBlocked) & 1 << slot) == 0;
    }

    /** Returns true if the pollers' events for a slot differ in a way that {@link #matches} tolerates. */
    boolean hasToleratedEventDifference(int slot, Outcome other) {
        return isComparable(slot) && events[slot] != other.events[slot];
    }

    /** When buffers fill, epoll does not report every stream that becomes writable; the stream's next event reveals it. */
    private boolean eventsMatch(int slot, Outcome other, boolean buffersFill) {
        boolean toleratesWritable = buffersFill && Slot.isStream(slot) && (lists[slot] & Interest.WRITE) != 0;
        int tolerated = toleratesWritable ? other.events[slot] & Interest.WRITE : 0;
        return (events[slot] | tolerated) == other.events[slot];
    }

    /** Returns this outcome with the simulation's objection to a decision of the kernel added to the result. */
    Outcome withObjection(String objection) {
        return new Outcome(result + ", not allowed: " + objection, lists, events, accepted, arrived, accounts, closedWhileFull,
                finBlocked);
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
