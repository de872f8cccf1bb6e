package io.trivet.linux;

import io.trivet.net.Interest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The three sets of select(2) as the kernel reads and writes them: one bit a descriptor, in 64-bit words, for as many descriptors as
 * there are. Not thread-safe.
 */
final class FdBitmaps {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;

    /** Read, write and except words of one set behind the other, {@link #words} each. */
    private MemorySegment memory = Arena.ofAuto().allocate(3 * 16 * 8, 8);
    private int words = 16;
    /** One more than the highest descriptor that is in a set. */
    private int nfds;

    int nfds() {
        return nfds;
    }

    /** Whether the sets should not grow for a number before it is known to be open: see {@link Registrations#UNCHECKED_FD_MAX}. */
    boolean needsOpenCheck(int fd) {
        return fd >= Registrations.UNCHECKED_FD_MAX && fd >= words * 64;
    }

    /** Forgets all. */
    void clear() {
        long used = usedWords() * 8L;
        for (int set = 0; set < 3; set++) {
            memory.asSlice(8L * set * words, used).fill((byte) 0);
        }
        nfds = 0;
    }

    /** Adds what is watched of a descriptor to what is there. */
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

    /** Sets what is watched of a descriptor. */
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

    /** What is in the sets of a descriptor, as bits of {@link Interest}. */
    int get(int fd) {
        if (fd >= words * 64) {
            return 0;
        }
        int word = fd >> 6;
        return (int) (memory.getAtIndex(WORD, word) >>> fd & 1) * Interest.READ
                | (int) (memory.getAtIndex(WORD, words + word) >>> fd & 1) * Interest.WRITE
                | (int) (memory.getAtIndex(WORD, 2 * words + word) >>> fd & 1) * Interest.PRIORITY;
    }

    /** The lowest descriptor from {@code from}, below {@code to}, that is in a set; -1: none. */
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

    /** Becomes the same as another. */
    void copy(FdBitmaps other) {
        int used = other.usedWords();
        if (words == other.words) {
            used = Math.max(used, usedWords()); // what was here beyond the other's end goes, too
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
     * Asks the kernel, which leaves its answer in the sets; how many bits that are, or the negative error number.
     *
     * <p>The kernel cuts nfds to the size of the process's descriptor table and leaves the bits beyond it as they were: a descriptor
     * that was never opened would be "ready" in every set. If the highest is open, all lie inside the table, and the kernel itself
     * answers EBADF for those that are not (fs/select.c, max_select_fd; measured).
     */
    int select(Timeout timeout) {
        if (nfds > 0 && Libc.fcntl(nfds - 1, Libc.F_GETFD, 0) < 0) {
            return -Errno.EBADF;
        }
        long base = memory.address();
        return PollSyscalls.pselect(nfds, base, base + 8L * words, base + 16L * words, timeout.timespec());
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
