package io.trivet.linux;

import io.trivet.net.Interest;
import io.trivet.net.ReadyEvents;
import java.io.IOException;

/**
 * select(2), past the 1,024 descriptors of the C library: the kernel takes bitmaps of any size. It cannot tell errors and hang-ups
 * apart from readiness: they are READ and WRITE, where these are watched.
 */
final class SelectPoller extends LinuxPoller {
    private final FdBitmaps wanted = new FdBitmaps();
    /** What the wait under way asked for; the kernel overwrites it with its answer. */
    private final FdBitmaps sets = new FdBitmaps();
    /** Where to begin to collect, so that sockets behind a full buffer get their turn. */
    private int cursor;

    /** The kernel refused the wait under way, since a descriptor in its sets is not open; it does not say which. */
    private boolean invalid;

    SelectPoller() throws IOException {
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
        int answers = sets.select(timeout);
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
        int begin = cursor < nfds ? cursor : 0;
        if (collect(begin, nfds, out)) {
            collect(0, begin, out);
        }
        return woken;
    }

    /** Collects from a range of descriptors; false when the buffer was full before its end. */
    private boolean collect(int from, int to, ReadyEvents out) {
        for (int fd = sets.nextSet(from, to); fd >= 0; fd = sets.nextSet(fd + 1, to)) {
            int ready = fd == wakeup.fd() || !table.isRegistered(fd) ? 0 : sets.get(fd) & table.interest(fd);
            if (ready != 0) {
                if (out.isFull()) {
                    cursor = fd;
                    return false;
                }
                boolean open = table.openSocket(fd) != null; // else the number may be another's, who is none of ours
                out.add(table.token(fd), open ? ready : Interest.INVALID);
            }
        }
        return true;
    }

    /** Finds what is not open by asking for each: a poll that sees this is a programmer's mistake, not a busy loop's. */
    private void collectInvalid(ReadyEvents out) {
        for (int fd = wanted.nextSet(0, wanted.nfds()); fd >= 0 && !out.isFull(); fd = wanted.nextSet(fd + 1, wanted.nfds())) {
            if (table.isRegistered(fd) && Libc.fcntl(fd, Libc.F_GETFD, 0) < 0) {
                out.add(table.token(fd), Interest.INVALID);
            }
        }
    }

    @Override
    void release() {}
}
