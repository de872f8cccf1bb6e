package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import java.io.IOException;
import java.util.ArrayDeque;

/**
 * Simulates level-triggered epoll (man 7 epoll). Sockets that may be ready are queued in the order in which they became ready. A
 * socket that was reported moves to the end of the queue.
 */
final class SimEpollPoller extends SimPoller {
    private final ArrayDeque<SimWatch> queue = new ArrayDeque<>();

    SimEpollPoller(SimHost host) throws IOException {
        super(host, "epoll_create1");
    }

    /** {@inheritDoc} epoll_ctl fails with EBADF if the descriptor is not open. */
    @Override
    OpenFile file(SimSocket socket) throws IOException {
        return socket.file();
    }

    @Override
    void watch(SimSocket socket, OpenFile file) throws NetworkException {
        if (file.isRegular()) {
            throw new NetworkException("epoll_ctl", socket, ErrorCode.EPERM,
                    "EPERM, epoll cannot watch what is always ready: a regular file, a directory, or a device such as /dev/null;"
                            + " the networks poll and select can");
        }
        if (file instanceof TcpEndpoint end && host.faults.happens(Fault.WATCH_REFUSED)) {
            host.kernel.recordFault(Fault.WATCH_REFUSED, end);
            boolean memory = host.faults.random(Fault.WATCH_REFUSED).below(2) == 0;
            throw new NetworkException("epoll_ctl", socket, memory ? ErrorCode.ENOMEM : ErrorCode.ENOSPC);
        }
    }

    @Override
    void unwatch(SimWatch watch) {
        // The next collect removes it from the queue.
    }

    /** {@inheritDoc} As on Linux, acknowledged bytes wake a waiter only if they make room after a caller found none. */
    @Override
    void changed(SimWatch watch, int what) {
        int interest = watch.interest;
        boolean concerned = (what & ((interest & ~Interest.WRITE) | Interest.ERROR | Interest.HANG_UP)) != 0
                || ((interest & Interest.WRITE) != 0 && (what & OpenFile.ROOM_AGAIN) != 0);
        if (!watch.queued && interest != 0 && concerned) {
            watch.queued = true;
            queue.addLast(watch);
            wake();
        }
    }

    @Override
    void await() {
        // The queue is up to date.
    }

    @Override
    void collect(int capacity) {
        for (int left = queue.size(); left > 0 && answers.size() < capacity; left--) {
            SimWatch watch = queue.removeFirst();
            if (watch.removed) {
                continue;
            }
            int ready = readiness(watch);
            watch.queued = ready != 0;
            if (watch.queued) {
                report(watch, ready);
                queue.addLast(watch);
            }
        }
    }

    @Override
    int answer(SimWatch watch) {
        return isCurrent(watch) ? watch.file.ready() & (watch.interest | Interest.ERROR | Interest.HANG_UP) : 0;
    }
}
