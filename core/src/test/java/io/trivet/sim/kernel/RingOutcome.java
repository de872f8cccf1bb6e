package io.trivet.sim.kernel;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of one step.
 *
 * @param result the result of the call
 * @param ends the state of each end after the step, by index, null where there is no end; empty if the next step followed without a poll
 */
record RingOutcome(String result, List<@Nullable End> ends) {
    /** The result of a step that is not executed, because its outcome on a ring is unspecified. */
    static final String SKIPPED = "skipped";

    /**
     * The state of one end after settling.
     *
     * @param events its completions during the step, in order
     * @param received the number of bytes received so far
     * @param hash a hash of these bytes
     * @param sent the number of bytes accepted for sending so far
     * @param incomparable why the numbers may differ, or null if they must be equal
     */
    record End(String events, long received, int hash, long sent, @Nullable Incomparable incomparable) {
        boolean matches(End other) {
            return events.equals(other.events) && ((incomparable != null || other.incomparable != null) || countsMatch(other));
        }

        boolean countsMatch(End other) {
            return received == other.received && hash == other.hash && sent == other.sent;
        }

        @Override
        public String toString() {
            return events + " received " + received + " (" + Integer.toHexString(hash) + ") sent " + sent
                    + (incomparable == null ? "" : ", " + incomparable.reason);
        }
    }

    /** Why byte counts cannot be compared. */
    enum Incomparable {
        /** Bytes that had completed when receiving was stopped may be delivered or kept. */
        STOPPED("receiving was stopped"),
        /** How much fits is decided by the kernel's memory accounting. */
        FULL("buffers were filled");

        final String reason;

        Incomparable(String reason) {
            this.reason = reason;
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(result);
        for (int i = 0; i < ends.size(); i++) {
            End end = ends.get(i);
            if (end != null) {
                text.append(" | c").append(i / 2).append(i % 2 == 0 ? "" : "'").append(' ').append(end);
            }
        }
        return text.toString();
    }
}
