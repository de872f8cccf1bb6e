package io.trivet.linux;

import io.trivet.net.Interest;
import io.trivet.net.ReadyEvents;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The engine poll(2). The kernel checks every watched socket at every call, so the cost grows with their number.
 *
 * <pre>
 * struct pollfd {
 *   int   fd;       0
 *   short events;   4
 *   short revents;  6
 * };                8
 * </pre>
 */
final class PollPoller extends LinuxPoller {
    static final int POLLFD_SIZE = 8;
    static final int POLLFD_EVENTS = 4;
    static final int POLLFD_REVENTS = 6;

    /** The pollfds for the next wait, one long each. Entry 0 is the wakeup. */
    private long[] wanted = new long[64];
    /** Entry by descriptor; 0: none. */
    private int[] entryOf = new int[64];
    private int count = 1;
    private boolean changed = true;

    /** The pollfds of the current wait. The kernel writes into them while other threads may change {@link #wanted}. */
    private MemorySegment pollfds = MemorySegment.NULL;
    private int[] pollfdGenerations = new int[0];
    private int pollfdCount;
    /** Where the next collection starts, so that sockets that did not fit into a full buffer come first. */
    private int cursor;

    PollPoller(String network) throws IOException {
        super(network);
        wanted[0] = pollfd(wakeup.fd(), PollBits.POLLIN);
    }

    @Override
    int watch(int fd, int before, int after, int generation) {
        if (fd >= entryOf.length) {
            entryOf = Arrays.copyOf(entryOf, Math.max(fd + 1, entryOf.length * 2));
        }
        if (after == 0) {
            int entry = entryOf[fd];
            if (entry > 0) {
                long last = wanted[--count];
                wanted[entry] = last;
                entryOf[(int) last] = entry;
                entryOf[fd] = 0;
            }
        } else {
            if (entryOf[fd] == 0) {
                if (count == wanted.length) {
                    wanted = Arrays.copyOf(wanted, count * 2);
                }
                entryOf[fd] = count++;
            }
            wanted[entryOf[fd]] = pollfd(fd, PollBits.of(after));
        }
        changed = true;
        return 0;
    }

    @Override
    int await(int capacity, Timeout timeout) {
        synchronized (table) {
            if (changed) {
                copyWanted();
            }
        }
        return PollSyscalls.ppoll(pollfds.address(), pollfdCount, timeout.timespec());
    }

    @Override
    String waitCall(Timeout timeout) {
        return "poll";
    }

    @Override
    boolean collect(int answers, ReadyEvents out) {
        boolean woken = revents(pollfds.getAtIndex(ValueLayout.JAVA_LONG, 0)) != 0;
        int left = answers - (woken ? 1 : 0);
        int others = pollfdCount - 1;
        int start = others == 0 ? 0 : cursor % others;
        for (int i = 0; i < others && left > 0; i++) {
            int entry = 1 + (start + i) % others;
            long pollfd = pollfds.getAtIndex(ValueLayout.JAVA_LONG, entry);
            if (revents(pollfd) != 0) {
                if (out.isFull()) {
                    cursor = entry - 1;
                    break;
                }
                left--;
                int fd = (int) pollfd;
                if (table.isCurrent(fd, pollfdGenerations[entry]) && table.interest(fd) != 0) {
                    // otherwise the descriptor may belong to another socket by now, which is not registered here
                    boolean open = table.openSocket(fd) != null;
                    out.add(table.token(fd), open ? PollBits.events(revents(pollfd)) : Interest.INVALID);
                }
            }
        }
        return woken;
    }

    @Override
    void release() {}

    private void copyWanted() {
        if (pollfds.byteSize() < count * 8L) {
            pollfds = Arena.ofAuto().allocate(wanted.length * 8L, 8);
            pollfdGenerations = new int[wanted.length];
        }
        MemorySegment.copy(wanted, 0, pollfds, ValueLayout.JAVA_LONG, 0, count);
        for (int i = 1; i < count; i++) {
            pollfdGenerations[i] = table.generation((int) wanted[i]);
        }
        pollfdCount = count;
        changed = false;
    }

    /** Returns a struct pollfd as one number, with revents 0. Both architectures are little-endian. */
    static long pollfd(int fd, int bits) {
        return (long) bits << (8 * POLLFD_EVENTS) | fd;
    }

    static int revents(long pollfd) {
        return (int) (pollfd >>> (8 * POLLFD_REVENTS));
    }
}
