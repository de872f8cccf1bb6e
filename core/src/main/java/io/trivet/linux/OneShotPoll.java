package io.trivet.linux;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Interest;
import io.trivet.net.Socket;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Implements {@link io.trivet.net.Network#selectOnce} with one call of poll(2) or select(2). The resources of such a call
 * (memory, and a descriptor by which an interrupt wakes it) are pooled. One thread at a time uses an object.
 */
final class OneShotPoll {
    /**
     * Unused objects, which waiting threads take from here. If there is none, a thread creates one. Once the queue is full, an
     * object is released after its use.
     */
    static final ArrayBlockingQueue<OneShotPoll> IDLE = new ArrayBlockingQueue<>(8);

    final EventFd wakeup = new EventFd();
    private final InterruptHook interrupts = new InterruptHook(wakeup);
    private final Timeout timeout = new Timeout();
    final FdBitmaps sets = new FdBitmaps();
    private MemorySegment pollfds = MemorySegment.NULL;

    private OneShotPoll() throws IOException {}

    static int poll(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return call(true, sockets, interests, count, timeoutNanos);
    }

    static int select(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return call(false, sockets, interests, count, timeoutNanos);
    }

    private static int call(boolean usesPoll, Socket[] sockets, int[] interests, int count, long timeoutNanos)
            throws IOException {
        OneShotPoll kept = IDLE.poll();
        if (kept == null) {
            checkBorrowed(sockets, count);
        }
        OneShotPoll call = kept == null ? new OneShotPoll() : kept;
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
            call.wakeup.clear();
            if (!IDLE.offer(call)) {
                call.wakeup.close();
            }
        }
    }

    /**
     * Checks that borrowed descriptors are open. This must happen before a call opens a descriptor of its own, which could get
     * the number of a closed one and be polled in its place.
     */
    static void checkBorrowed(Socket[] sockets, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            if (sockets[i] instanceof LinuxDescriptor borrowed && Libc.fcntl(borrowed.open(), Libc.F_GETFD, 0) < 0) {
                throw invalid(borrowed, "fcntl");
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
        int entries = count;
        if (!timeout.isExpired()) {
            memory.setAtIndex(ValueLayout.JAVA_LONG, entries++, PollPoller.pollfd(wakeup.fd(), PollBits.POLLIN));
        }
        int result = PollSyscalls.ppoll(memory.address(), entries, timeout.timespec());
        while (result == -Errno.EINTR || (result == 1 && entries > count && isStale(revents(memory, count)))) {
            timeout.update();
            result = PollSyscalls.ppoll(memory.address(), entries, timeout.timespec());
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
     * Returns whether the wakeup was meant for an earlier call: {@link Thread#interrupt} runs its hook last, when that call may
     * already have ended. The signal is cleared before the interrupt status is read, so no interrupt of this thread is lost.
     */
    private boolean isStale(int wakeupEvents) {
        if (wakeupEvents == 0) {
            return false;
        }
        wakeup.clear();
        return !Thread.currentThread().isInterrupted();
    }

    private int selectOnce(Socket[] sockets, int[] interests, int count) throws IOException {
        int result = callSelect(sockets, interests, count);
        while (result == -Errno.EINTR || (result == 1 && isStale(sets.get(wakeup.fd())))) {
            timeout.update();
            result = callSelect(sockets, interests, count); // after an error the contents of the sets are undefined
        }
        if (result == -Errno.EBADF) {
            for (int i = 0; i < count; i++) {
                if (Libc.fcntl(open(sockets[i]), Libc.F_GETFD, 0) < 0) {
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
        if (!timeout.isExpired()) {
            sets.add(wakeup.fd(), Interest.READ);
        }
        return sets.select(timeout);
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
