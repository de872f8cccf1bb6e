package io.trivet.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A descriptor that becomes readable when somebody signals (man 2 eventfd): what wakes a waiting call. Signals that come before the
 * waiter has seen the first are one. From any thread.
 */
final class EventFd {
    private static final int TRIES_MAX = 16;

    private final MemorySegment counter = Arena.ofAuto().allocate(8, 8);
    private final int fd;
    /** Written under the lock; read without it, so that a second signal costs no more than that. */
    private volatile boolean signalled;
    private boolean closed;

    EventFd() throws IOException {
        fd = Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
        if (fd < 0) {
            throw Errno.failure("eventfd", null, -fd);
        }
    }

    int fd() {
        return fd;
    }

    void signal() {
        if (signalled) {
            return; // whoever waits has not yet cleared it, and looks at everything after it has
        }
        synchronized (this) {
            if (!closed && !signalled) { // once closed, the number may be somebody else's
                counter.set(ValueLayout.JAVA_LONG, 0, 1);
                // The counter stands at 0, so the kernel has no reason to refuse (man 2 eventfd). A tracer or a sandbox may: then a wait would
                // never end, and nobody could tell why.
                for (int tries = 0; tries < TRIES_MAX && !signalled; tries++) {
                    signalled = Libc.write(fd, counter.address(), 8) == 8;
                }
            }
        }
    }

    /** Takes the signal, if there is one. */
    synchronized void clear() {
        if (signalled) {
            signalled = Libc.read(fd, counter.address(), 8) != 8; // not taken: the next wait ends at once, and takes it
        }
    }

    synchronized void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
        }
    }
}
