package io.trivet.net;

/**
 * Provider interface (SPI): the buffer that {@link Poller#poll} fills. The caller creates it once and passes it to every poll.
 * Not thread-safe.
 *
 * <p>A poll reports at most {@link #capacity} sockets. The next poll reports those that did not fit, and no socket waits forever.
 */
public final class ReadyEvents {
    private final long[] tokens;
    private final int[] events;
    private int size;

    /**
     * Creates a buffer.
     *
     * @param capacity the maximum number of sockets per poll, at least 1
     */
    public ReadyEvents(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity must be at least 1, was " + capacity);
        }
        tokens = new long[capacity];
        events = new int[capacity];
    }

    /**
     * Returns the maximum number of sockets that one poll reports.
     *
     * @return the capacity
     */
    public int capacity() {
        return tokens.length;
    }

    /**
     * Returns the number of sockets that the last poll reported.
     *
     * @return the number of entries
     */
    public int size() {
        return size;
    }

    /**
     * Returns the token of an entry's socket.
     *
     * @param index from 0, below {@link #size}
     * @return the token passed to {@link Poller#register} or {@link Poller#modify}
     */
    public long token(int index) {
        return tokens[checkIndex(index)];
    }

    /**
     * Returns the events of an entry.
     *
     * @param index from 0, below {@link #size}
     * @return bits of {@link Interest}
     */
    public int events(int index) {
        return events[checkIndex(index)];
    }

    /** For pollers: removes all entries. */
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
     * For pollers: returns whether the buffer is full.
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
