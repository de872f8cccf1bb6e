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
 * The entry of one socket in one poller: interest, token, and the selector's key.
 *
 * <p>The key lives as long as the channel. Deregistering a socket keeps its key with no interest, because java.nio rejects a new
 * registration until a select has processed the cancelled key, and another thread may be waiting in that select.
 *
 * <p>The entry's own monitor guards its private fields. While holding it, only locks of java.nio are acquired.
 */
final class PollerEntry {
    final NioSocket socket;
    final NioPoller poller;
    private @Nullable SelectionKey key;
    private boolean registered;
    private int interest;
    private long token;

    /** The events found and not yet reported, and the batch in which they were found. Owned by {@link ReadyQueue}. */
    int ready;
    int batch;
    /** True if the entry is in the {@link ReadyQueue}. */
    boolean queued;

    PollerEntry(NioSocket socket, NioPoller poller) {
        this.socket = socket;
        this.poller = poller;
    }

    /** Registers the socket. Returns false if it is registered already. */
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
        updateKey();
        poller.wakeForChange();
        return true;
    }

    /** Changes interest and token. Returns false if the socket is not registered. */
    synchronized boolean modify(int interest, long token) {
        if (!registered) {
            return false;
        }
        this.token = token;
        if (this.interest != interest) {
            this.interest = interest;
            updateKey();
            poller.wakeForChange();
        }
        return true;
    }

    /** Removes the registration. Returns false if the socket is not registered. */
    synchronized boolean deregister() {
        if (!registered) {
            return false;
        }
        registered = false;
        interest = 0;
        updateKey();
        return true;
    }

    /** Sets the key's operations from the interest and the state of the socket. They take effect at the next select. */
    synchronized void updateKey() {
        if (key != null) {
            try {
                key.interestOps(registered ? socket.ops(interest) : 0);
            } catch (CancelledKeyException e) {
                key = null; // the channel is closed: by its user, or by java.nio because its connect has failed
            }
        }
    }

    /** Returns the registration, or null if the socket is not registered. */
    synchronized @Nullable Registration registration() {
        return registered ? new Registration(socket, interest, token) : null;
    }

    /** Returns whether the socket is watched for reading or writing. */
    synchronized boolean isWatched() {
        return (interest & (Interest.READ | Interest.WRITE)) != 0;
    }

    /** Adds an event for what is ready and still watched. Returns false if nothing is. */
    synchronized boolean report(ReadyEvents out) {
        int events = ready & interest;
        if (events == 0 || !socket.isOpen()) {
            return false;
        }
        out.add(token, events);
        return true;
    }
}
