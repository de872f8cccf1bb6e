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
                signalled = true;
                counter.set(ValueLayout.JAVA_LONG, 0, 1);
                Libc.write(fd, counter.address(), 8); // cannot fail: the counter stands at 0
            }
        }
    }

    /** Takes the signal, if there is one. */
    synchronized void clear() {
        if (signalled) {
            Libc.read(fd, counter.address(), 8);
            signalled = false;
        }
    }

    synchronized void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
        }
    }
}
