package io.trivet.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An eventfd (man 2 eventfd), which wakes a waiting call by becoming readable. Signals that arrive before the waiter clears the
 * first one count as one signal. Threads: any.
 */
final class EventFd implements Wakeup {
    private static final int TRIES_MAX = 16;

    private final MemorySegment counter = Arena.ofAuto().allocate(8, 8);
    private final int fd;
    /** Written under the lock, but read without it, so that a repeated signal is cheap. */
    private volatile boolean signalled;
    private boolean closed;

    EventFd() throws IOException {
        fd = Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
        if (fd < 0) {
            throw Errno.failure("eventfd", null, -fd);
        }
    }

    @Override
    public int fd() {
        return fd;
    }

    @Override
    public void signal() {
        if (signalled) {
            return; // the waiter has not cleared it yet, and checks everything after clearing
        }
        synchronized (this) {
            if (!closed && !signalled) { // once closed, the number may have been reused
                counter.set(ValueLayout.JAVA_LONG, 0, 1);
                // The counter is 0, so the kernel has no reason to refuse (man 2 eventfd). A tracer or a sandbox may refuse
                // nevertheless, and then a wait would never end: try a few times.
                for (int tries = 0; tries < TRIES_MAX && !signalled; tries++) {
                    signalled = Libc.write(fd, counter.address(), 8) == 8;
                }
            }
        }
    }

    /**
     * Clears the signal, if there is one.
     *
     * @return false if the kernel refuses: the descriptor stays readable, and further signals do not change it. A wait that reports
     *     what is readable ends at once and clears it; one that reports changes must be started again
     */
    synchronized boolean clear() {
        for (int tries = 0; tries < TRIES_MAX && signalled; tries++) {
            signalled = Libc.read(fd, counter.address(), 8) != 8;
        }
        return !signalled;
    }

    synchronized void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
        }
    }
}
