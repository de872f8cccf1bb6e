package io.trivet.linux;

import io.trivet.net.Interest;

/**
 * Conversion between the event bits that poll(2) and epoll(7) share (asm-generic/poll.h) and {@link Interest}. Each interest asks
 * for the whole group of bits that select(2) treats as one (fs/select.c: POLLIN_SET, POLLOUT_SET, POLLEX_SET).
 */
final class PollBits {
    static final int POLLIN = 0x001;
    static final int POLLPRI = 0x002;
    static final int POLLOUT = 0x004;
    static final int POLLERR = 0x008;
    static final int POLLHUP = 0x010;
    static final int POLLNVAL = 0x020;
    static final int POLLRDNORM = 0x040;
    static final int POLLRDBAND = 0x080;
    static final int POLLWRNORM = 0x100;
    static final int POLLWRBAND = 0x200;

    private static final int READ = POLLIN | POLLRDNORM | POLLRDBAND;
    private static final int WRITE = POLLOUT | POLLWRNORM | POLLWRBAND;

    private PollBits() {}

    static int of(int interest) {
        return ((interest & Interest.READ) != 0 ? READ : 0)
                | ((interest & Interest.WRITE) != 0 ? WRITE : 0)
                | ((interest & Interest.PRIORITY) != 0 ? POLLPRI : 0);
    }

    static int events(int bits) {
        return ((bits & READ) != 0 ? Interest.READ : 0)
                | ((bits & WRITE) != 0 ? Interest.WRITE : 0)
                | ((bits & POLLPRI) != 0 ? Interest.PRIORITY : 0)
                | ((bits & POLLERR) != 0 ? Interest.ERROR : 0)
                | ((bits & POLLHUP) != 0 ? Interest.HANG_UP : 0)
                | ((bits & POLLNVAL) != 0 ? Interest.INVALID : 0);
    }
}
