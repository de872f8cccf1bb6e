package io.trivet.net;

/**
 * Where a {@link Poller} puts what is ready: made once by the caller, and filled anew by every poll. Not thread-safe.
 *
 * <p>A poll reports at most {@link #capacity} sockets; what does not fit is reported by the next one, and no socket is passed over
 * for ever.
 */
public final class ReadyEvents {
    private final long[] tokens;
    private final int[] events;
    private int size;

    /**
     * Makes room for events.
     *
     * @param capacity the most that one poll may report, at least 1
     */
    public ReadyEvents(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity must be at least 1, was " + capacity);
        }
        tokens = new long[capacity];
        events = new int[capacity];
    }

    /**
     * The most that one poll reports.
     *
     * @return the capacity
     */
    public int capacity() {
        return tokens.length;
    }

    /**
     * How many sockets the last poll reported.
     *
     * @return the number of entries
     */
    public int size() {
        return size;
    }

    /**
     * Whose readiness entry {@code index} is about.
     *
     * @param index from 0, below {@link #size}
     * @return the token given at {@link Poller#register}
     */
    public long token(int index) {
        return tokens[checkIndex(index)];
    }

    /**
     * What is ready.
     *
     * @param index from 0, below {@link #size}
     * @return bits of {@link Interest}
     */
    public int events(int index) {
        return events[checkIndex(index)];
    }

    /** For pollers: forgets all entries. */
    public void clear() {
        size = 0;
    }

    /**
     * For pollers: adds an entry.
     *
     * @param token the socket's token
     * @param ready bits of {@link Interest}
     * @throws ArrayIndexOutOfBoundsException the buffer {@link #isFull}
     */
    public void add(long token, int ready) {
        tokens[size] = token;
        events[size] = ready;
        size++;
    }

    /**
     * For pollers: whether no further entry fits.
     *
     * @return true at capacity
     */
    public boolean isFull() {
        return size == tokens.length;
    }

    private int checkIndex(int index) {
        return java.util.Objects.checkIndex(index, size);
    }
}
