package io.trivet.linux;

import io.trivet.net.Interest;
import io.trivet.net.ReadyEvents;
import java.io.IOException;

/**
 * The engine select(2), without the C library's limit of 1,024 descriptors: the kernel accepts bitmaps of any size. It reports
 * errors and hang-ups only as READ and WRITE, where these are watched.
 */
final class SelectPoller extends LinuxPoller {
    private final FdBitmaps wanted = new FdBitmaps();
    /** The sets of the current wait. The kernel replaces their contents with its result. */
    private final FdBitmaps sets = new FdBitmaps();
    /** Where the next collection starts, so that sockets that did not fit into a full buffer come first. */
    private int cursor;

    /** The kernel refused the current wait because a descriptor in the sets is not open. It does not say which. */
    private boolean invalid;

    SelectPoller(String network) throws IOException {
        super(network);
        wanted.put(wakeup.fd(), Interest.READ);
    }

    @Override
    int watch(int fd, int before, int after, int generation) {
        wanted.put(fd, after);
        return 0;
    }

    @Override
    int await(int capacity, Timeout timeout) {
        synchronized (table) {
            sets.copy(wanted);
        }
        int answers = sets.select(timeout.timespec());
        invalid = answers == -Errno.EBADF;
        return invalid ? 1 : answers;
    }

    @Override
    String waitCall(Timeout timeout) {
        return "select";
    }

    @Override
    boolean collect(int answers, ReadyEvents out) {
        if (invalid) {
            collectInvalid(out);
            return false;
        }
        int nfds = sets.nfds();
        boolean woken = sets.get(wakeup.fd()) != 0;
        int start = cursor < nfds ? cursor : 0;
        if (collect(start, nfds, out)) {
            collect(0, start, out);
        }
        return woken;
    }

    /** Collects events from a range of descriptors. Returns false if the buffer became full before the end. */
    private boolean collect(int from, int to, ReadyEvents out) {
        for (int fd = sets.nextSet(from, to); fd >= 0; fd = sets.nextSet(fd + 1, to)) {
            int ready = fd == wakeup.fd() || !table.isRegistered(fd) ? 0 : sets.get(fd) & table.interest(fd);
            if (ready != 0) {
                if (out.isFull()) {
                    cursor = fd;
                    return false;
                }
                // otherwise the descriptor may belong to another socket by now, which is not registered here
                boolean open = table.openSocket(fd) != null;
                out.add(table.token(fd), open ? ready : Interest.INVALID);
            }
        }
        return true;
    }

    /** Finds the descriptors that are not open by checking each. This is slow, but happens only after a programmer's error. */
    private void collectInvalid(ReadyEvents out) {
        for (int fd = wanted.nextSet(0, wanted.nfds()); fd >= 0 && !out.isFull(); fd = wanted.nextSet(fd + 1, wanted.nfds())) {
            if (table.isRegistered(fd) && (Libc.fcntl(fd, Libc.F_GETFD, 0) < 0 || LinuxSocket.isPathOnly(fd))) {
                out.add(table.token(fd), Interest.INVALID);
            }
        }
    }

    @Override
    void release() {}
}
