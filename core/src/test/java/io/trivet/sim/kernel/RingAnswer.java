package io.trivet.sim.kernel;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one step gave.
 *
 * @param result of the call
 * @param ends what is known of each end afterwards, by number; null: there is none, or the next step followed at once
 */
record RingAnswer(String result, List<@Nullable End> ends) {
    /** The result of a step that is not done, since a ring leaves open what it would give. */
    static final String LEFT_OUT = "left out";

    /**
     * One end, when everything has come to rest.
     *
     * @param events what was told of it, in order
     * @param received how many bytes it has received since the beginning
     * @param hash of these
     * @param sent how many bytes were taken of it since the beginning
     * @param open why the numbers may be others; null: they may not
     */
    record End(String events, long received, int hash, long sent, @Nullable Open open) {
        boolean saysTheSame(End other) {
            return events.equals(other.events) && ((open != null || other.open != null) || countsTheSame(other));
        }

        boolean countsTheSame(End other) {
            return received == other.received && hash == other.hash && sent == other.sent;
        }

        @Override
        public String toString() {
            return events + " got " + received + " (" + Integer.toHexString(hash) + ") sent " + sent
                    + (open == null ? "" : ", " + open.why);
        }
    }

    /** Why numbers of bytes cannot be compared. */
    enum Open {
        /** What had completed when the receiving ended is told, or is kept. */
        STOPPED("receiving was stopped"),
        /** How much fits is the kernel's own bookkeeping. */
        FULL("buffers were filled");

        final String why;

        Open(String why) {
            this.why = why;
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
