package io.trivet.linux;

import io.trivet.net.Interest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The three sets of select(2) in the kernel's format: one bit per descriptor in 64-bit words, for any number of descriptors. Not
 * thread-safe.
 */
final class FdBitmaps {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;

    /** The words of the read, write and except set, one set after the other, {@link #words} each. */
    private MemorySegment memory = Arena.ofAuto().allocate(3 * 16 * 8, 8);
    private int words = 16;
    /** One more than the highest descriptor in any set. */
    private int nfds;

    int nfds() {
        return nfds;
    }

    /**
     * Returns whether a descriptor is so high that it must be checked to be open before the sets grow for it: see
     * {@link Registrations#UNCHECKED_FD_MAX}.
     */
    boolean needsOpenCheck(int fd) {
        return fd >= Registrations.UNCHECKED_FD_MAX && fd >= words * 64;
    }

    /** Empties the sets. */
    void clear() {
        long used = usedWords() * 8L;
        for (int set = 0; set < 3; set++) {
            memory.asSlice(8L * set * words, used).fill((byte) 0);
        }
        nfds = 0;
    }

    /** Adds bits to a descriptor's interest. */
    void add(int fd, int interest) {
        if (fd >= words * 64) {
            grow(fd);
        }
        long bit = 1L << fd;
        int word = fd >> 6;
        if ((interest & Interest.READ) != 0) {
            or(word, bit);
        }
        if ((interest & Interest.WRITE) != 0) {
            or(words + word, bit);
        }
        if ((interest & Interest.PRIORITY) != 0) {
            or(2 * words + word, bit);
        }
        if (interest != 0 && fd >= nfds) {
            nfds = fd + 1;
        }
    }

    /** Sets a descriptor's interest. */
    void put(int fd, int interest) {
        if (fd < nfds) {
            for (int set = 0; set < 3; set++) {
                int at = set * words + (fd >> 6);
                memory.setAtIndex(WORD, at, memory.getAtIndex(WORD, at) & ~(1L << fd));
            }
        }
        add(fd, interest);
        while (nfds > 0 && get(nfds - 1) == 0) {
            nfds--;
        }
    }

    /** Returns the sets that contain a descriptor, as bits of {@link Interest}. */
    int get(int fd) {
        if (fd >= words * 64) {
            return 0;
        }
        int word = fd >> 6;
        return (int) (memory.getAtIndex(WORD, word) >>> fd & 1) * Interest.READ
                | (int) (memory.getAtIndex(WORD, words + word) >>> fd & 1) * Interest.WRITE
                | (int) (memory.getAtIndex(WORD, 2 * words + word) >>> fd & 1) * Interest.PRIORITY;
    }

    /** Returns the lowest descriptor from {@code from} (inclusive) to {@code to} (exclusive) that is in any set; -1: none. */
    int nextSet(int from, int to) {
        int word = from >> 6;
        long mask = -1L << from;
        for (; word << 6 < to; word++, mask = -1) {
            long any = (memory.getAtIndex(WORD, word) | memory.getAtIndex(WORD, words + word)
                    | memory.getAtIndex(WORD, 2 * words + word)) & mask;
            if (any != 0) {
                int fd = (word << 6) + Long.numberOfTrailingZeros(any);
                return fd < to ? fd : -1;
            }
        }
        return -1;
    }

    /** Copies the contents of another object. */
    void copy(FdBitmaps other) {
        int used = other.usedWords();
        if (words == other.words) {
            used = Math.max(used, usedWords()); // words beyond the other's end must be overwritten, too
        } else {
            words = other.words;
            memory = Arena.ofAuto().allocate(3L * words * 8, 8);
        }
        nfds = other.nfds;
        for (int set = 0; set < 3; set++) {
            MemorySegment.copy(other.memory, 8L * set * words, memory, 8L * set * words, 8L * used);
        }
    }

    /**
     * Calls select(2) with the address of a struct timespec (0: no limit). It replaces the contents of the sets with its result.
     * Returns the number of bits set, or the negative error number.
     *
     * <p>The kernel limits nfds to the size of the process's descriptor table, and leaves the bits beyond it unchanged: a
     * descriptor that was never opened would appear ready in every set. If the highest descriptor is open, all are within the
     * table, and the kernel itself returns EBADF for those that are not open (fs/select.c, max_select_fd; measured).
     */
    int select(long timespec) {
        if (nfds > 0 && Libc.fcntl(nfds - 1, Libc.F_GETFD, 0) < 0) {
            return -Errno.EBADF;
        }
        long base = memory.address();
        return PollSyscalls.pselect(nfds, base, base + 8L * words, base + 16L * words, timespec);
    }

    private int usedWords() {
        return (nfds + 63) >> 6;
    }

    private void or(int word, long bit) {
        memory.setAtIndex(WORD, word, memory.getAtIndex(WORD, word) | bit);
    }

    private void grow(int fd) {
        int before = words;
        MemorySegment old = memory;
        words = Math.max((fd >> 6) + 1, before * 2);
        memory = Arena.ofAuto().allocate(3L * words * 8, 8);
        for (int set = 0; set < 3; set++) {
            MemorySegment.copy(old, 8L * set * before, memory, 8L * set * words, before * 8L);
        }
    }
}
