package io.trivet.linux;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Socket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Implements {@link io.trivet.net.Network#selectOnce} with one call of poll(2) or select(2). The resources of such a call
 * (memory, and a descriptor by which an interrupt wakes it) are pooled. One thread at a time uses an object.
 */
final class OneShotPoll {
    /** Maximum number of waits at the same time that have an eventfd of their own. Further ones share one. */
    static final int OWN_MAX = 8;
    /** Unused objects with an eventfd of their own. */
    static final ArrayBlockingQueue<OneShotPoll> IDLE = new ArrayBlockingQueue<>(OWN_MAX);
    /** How many more of them may be created. */
    private static final Semaphore LEFT = new Semaphore(OWN_MAX);

    private static final SharedWakeup SHARED = new SharedWakeup();

    /**
     * Without any descriptor for a wakeup a wait checks this often whether the thread was interrupted. That happens only if none
     * was left since the first wait of the process.
     */
    private static final long CHECK_NANOS = 100_000_000;

    /** A struct pollfd with the descriptor -1, which the kernel ignores. */
    private static final long NO_FD = 0xffff_ffffL;

    final Wakeup wakeup;
    private final SharedWakeup.@Nullable Waiter sharing;
    private final InterruptHook interrupts;
    private final Timeout timeout = new Timeout();
    final FdBitmaps sets = new FdBitmaps();
    private MemorySegment pollfds = MemorySegment.NULL;

    private OneShotPoll(Wakeup wakeup, SharedWakeup.@Nullable Waiter sharing) {
        this.wakeup = wakeup;
        this.sharing = sharing;
        interrupts = new InterruptHook(wakeup);
    }

    static int poll(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return call(true, sockets, interests, count, timeoutNanos);
    }

    static int select(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return call(false, sockets, interests, count, timeoutNanos);
    }

    private static int call(boolean usesPoll, Socket[] sockets, int[] interests, int count, long timeoutNanos)
            throws IOException {
        OneShotPoll kept = IDLE.poll();
        OneShotPoll call = kept == null ? create(sockets, count, usesPoll ? "poll" : "select") : kept;
        try {
            if (timeoutNanos != 0) {
                call.interrupts.beforeWait();
            }
            call.timeout.start(timeoutNanos);
            return usesPoll ? call.pollOnce(sockets, interests, count) : call.selectOnce(sockets, interests, count);
        } finally {
            if (timeoutNanos != 0) {
                call.interrupts.afterWait();
            }
            call.end();
        }
    }

    private static OneShotPoll create(Socket[] sockets, int count, String name) throws IOException {
        boolean own = LEFT.tryAcquire();
        try {
            if (own || !SHARED.isOpen()) {
                checkBorrowed(sockets, count, name);
            }
            if (own) {
                OneShotPoll call = new OneShotPoll(new EventFd(), null);
                own = false;
                return call;
            }
        } catch (NetworkException e) {
            if (!e.call().equals("eventfd")) {
                throw e;
            }
            // no descriptor is left: a wait needs none of its own
        } finally {
            if (own) {
                LEFT.release();
            }
        }
        SharedWakeup.Waiter waiter = SHARED.newWaiter();
        return new OneShotPoll(waiter, waiter);
    }

    private void end() {
        if (sharing != null) {
            sharing.end();
        } else if (wakeup instanceof EventFd eventFd) {
            eventFd.clear();
            IDLE.add(this); // it has room: no more than its capacity were created
        }
    }

    /**
     * Checks that borrowed descriptors are open. This must happen before a call opens a descriptor of its own, which could get
     * the number of a closed one and be polled in its place. {@code call} is the name for the exception.
     */
    static void checkBorrowed(Socket[] sockets, int count, String call) throws IOException {
        for (int i = 0; i < count; i++) {
            if (sockets[i] instanceof LinuxDescriptor borrowed && Libc.fcntl(borrowed.open(), Libc.F_GETFD, 0) < 0) {
                throw invalid(borrowed, call);
            }
        }
    }

    private int pollOnce(Socket[] sockets, int[] interests, int count) throws IOException {
        if (pollfds.byteSize() < (count + 1) * 8L) {
            pollfds = Arena.ofAuto().allocate(Math.max(count + 1, 64) * 8L * 5 / 4, 8);
        }
        MemorySegment memory = pollfds;
        for (int i = 0; i < count; i++) {
            memory.setAtIndex(ValueLayout.JAVA_LONG, i, PollPoller.pollfd(open(sockets[i]), PollBits.of(interests[i])));
        }
        int result = callPoll(memory, count);
        while (mustRepeat(result, revents(memory, count))) {
            result = callPoll(memory, count);
        }
        if (result == -Errno.EINVAL) {
            // more entries than the descriptor limit, which duplicates make possible
            return selectOnce(sockets, interests, count);
        }
        if (result < 0) {
            throw Errno.failure("poll", null, -result);
        }
        if (result > 0 && !timeout.isExpired() && !hasRelevantEvent(interests, count)) {
            // poll(2) always reports hang-ups and errors. One that folds into no requested interest must not end the wait, so
            // continue with select(2).
            timeout.update();
            return selectOnce(sockets, interests, count);
        }
        int ready = 0;
        for (int i = 0; i < count; i++) {
            int revents = revents(memory, i);
            if (revents == 0) {
                interests[i] = 0;
            } else if ((revents & PollBits.POLLNVAL) != 0) {
                throw invalid(sockets[i], "poll");
            } else {
                interests[i] = Interest.fold(PollBits.events(revents), interests[i]);
                ready += interests[i] == 0 ? 0 : 1;
            }
        }
        return ready;
    }

    /** Calls poll(2). The wakeup is the entry after the others, unless there is no time to wait. */
    private int callPoll(MemorySegment memory, int count) {
        boolean waits = !timeout.isExpired();
        int fd = wakeup.fd();
        memory.setAtIndex(ValueLayout.JAVA_LONG, count, fd < 0 ? NO_FD : PollPoller.pollfd(fd, PollBits.POLLIN));
        return PollSyscalls.ppoll(memory.address(), waits ? count + 1 : count, timespec());
    }

    /** Returns the address of the time for one call. */
    private long timespec() {
        return wakeup.fd() >= 0 || timeout.isExpired() ? timeout.timespec()
                : timeout.timespec(Thread.currentThread().isInterrupted() ? 0 : CHECK_NANOS);
    }

    /**
     * Returns whether a call has ended for nothing: by a signal, by a wakeup that was not for this thread, or because it had to
     * check for an interrupt. Updates the remaining time in these cases.
     */
    private boolean mustRepeat(int result, int wakeupEvents) {
        if (result == -Errno.EINTR || (result == 1 && isStale(wakeupEvents))) {
            timeout.update();
            return true;
        }
        if (result == 0 && wakeup.fd() < 0) {
            timeout.update();
            return !timeout.isExpired() && !Thread.currentThread().isInterrupted();
        }
        return false;
    }

    /**
     * Returns whether the wait may end: an entry has a requested event or is invalid, or the wakeup (the last entry) was
     * signalled for this call.
     */
    private boolean hasRelevantEvent(int[] interests, int count) {
        for (int i = 0; i < count; i++) {
            int events = PollBits.events(revents(pollfds, i));
            if (events != 0 && ((events & Interest.INVALID) != 0 || Interest.fold(events, interests[i]) != 0)) {
                return true;
            }
        }
        int wakeupEvents = revents(pollfds, count);
        return wakeupEvents != 0 && !isStale(wakeupEvents);
    }

    private static int revents(MemorySegment pollfds, int entry) {
        return PollPoller.revents(pollfds.getAtIndex(ValueLayout.JAVA_LONG, entry));
    }

    /**
     * Returns whether the wakeup was not meant for this call, but for that of another thread, or for an earlier one:
     * {@link Thread#interrupt} runs its hook last, when that call may already have ended. The signal is cleared before the
     * interrupt status is read, so no interrupt of this thread is lost.
     */
    private boolean isStale(int wakeupEvents) {
        if (wakeupEvents == 0) {
            return false;
        }
        if (sharing != null) {
            return sharing.awaitOthers(timeout);
        }
        if (wakeup instanceof EventFd eventFd) {
            eventFd.clear();
        }
        return !Thread.currentThread().isInterrupted();
    }

    private int selectOnce(Socket[] sockets, int[] interests, int count) throws IOException {
        int result = callSelect(sockets, interests, count);
        while (mustRepeat(result, result == 1 && wakeup.fd() >= 0 ? sets.get(wakeup.fd()) : 0)) {
            result = callSelect(sockets, interests, count); // after an error the contents of the sets are undefined
        }
        if (result == -Errno.EBADF) {
            for (int i = 0; i < count; i++) {
                int fd = open(sockets[i]);
                if (Libc.fcntl(fd, Libc.F_GETFD, 0) < 0 || LinuxSocket.isPathOnly(fd)) {
                    throw invalid(sockets[i], "select");
                }
            }
        }
        if (result < 0) {
            throw Errno.failure("select", null, -result);
        }
        int ready = 0;
        for (int i = 0; i < count; i++) {
            interests[i] = result == 0 ? 0 : interests[i] & sets.get(open(sockets[i]));
            if (interests[i] != 0 && sockets[i] instanceof LinuxDescriptor borrowed && borrowed.isPathOnly()) {
                throw invalid(borrowed, "select"); // select(2) reports it as ready in every set (fs/select.c, EPOLLNVAL)
            }
            ready += interests[i] == 0 ? 0 : 1;
        }
        return ready;
    }

    private int callSelect(Socket[] sockets, int[] interests, int count) throws IOException {
        sets.clear();
        for (int i = 0; i < count; i++) {
            int fd = open(sockets[i]);
            if (sets.needsOpenCheck(fd) && Libc.fcntl(fd, Libc.F_GETFD, 0) < 0) {
                throw invalid(sockets[i], "select");
            }
            sets.add(fd, interests[i]);
        }
        if (!timeout.isExpired() && wakeup.fd() >= 0) {
            sets.add(wakeup.fd(), Interest.READ);
        }
        return sets.select(timespec());
    }

    private static int open(Socket socket) throws ClosedSocketException {
        if (socket instanceof LinuxSocket linux) {
            return linux.open();
        }
        throw new IllegalArgumentException(socket + " is an application's own Socket, unknown to the kernel:"
                + " its method socket() must return the one it represents");
    }

    /** Returns the exception for a descriptor that is not open: closed by this program meanwhile, or never opened. */
    private static IOException invalid(Socket socket, String call) {
        return ((LinuxSocket) socket).failure(call, Errno.EBADF);
    }
}
