package io.trivet.select;

import java.util.Arrays;

/**
 * A set of descriptors: {@code fd_set} with FD_ZERO, FD_SET, FD_CLR and FD_ISSET (man 2 select). It grows with the highest descriptor
 * that is set, so {@link #SETSIZE} is no limit here. Not thread-safe.
 */
public final class FdSet {
    /** How many descriptors C's fd_set holds, and this one before it first grows. */
    public static final int SETSIZE = 1024;

    /** A number beyond this is a mistake: the table of so many descriptors alone would take the kernel 8 GB. */
    private static final int FD_MAX = 1 << 30;

    private long[] words = new long[SETSIZE / Long.SIZE];

    /** An empty set. */
    public FdSet() {}

    /** FD_ZERO: takes all descriptors out. */
    public void zero() {
        Arrays.fill(words, 0);
    }

    /**
     * FD_SET: puts a descriptor in.
     *
     * @param fd its number
     * @throws IllegalArgumentException the number is negative, or higher than any descriptor can be
     */
    public void set(int fd) {
        int word = check(fd) >> 6;
        if (word >= words.length) {
            words = Arrays.copyOf(words, Math.max(word + 1, words.length * 2));
        }
        words[word] |= 1L << fd;
    }

    /**
     * FD_CLR: takes a descriptor out.
     *
     * @param fd its number
     * @throws IllegalArgumentException the number is negative, or higher than any descriptor can be
     */
    public void clr(int fd) {
        int word = check(fd) >> 6;
        if (word < words.length) {
            words[word] &= ~(1L << fd);
        }
    }

    /**
     * FD_ISSET: whether a descriptor is in.
     *
     * @param fd its number
     * @return true if it is
     * @throws IllegalArgumentException the number is negative, or higher than any descriptor can be
     */
    public boolean isSet(int fd) {
        int word = check(fd) >> 6;
        return word < words.length && (words[word] & 1L << fd) != 0;
    }

    /** Adds the descriptors of another set that are below {@code to}. */
    void add(FdSet other, int to) {
        for (int fd = other.next(0, to); fd >= 0; fd = other.next(fd + 1, to)) {
            set(fd);
        }
    }

    /** The lowest descriptor in the set from {@code from} on, below {@code to}; -1: none. */
    int next(int from, int to) {
        int word = from >> 6;
        long mask = -1L << from;
        for (; word < words.length && word << 6 < to; word++, mask = -1) {
            long any = words[word] & mask;
            if (any != 0) {
                int fd = (word << 6) + Long.numberOfTrailingZeros(any);
                return fd < to ? fd : -1;
            }
        }
        return -1;
    }

    /** The descriptors in the set, for people: {@code {0, 3}}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("{");
        for (int fd = next(0, Integer.MAX_VALUE); fd >= 0; fd = next(fd + 1, Integer.MAX_VALUE)) {
            text.append(text.length() == 1 ? "" : ", ").append(fd);
        }
        return text.append('}').toString();
    }

    private static int check(int fd) {
        if (fd < 0 || fd >= FD_MAX) {
            throw new IllegalArgumentException("not the number of a descriptor: " + fd);
        }
        return fd;
    }
}
