package io.trivet.sim;

import io.trivet.net.ReadyEvents;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/** The events that one poll is about to report, before they are copied into the caller's buffer; reused by every poll. */
final class PendingEvents {
    private long[] tokens = new long[32];
    private int[] events = new int[32];
    private int size;

    int size() {
        return size;
    }

    void clear() {
        size = 0;
    }

    void add(long token, int bits) {
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, size * 2);
            events = Arrays.copyOf(events, size * 2);
        }
        tokens[size] = token;
        events[size++] = bits;
    }

    /** Replaces the content by that of a buffer. */
    void copyFrom(ReadyEvents buffer) {
        clear();
        for (int i = 0; i < buffer.size(); i++) {
            add(buffer.token(i), buffer.events(i));
        }
    }

    /** Appends to a buffer all events that have a bit set. */
    void copyTo(ReadyEvents buffer) {
        for (int i = 0; i < size; i++) {
            if (events[i] != 0) {
                buffer.add(tokens[i], events[i]);
            }
        }
    }

    /**
     * Returns the array of event bits. Only the first {@link #size} elements are valid. Writes to the array change the events.
     */
    int[] bits() {
        return events;
    }

    /**
     * Puts the events into random order.
     *
     * @param below returns a random number from 0 to one less than its argument
     */
    void shuffle(IntUnaryOperator below) {
        for (int i = size - 1; i > 0; i--) {
            int other = below.applyAsInt(i + 1);
            long token = tokens[i];
            tokens[i] = tokens[other];
            tokens[other] = token;
            int bits = events[i];
            events[i] = events[other];
            events[other] = bits;
        }
    }
}
