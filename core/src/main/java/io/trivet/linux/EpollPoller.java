package io.trivet.linux;

import io.trivet.net.ReadyEvents;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The engine epoll, level-triggered (man 7 epoll). Its cost does not grow with the number of idle sockets.
 *
 * <pre>
 * struct epoll_event {   x86-64 (packed)   aarch64
 *   uint32_t     events;       0              0
 *   epoll_data_t data;         4              8
 * };                          12             16
 * </pre>
 */
final class EpollPoller extends LinuxPoller {
    static final int EPOLL_CLOEXEC = 0x80000;
    static final int EPOLLONESHOT = 1 << 30;
    static final int EPOLL_CTL_ADD = 1;
    static final int EPOLL_CTL_DEL = 2;
    static final int EPOLL_CTL_MOD = 3;
    private static final String ARCHITECTURE = System.getProperty("os.arch");
    private static final int EVENT_SIZE = eventSize(ARCHITECTURE);
    private static final int DATA_OFFSET = dataOffset(ARCHITECTURE);
    private static final ValueLayout.OfLong DATA = ValueLayout.JAVA_LONG_UNALIGNED;

    private final int epfd;
    /** Bits of each event that is watched, besides its interest: 0 or EPOLLONESHOT. */
    private final int mode;
    private final MemorySegment change = Arena.ofAuto().allocate(EVENT_SIZE, 8);
    private MemorySegment answers = MemorySegment.NULL;

    /** Returns sizeof(struct epoll_event) for a value of the system property os.arch. */
    static int eventSize(String architecture) {
        return architecture.equals("amd64") ? 12 : 16;
    }

    /** Returns offsetof(struct epoll_event, data) for a value of the system property os.arch. */
    static int dataOffset(String architecture) {
        return architecture.equals("amd64") ? 4 : 8;
    }

    EpollPoller(String network) throws IOException {
        this(network, 0);
    }

    /** Returns a poller that reports a socket only once, until its interest changes. */
    static EpollPoller oneShot(String network) throws IOException {
        return new EpollPoller(network, EPOLLONESHOT);
    }

    private EpollPoller(String network, int mode) throws IOException {
        super(network);
        this.mode = mode;
        epfd = PollSyscalls.epollCreate1(EPOLL_CLOEXEC);
        if (epfd < 0) {
            close();
            throw Errno.failure("epoll_create1", null, -epfd);
        }
        int result = control(EPOLL_CTL_ADD, wakeup.fd(), PollBits.POLLIN, 0);
        if (result < 0) {
            close();
            throw Errno.failure("epoll_ctl", null, -result);
        }
    }

    @Override
    int watch(int fd, int before, int after, int generation) {
        if (before == after) {
            return 0;
        }
        int operation = before == 0 ? EPOLL_CTL_ADD : after == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
        int result = control(operation, fd, PollBits.of(after) | mode, generation);
        // EPERM: the number has been reused by a regular file, which cannot be in an epoll.
        boolean closedFirst = after == 0 && (result == -Errno.ENOENT || result == -Errno.EBADF || result == -Errno.EPERM);
        return closedFirst ? 0 : result; // the kernel had already removed it
    }

    @Override
    int await(int capacity, Timeout timeout) {
        if (answers.byteSize() < (long) capacity * EVENT_SIZE) {
            answers = Arena.ofAuto().allocate((long) capacity * EVENT_SIZE, 8);
        }
        return PollSyscalls.epollWait(epfd, answers.address(), capacity, timeout);
    }

    @Override
    String waitCall(Timeout timeout) {
        return PollSyscalls.usesPwait2(timeout) ? "epoll_pwait2" : "epoll_wait";
    }

    @Override
    boolean collect(int count, ReadyEvents out) {
        boolean woken = false;
        for (int i = 0; i < count; i++) {
            long at = (long) i * EVENT_SIZE;
            long data = answers.get(DATA, at + DATA_OFFSET);
            int fd = (int) data;
            if (fd == wakeup.fd()) {
                woken = true;
            } else if (table.isCurrent(fd, (int) (data >>> 32)) && table.interest(fd) != 0) {
                out.add(table.token(fd), PollBits.events(answers.get(ValueLayout.JAVA_INT_UNALIGNED, at)));
            }
        }
        return woken;
    }

    @Override
    void release() {
        if (epfd >= 0) {
            Libc.close(epfd);
        }
    }

    /** Calls epoll_ctl. The data of an event is the descriptor and its generation, which identifies the socket. */
    private int control(int operation, int fd, int bits, int generation) {
        change.set(ValueLayout.JAVA_INT, 0, bits);
        change.set(DATA, DATA_OFFSET, (long) generation << 32 | fd);
        return PollSyscalls.epollCtl(epfd, operation, fd, change.address());
    }
}
