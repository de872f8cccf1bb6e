package io.trivet.select;

import java.util.Arrays;

/**
 * A set of descriptors: {@code fd_set} with its macros FD_ZERO, FD_SET, FD_CLR and FD_ISSET (man 2 select).
 *
 * <p>Unlike C's fd_set, it grows to hold the highest descriptor added to it, so {@link #SETSIZE} is not a limit. It uses one bit for
 * each number up to the highest descriptor added. Not thread-safe.
 */
public final class FdSet {
    /** FD_SETSIZE: the number of descriptors that fd_set in C can hold. This class starts with room for as many, and grows. */
    public static final int SETSIZE = 1024;

    /** Exclusive upper bound of a descriptor. A table of this many descriptors alone would take the kernel 8 GB. */
    private static final int FD_MAX = 1 << 30;

    private long[] words = new long[SETSIZE / Long.SIZE];

    /** Creates an empty set. */
    public FdSet() {}

    /** FD_ZERO: removes all descriptors. */
    public void zero() {
        Arrays.fill(words, 0);
    }

    /**
     * FD_SET: adds a descriptor.
     *
     * @param fd the descriptor
     * @throws IllegalArgumentException if the number is negative, or higher than a descriptor can be
     */
    public void set(int fd) {
        int word = check(fd) >> 6;
        if (word >= words.length) {
            words = Arrays.copyOf(words, Math.max(word + 1, words.length * 2));
        }
        words[word] |= 1L << fd;
    }

    /**
     * FD_CLR: removes a descriptor.
     *
     * @param fd the descriptor
     * @throws IllegalArgumentException if the number is negative, or higher than a descriptor can be
     */
    public void clr(int fd) {
        int word = check(fd) >> 6;
        if (word < words.length) {
            words[word] &= ~(1L << fd);
        }
    }

    /**
     * FD_ISSET: returns whether the set contains a descriptor.
     *
     * @param fd the descriptor
     * @return true if the set contains it
     * @throws IllegalArgumentException if the number is negative, or higher than a descriptor can be
     */
    public boolean isSet(int fd) {
        int word = check(fd) >> 6;
        return word < words.length && (words[word] & 1L << fd) != 0;
    }

    /** Adds those descriptors of another set that are below {@code to}. */
    void addAll(FdSet other, int to) {
        for (int fd = other.next(0, to); fd >= 0; fd = other.next(fd + 1, to)) {
            set(fd);
        }
    }

    /** Returns the lowest descriptor in the set that is at least {@code from} and below {@code to}, or -1 if there is none. */
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

    /** Returns the descriptors in ascending order, as {@code {0, 3}}. */
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
            throw new IllegalArgumentException("not a descriptor: " + fd);
        }
        return fd;
    }
}
