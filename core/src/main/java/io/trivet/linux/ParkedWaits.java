package io.trivet.linux;

import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Socket;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One epoll, polled by one daemon thread, that watches sockets for all waits of virtual threads. A virtual thread that waits in
 * the kernel would block its carrier. It parks instead, and the daemon thread unparks it. This is only a hint: the virtual thread
 * checks its sockets again. Several waits may watch the same descriptor. Any thread.
 *
 * <p>Both the epoll and the thread are created by the first wait, and remain: two descriptors for any number of waits.
 */
final class ParkedWaits {
    static final ParkedWaits SHARED = new ParkedWaits();

    private static final int EVENTS_PER_POLL = 256;

    /** By descriptor. An entry has at least one waiter. Guarded by this, as are the entries. */
    private final Map<Integer, Watched> watched = new HashMap<>();
    private @Nullable EpollPoller poller;

    private ParkedWaits() {}

    /** A wait for any number of descriptors, by the thread that creates this object. */
    static final class Wait {
        private final Thread thread = Thread.currentThread();
        private final List<Watched> at = new ArrayList<>(1);
        private volatile boolean isOver;
        private volatile boolean isRefused;

        /** Parks until a socket may be ready, the timeout expires or the thread is interrupted. Negative: no limit. */
        void park(long timeoutNanos) {
            long start = timeoutNanos < 0 ? 0 : System.nanoTime();
            long left = timeoutNanos;
            while (!isOver && left != 0 && !thread.isInterrupted()) {
                if (left < 0) {
                    LockSupport.park(this);
                } else {
                    LockSupport.parkNanos(this, left);
                    left = Math.max(0, timeoutNanos - (System.nanoTime() - start));
                }
            }
        }

        /** Returns true if epoll cannot do this wait, so that the thread has to wait in the kernel. */
        boolean isRefused() {
            return isRefused;
        }

        private void end() {
            isOver = true;
            LockSupport.unpark(thread);
        }
    }

    private record Waiter(Wait owner, int interest) {}

    /** The waiters for one descriptor. */
    private static final class Watched {
        final int fd;
        /** The socket by which the poller knows the descriptor: that of the newest waiter. */
        Socket socket;
        final List<Waiter> waiters = new ArrayList<>(1);

        Watched(int fd, Socket socket) {
            this.fd = fd;
            this.socket = socket;
        }

        int interest() {
            int interest = 0;
            for (Waiter waiter : waiters) {
                interest |= waiter.interest;
            }
            return interest;
        }
    }

    /**
     * Starts a wait for the entries of a call. If a socket is ready already, this also ends the wait. The caller must call {@link
     * #end} afterwards.
     *
     * @return false if the wait cannot start: no descriptor or memory is left, or a socket was closed meanwhile
     */
    synchronized boolean start(Wait wait, Socket[] sockets, int[] interests, int count) {
        try {
            if (poller == null) {
                poller = open();
            }
            for (int i = 0; i < count; i++) {
                if (interests[i] != 0) {
                    add(wait, (LinuxSocket) sockets[i], interests[i], poller);
                }
            }
            return true;
        } catch (IOException | OutOfMemoryError e) {
            return false; // the caller waits in the kernel, which needs no descriptor, or throws the reason
        }
    }

    synchronized void end(Wait wait) {
        for (Watched at : wait.at) {
            if (at.waiters.removeIf(waiter -> waiter.owner == wait) && at.waiters.isEmpty()) {
                forget(at);
            }
        }
    }

    private EpollPoller open() throws IOException {
        // One-shot: if a descriptor is closed during a wait but a duplicate of it stays open, its events can no longer be removed.
        EpollPoller opened = EpollPoller.oneShot("epoll");
        try {
            Thread.ofPlatform().name("trivet-select").daemon().start(() -> serve(opened));
            return opened;
        } catch (OutOfMemoryError e) { // the system grants no further thread
            opened.close();
            throw e;
        }
    }

    private void add(Wait wait, LinuxSocket socket, int interest, EpollPoller poller) throws IOException {
        int fd = socket.open();
        Watched at = watched.get(fd);
        if (at == null) {
            at = new Watched(fd, socket);
        } else {
            // The descriptor may have been closed and its number reused since: then the kernel has removed it from the epoll.
            deregister(at, poller);
            at.socket = socket;
        }
        Waiter newest = new Waiter(wait, interest);
        at.waiters.add(newest);
        watched.put(fd, at);
        try {
            poller.register(socket, at.interest(), fd);
            wait.at.add(at);
        } catch (IOException e) {
            at.waiters.remove(newest);
            wakeAll(at); // they have waited for a closed descriptor with this number, or have to wait in the kernel
            if (!(e instanceof NetworkException refused && refused.code() == ErrorCode.EPERM)) {
                throw e;
            }
            // A regular file: always readable and writable, so this is a wait for urgent data only, of which it has none.
        }
    }

    /**
     * Registers the interests of all waiters for a descriptor.
     *
     * @throws IOException the kernel refuses. Then all of them are woken
     */
    private void watch(Watched at, EpollPoller poller) throws IOException {
        try {
            poller.register(at.socket, at.interest(), at.fd);
        } catch (IOException e) {
            wakeAll(at);
            throw e;
        }
    }

    /**
     * Removes the registration of a descriptor.
     *
     * @throws IOException the kernel refuses. Then all waiters for the descriptor are woken
     */
    private void deregister(Watched at, EpollPoller poller) throws IOException {
        try {
            poller.deregister(at.socket);
        } catch (IOException e) {
            wakeAll(at);
            throw e;
        }
    }

    private void wakeAll(Watched at) {
        watched.remove(at.fd);
        at.waiters.forEach(waiter -> waiter.owner.end());
        at.waiters.clear();
    }

    private void forget(Watched at) {
        if (poller != null && watched.remove(at.fd, at)) {
            try {
                poller.deregister(at.socket);
            } catch (IOException e) {
                // The kernel had already removed it, or keeps it: a later event finds no waiter, and removes it again.
            }
        }
    }

    /** Runs on the daemon thread: wakes the waits whose sockets may be ready. */
    private void serve(EpollPoller poller) {
        ReadyEvents events = new ReadyEvents(EVENTS_PER_POLL);
        try (poller) {
            while (true) {
                int count = poller.poll(events, -1);
                Thread.interrupted(); // an interrupt is not for this thread, and would make it spin
                synchronized (this) {
                    for (int i = 0; i < count; i++) {
                        report((int) events.token(i), events.events(i), poller);
                    }
                }
            }
        } catch (IOException | RuntimeException | Error e) {
            stop(); // not expected, but no wait may be lost
        }
    }

    /** Continues all waits in the kernel, and lets the next one begin with a new epoll. */
    private synchronized void stop() {
        poller = null;
        List.copyOf(watched.values()).forEach(at -> {
            at.waiters.forEach(waiter -> waiter.owner.isRefused = true);
            wakeAll(at);
        });
    }

    private void report(int fd, int events, EpollPoller poller) {
        Watched at = watched.get(fd);
        if (at == null) {
            return;
        }
        // Epoll always reports errors and hang-ups, and would repeat them forever. They do not end a wait for urgent data only:
        // such a wait has to continue in the kernel, with select(2).
        boolean ends = (events & ~Interest.ALL) != 0;
        for (int i = at.waiters.size() - 1; i >= 0; i--) {
            Waiter waiter = at.waiters.get(i);
            boolean ready = Interest.fold(events, waiter.interest) != 0;
            if (ready || ends) {
                waiter.owner.isRefused |= !ready;
                at.waiters.remove(i);
                waiter.owner.end();
            }
        }
        if (at.waiters.isEmpty()) {
            forget(at);
            return;
        }
        try {
            deregister(at, poller);
            watch(at, poller);
        } catch (IOException e) {
            // All waiters were woken, and check their sockets again.
        }
    }
}
