package io.trivet.select;

import java.util.Arrays;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

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

    /**
     * Creates a copy of a set, as an assignment does in C: for instance of the descriptors to watch, before each call.
     *
     * @param other the set to copy
     */
    public FdSet(FdSet other) {
        words = other.words.clone();
    }

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

    /**
     * Returns whether the set contains no descriptor.
     *
     * @return true if it is empty
     */
    public boolean isEmpty() {
        return highest() < 0;
    }

    /**
     * Returns the highest descriptor in the set. Plus 1, it is the {@code nfds} of {@link Select#select(int, FdSet, FdSet, FdSet,
     * java.time.Duration) select}.
     *
     * @return the descriptor, or -1 if the set is empty
     */
    public int highest() {
        for (int word = words.length - 1; word >= 0; word--) {
            if (words[word] != 0) {
                return (word << 6) + Long.SIZE - 1 - Long.numberOfLeadingZeros(words[word]);
            }
        }
        return -1;
    }

    /**
     * Returns the next descriptor in the set. It visits all of them, also while the visited one is removed:
     *
     * {@snippet :
     * for (int fd = set.next(0); fd >= 0; fd = set.next(fd + 1)) {
     *     set.clr(fd);
     * }
     * }
     *
     * @param from the lowest descriptor to return, at least 0
     * @return the lowest descriptor in the set that is at least {@code from}, or -1 if there is none
     * @throws IllegalArgumentException if {@code from} is negative
     */
    public int next(int from) {
        if (from < 0) {
            throw new IllegalArgumentException("not a descriptor: " + from);
        }
        return next(from, Integer.MAX_VALUE);
    }

    /**
     * Calls an action with each descriptor in the set, in ascending order.
     *
     * @param action receives the descriptors; it may change the set, except by adding higher ones
     */
    public void forEach(IntConsumer action) {
        for (int fd = next(0); fd >= 0; fd = next(fd + 1)) {
            action.accept(fd);
        }
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

    /**
     * Returns whether another object is a set with the same descriptors. A set is mutable: do not change it while it is a key.
     *
     * @param other the object
     * @return true if it is an {@code FdSet} with the same descriptors
     */
    @Override
    public boolean equals(@Nullable Object other) {
        if (!(other instanceof FdSet set)) {
            return false;
        }
        int used = usedWords();
        return used == set.usedWords() && Arrays.equals(words, 0, used, set.words, 0, used);
    }

    @Override
    public int hashCode() {
        int hash = 1;
        for (int i = usedWords() - 1; i >= 0; i--) {
            hash = 31 * hash + Long.hashCode(words[i]);
        }
        return hash;
    }

    /** Returns the number of words up to the last one that is not 0: the capacity makes no difference. */
    private int usedWords() {
        return (highest() >> 6) + 1;
    }

    /** Returns the descriptors in ascending order, as {@code {0, 3}}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("{");
        for (int fd = next(0); fd >= 0; fd = next(fd + 1)) {
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
