package io.trivet.linux;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The common part of the three engines: checks, registrations, wakeup and close. An engine implements five methods, in the same
 * order in each: {@link #watch}, {@link #await}, {@link #waitCall}, {@link #collect}, {@link #release}.
 *
 * <p>The lock of {@link #table} guards the registrations and the engine's own state, except the memory that {@link #await} passes
 * to the kernel. It is never held during a wait.
 */
abstract sealed class LinuxPoller implements Poller permits EpollPoller, PollPoller, SelectPoller {
    final Registrations table = new Registrations();
    final EventFd wakeup = new EventFd();
    private final InterruptHook interrupts = new InterruptHook(wakeup);
    private final Timeout timeout = new Timeout();
    private final AtomicBoolean polling = new AtomicBoolean();
    private volatile boolean closed;
    private boolean released;

    /** Name of the network, for messages. */
    private final String network;

    LinuxPoller(String network) throws IOException {
        this.network = network;
    }

    /**
     * Changes a descriptor's interest; 0 stops watching it. The table still contains the previous interest.
     *
     * @return 0, or the negative error number, in which case nothing may have changed
     */
    abstract int watch(int fd, int before, int after, int generation);

    /** Waits. Returns the number of events, or the negative error number. Called without the lock. */
    abstract int await(int capacity, Timeout timeout);

    /** Returns the name of the call that {@link #await} makes with this timeout, for its exception. */
    abstract String waitCall(Timeout timeout);

    /**
     * Adds the events of the last wait, except stale ones, to the caller's buffer. Returns whether the wakeup was among them.
     */
    abstract boolean collect(int answers, ReadyEvents out);

    /** Releases the engine's kernel resources. */
    abstract void release();

    @Override
    public final void register(Socket socket, int interest, long token) throws IOException {
        Interest.check(interest);
        LinuxSocket linux = linux(socket);
        synchronized (table) {
            checkOpen();
            int fd = linux.open();
            if (table.openSocket(fd) != null) {
                throw new IllegalArgumentException(socket + " is registered already");
            }
            if (table.isRegistered(fd)) {
                table.displace(fd); // the earlier socket was closed without being deregistered, and this one has its number
                forget(fd);
            }
            if ((table.needsOpenCheck(fd) && Libc.fcntl(fd, Libc.F_GETFD, 0) < 0)
                    || (linux instanceof LinuxDescriptor borrowed && borrowed.isPathOnly())) {
                throw linux.failure("fcntl", Errno.EBADF);
            }
            table.add(socket, fd, 0, token);
            int result = watch(fd, 0, interest, table.generation(fd));
            if (result < 0) {
                table.remove(fd);
                throw refused(linux, -result);
            }
            table.set(fd, interest, token);
        }
    }

    @Override
    public final void modify(Socket socket, int interest, long token) throws IOException {
        Interest.check(interest);
        synchronized (table) {
            checkOpen();
            if (table.removeDisplaced(socket)) {
                throw new ClosedSocketException(socket.toString());
            }
            int fd = registered(socket);
            if (!socket.isOpen()) {
                forget(fd);
                throw new ClosedSocketException(socket.toString());
            }
            int before = table.interest(fd);
            int result = before == interest ? 0 : watch(fd, before, interest, table.generation(fd));
            if (result < 0) {
                table.remove(fd);
                throw refused(socket, -result);
            }
            table.set(fd, interest, token);
        }
    }

    @Override
    public final void deregister(Socket socket) throws IOException {
        synchronized (table) {
            checkOpen();
            if (table.removeDisplaced(socket)) {
                return;
            }
            int fd = registered(socket);
            int result = forget(fd);
            if (result < 0) {
                throw refused(socket, -result);
            }
        }
    }

    @Override
    public final @Nullable Registration registration(Socket socket) {
        synchronized (table) {
            return table.registration(socket);
        }
    }

    @Override
    public final int poll(ReadyEvents out, long timeoutNanos) throws IOException {
        if (!polling.compareAndSet(false, true)) {
            throw new IllegalStateException("another thread is polling: one at a time");
        }
        boolean waits = timeoutNanos != 0;
        try {
            checkOpen();
            out.clear();
            if (waits) {
                interrupts.beforeWait();
            }
            timeout.start(timeoutNanos);
            while (!pollOnce(out)) {
                timeout.update();
            }
            checkOpen();
            return out.size();
        } finally {
            if (waits) {
                interrupts.afterWait();
            }
            polling.set(false);
            if (closed) {
                releaseWhenIdle();
            }
        }
    }

    /** Waits once. Returns whether the poll is over: a signal, or events that all turned out to be stale, do not end it. */
    private boolean pollOnce(ReadyEvents out) throws IOException {
        int answers = await(out.capacity(), timeout);
        if (answers == -Errno.EINTR) {
            return false;
        }
        if (answers < 0) {
            throw Errno.failure(waitCall(timeout), null, -answers);
        }
        synchronized (table) {
            boolean woken = answers > 0 && collect(answers, out);
            if (woken) {
                wakeup.clear();
            }
            // A wait with no time left is the last one: events that stay stale (a duplicate of a closed descriptor) must not
            // repeat it forever.
            return woken || out.size() > 0 || answers == 0 || timeout.isExpired();
        }
    }

    @Override
    public final void wakeup() {
        wakeup.signal();
    }

    @Override
    public final void close() {
        closed = true;
        wakeup.signal();
        releaseWhenIdle();
    }

    /** Releases the resources, in the closing thread or in the polling thread, whichever comes last. */
    private void releaseWhenIdle() {
        if (polling.compareAndSet(false, true)) {
            synchronized (table) {
                if (!released) {
                    released = true;
                    release();
                    wakeup.close(); // last: a signal must never be written to a number that has been reused
                }
            }
            polling.set(false);
        }
    }

    /** Removes a descriptor from the engine and the table, even if the kernel reports an error. */
    private int forget(int fd) {
        int result = watch(fd, table.interest(fd), 0, table.generation(fd));
        table.remove(fd);
        return result;
    }

    private int registered(Socket socket) {
        int fd = table.find(socket);
        if (fd < 0) {
            throw new IllegalArgumentException(socket + " is not registered");
        }
        return fd;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the poller is closed");
        }
    }

    private LinuxSocket linux(Socket socket) {
        if (socket instanceof LinuxSocket linux) {
            return linux;
        }
        throw new IllegalArgumentException(
                socket + " belongs to the network " + socket.network().name() + ", but this poller to " + network);
    }

    /** Returns the exception for a refused change of interest. Of the three engines only epoll makes a call for it. */
    private IOException refused(Socket socket, int errno) {
        if (errno == Errno.EPERM) {
            String name = network.equals("epoll") ? "epoll" : "the network " + network + ", which watches with epoll,";
            return new NetworkException("epoll_ctl", socket, ErrorCode.EPERM, "EPERM, " + name
                    + " cannot watch what is always ready: a regular file, a directory, or a device such as /dev/null;"
                    + " the networks poll and select can");
        }
        return linux(socket).failure("epoll_ctl", errno);
    }
}
