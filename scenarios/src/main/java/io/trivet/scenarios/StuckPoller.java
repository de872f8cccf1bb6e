package io.trivet.scenarios;

import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A poller that can report a socket as ready, again and again, although there is nothing to do, like a kernel with a bug. */
final class StuckPoller implements Poller {
    private final Poller poller;
    /** The tokens of the registered sockets, in the order in which they were registered. */
    private final Map<Socket, Long> tokens = new LinkedHashMap<>();
    private @Nullable Socket stuck;
    private int events;

    StuckPoller(Poller poller) {
        this.poller = poller;
    }

    /** Returns the socket that was registered last. */
    Socket latest() {
        Socket latest = null;
        for (Socket socket : tokens.keySet()) {
            latest = socket;
        }
        if (latest == null) {
            throw new IllegalStateException("nothing is registered");
        }
        return latest;
    }

    /**
     * Reports events of a socket in each of the next polls.
     *
     * @param socket the socket; null: none
     * @param reported bits of {@link io.trivet.net.Interest}
     */
    void stick(@Nullable Socket socket, int reported) {
        stuck = socket;
        events = reported;
    }

    @Override
    public int poll(ReadyEvents out, long timeoutNanos) throws IOException {
        int ready = poller.poll(out, timeoutNanos);
        Socket socket = stuck;
        Long token = socket == null ? null : tokens.get(socket);
        if (token == null) {
            return ready;
        }
        for (int i = 0; i < ready; i++) {
            if (out.token(i) == token) {
                return ready;
            }
        }
        out.add(token, events);
        return out.size();
    }

    @Override
    public void register(Socket socket, int interest, long token) throws IOException {
        poller.register(socket, interest, token);
        tokens.put(socket, token);
    }

    @Override
    public void modify(Socket socket, int interest, long token) throws IOException {
        poller.modify(socket, interest, token);
        tokens.put(socket, token);
    }

    @Override
    public void deregister(Socket socket) throws IOException {
        tokens.remove(socket);
        poller.deregister(socket);
    }

    @Override
    public @Nullable Registration registration(Socket socket) {
        return poller.registration(socket);
    }

    @Override
    public void wakeup() {
        poller.wakeup();
    }

    @Override
    public void close() throws IOException {
        poller.close();
    }
}
