package io.trivet.nio;

import io.trivet.net.Interest;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import java.io.IOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import org.jspecify.annotations.Nullable;

/**
 * One socket as one poller knows it: what is watched, the token, and the selector's key.
 *
 * <p>The key lives as long as the channel. A socket that is deregistered keeps it and watches nothing: java.nio refuses to register a
 * channel again before a cancelled key has been through a select, which another thread may be waiting in.
 *
 * <p>Its own lock guards what is private here; under it only java.nio's locks are taken.
 */
final class Watched {
    final NioSocket socket;
    final NioPoller poller;
    private @Nullable SelectionKey key;
    private boolean registered;
    private int interest;
    private long token;

    /** What was ready and not reported, and in which batch that was seen; whether it stands in the queue. All three: the poller's. */
    int ready;
    int batch;
    boolean queued;

    Watched(NioSocket socket, NioPoller poller) {
        this.socket = socket;
        this.poller = poller;
    }

    /** Begins to watch; false: it is registered already. */
    synchronized boolean register(Selector selector, int interest, long token) throws IOException {
        if (registered) {
            return false;
        }
        if (key == null) {
            key = socket.key(selector, this);
        }
        registered = true;
        this.interest = interest;
        this.token = token;
        watch();
        poller.wake();
        return true;
    }

    /** Changes what is watched; false: it is not registered. */
    synchronized boolean modify(int interest, long token) {
        if (!registered) {
            return false;
        }
        this.token = token;
        if (this.interest != interest) {
            this.interest = interest;
            watch();
            poller.wake();
        }
        return true;
    }

    /** Ceases to watch; false: it is not registered. */
    synchronized boolean deregister() {
        if (!registered) {
            return false;
        }
        registered = false;
        interest = 0;
        watch();
        return true;
    }

    /** Tells the key what to watch as things stand now; the next select follows it. */
    synchronized void watch() {
        if (key != null) {
            try {
                key.interestOps(registered ? socket.ops(interest) : 0);
            } catch (CancelledKeyException e) {
                key = null; // the channel is closed: it vanishes, or is one of the poller's failed
            }
        }
    }

    synchronized @Nullable Registration registration() {
        return registered ? new Registration(socket, interest, token) : null;
    }

    /** What is watched of reading and writing. */
    synchronized int interest() {
        return interest & (Interest.READ | Interest.WRITE);
    }

    /** Reports what is ready and still asked for; whether that was anything. */
    synchronized boolean report(ReadyEvents out) {
        int events = ready & interest;
        if (events == 0 || !socket.isOpen()) {
            return false;
        }
        out.add(token, events);
        return true;
    }
}
