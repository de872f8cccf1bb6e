package io.trivet.net;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Accepts connections from listeners when the poller reports them. Part of a {@link ReadinessProactor}; used by its thread only.
 */
final class ReadinessAccepts {
    /** Maximum number of connections accepted from one listener per poll. Further ones wait for the next poll. */
    static final int ACCEPTS_PER_POLL = 64;

    private final Poller poller;
    /** The listeners by index; null: the index is free. The poller's token of a listener is {@code -1 - index}. */
    private final List<@Nullable Accepting> listeners = new ArrayList<>();

    private record Accepting(TcpListener listener, long token) {}

    ReadinessAccepts(Poller poller) {
        this.poller = poller;
    }

    void accept(TcpListener listener, long token) throws IOException {
        int index = listeners.indexOf(null);
        if (index < 0) {
            index = listeners.size();
            listeners.add(null);
        }
        poller.register(listener, Interest.READ, -1L - index);
        listeners.set(index, new Accepting(listener, token));
    }

    void stop(TcpListener listener) throws IOException {
        for (int i = 0; i < listeners.size(); i++) {
            Accepting accepting = listeners.get(i);
            if (accepting != null && accepting.listener.equals(listener)) {
                listeners.set(i, null);
                poller.deregister(listener);
            }
        }
    }

    /** Returns whether a token of the poller is a listener's, and not the handle of a connection. */
    boolean isListener(long pollerToken) {
        return pollerToken < 0 && -1 - pollerToken < listeners.size();
    }

    /** Accepts the waiting connections of a listener. Returns the number of completions delivered. */
    int acceptAll(long pollerToken, Completions completions) {
        int index = (int) (-1 - pollerToken);
        for (int accepted = 0; accepted < ACCEPTS_PER_POLL; accepted++) {
            Accepting accepting = listeners.get(index);
            if (accepting == null) {
                return accepted; // stopped by the callback for an earlier event or connection
            }
            TcpStream stream;
            try {
                stream = accepting.listener.accept();
            } catch (IOException e) {
                completions.acceptFailed(accepting.token, e);
                return accepted + 1;
            }
            if (stream == null) {
                return accepted;
            }
            completions.accepted(accepting.token, stream);
        }
        return ACCEPTS_PER_POLL;
    }
}
