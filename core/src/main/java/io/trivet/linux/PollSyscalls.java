package io.trivet.linux;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Bindings of the calls that wait for readiness, by their own names. They return what {@link Libc}'s functions do: the result, or
 * the negative error number.
 */
final class PollSyscalls {
    /**
     * The method handles of each engine are in a class of their own, so that an engine that is not used costs nothing at
     * start-up.
     */
    private static final class Poll {
        static final MethodHandle PPOLL = Downcall.of("ppoll");
    }

    private static final class Select {
        static final MethodHandle PSELECT = Downcall.of("pselect");
    }

    private static final class Epoll {
        static final MethodHandle CREATE = Downcall.of("epoll_create1");
        static final MethodHandle CTL = Downcall.of("epoll_ctl");
        static final MethodHandle WAIT = Downcall.of("epoll_wait");
        /** Like epoll_wait, but with a timeout in nanoseconds instead of milliseconds. Linux 5.11, glibc 2.35. */
        static final @Nullable MethodHandle PWAIT2 = Downcall.ofOptional("epoll_pwait2");
        /**
         * True once the kernel has refused epoll_pwait2: it is older than the C library, or a container's filter blocks the call.
         */
        static volatile boolean pwait2Refused;
    }

    private PollSyscalls() {}

    /** man 2 ppoll, without a change of the signal mask. */
    static int ppoll(long pollfds, int count, long timespec) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.intResult((long) Poll.PPOLL.invokeExact(errno, pollfds, (long) count, timespec, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 pselect, without a change of the signal mask. The C library passes sets of any size on to the kernel. */
    static int pselect(int nfds, long readSet, long writeSet, long exceptSet, long timespec) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.intResult(
                    (long) Select.PSELECT.invokeExact(errno, (long) nfds, readSet, writeSet, exceptSet, timespec, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 epoll_create1. */
    static int epollCreate1(int flags) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.intResult((long) Epoll.CREATE.invokeExact(errno, (long) flags, 0L, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 epoll_ctl. */
    static int epollCtl(int epfd, int operation, int fd, long event) {
        MemorySegment errno = Libc.errnoOfThread();
        try {
            return Libc.intResult(
                    (long) Epoll.CTL.invokeExact(errno, (long) epfd, (long) operation, (long) fd, event, 0L, 0L, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** Returns whether {@link #epollWait} calls epoll_pwait2 for this timeout. */
    static boolean usesPwait2(Timeout timeout) {
        return Epoll.PWAIT2 != null && !Epoll.pwait2Refused && timeout.isLimited();
    }

    /** man 2 epoll_wait; or epoll_pwait2, if the wait has a limit and the call is available. */
    static int epollWait(int epfd, long events, int maxEvents, Timeout timeout) {
        MemorySegment errno = Libc.errnoOfThread();
        MethodHandle pwait2 = Epoll.PWAIT2;
        try {
            if (pwait2 != null && usesPwait2(timeout)) {
                int result = Libc.intResult(
                        (long) pwait2.invokeExact(errno, (long) epfd, events, (long) maxEvents, timeout.timespec(), 0L, 0L, 0L),
                        errno);
                if (result != -Errno.ENOSYS && result != -Errno.EPERM) {
                    return result;
                }
                Epoll.pwait2Refused = true;
            }
            return Libc.intResult(
                    (long) Epoll.WAIT.invokeExact(errno, (long) epfd, events, (long) maxEvents, (long) timeout.millis(), 0L, 0L,
                            0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }
}
