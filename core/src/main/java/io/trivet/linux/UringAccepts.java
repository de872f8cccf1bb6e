package io.trivet.linux;

import io.trivet.net.Completions;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The listeners of a ring. It only polls them, and accepting is a call: so nobody is let in whom the caller has no room for, and the peer's
 * address comes with the connection.
 */
final class UringAccepts {
    /** The connections accepted from one listener in one poll; those behind them wait for the next. */
    static final int ACCEPTS_PER_POLL = 64;

    private final UringOperations operations;
    private final List<@Nullable Accepting> listeners = new ArrayList<>();
    private boolean changed;

    /** A listener, and what the kernel does with it. */
    private static final class Accepting {
        final LinuxTcpListener listener;
        final long token;
        boolean polling;
        boolean stopped;

        Accepting(LinuxTcpListener listener, long token) {
            this.listener = listener;
            this.token = token;
        }
    }

    UringAccepts(UringOperations operations) {
        this.operations = operations;
    }

    void accept(LinuxTcpListener listener, long token) throws IOException {
        listener.open();
        int index = listeners.indexOf(null);
        if (index < 0) {
            index = listeners.size();
            listeners.add(null);
        }
        listeners.set(index, new Accepting(listener, token));
        changed = true;
    }

    /** Of the ring's own thread, or of another that closes all this. */
    @SuppressWarnings("ReferenceEquality") // a socket is itself alone
    void stop(TcpListener listener, boolean isOwnThread) {
        for (int i = 0; i < listeners.size(); i++) {
            Accepting accepting = listeners.get(i);
            if (accepting != null && accepting.listener == listener && !accepting.stopped) {
                accepting.stopped = true;
                if (!accepting.polling) {
                    listeners.set(i, null);
                } else if (operations.isOpen()) {
                    stopPolling(accepting, i, isOwnThread);
                }
            }
        }
    }

    /** At once, and not with the next poll: as long as the kernel polls a listener, closing it does not end it. */
    private void stopPolling(Accepting accepting, int index, boolean isOwnThread) {
        if (!isOwnThread) {
            // Only the ring's thread may cancel: somebody else is closing all this, and nobody may be let in meanwhile.
            Libc.shutdown(accepting.listener.fd(), Libc.SHUT_RD);
            return;
        }
        operations.cancel(UringOperations.userData(UringOperations.ACCEPT, index));
        operations.ring().submit();
    }

    void poll() {
        if (!changed) {
            return;
        }
        changed = false;
        for (int i = 0; i < listeners.size(); i++) {
            Accepting accepting = listeners.get(i);
            if (accepting != null && !accepting.polling && !accepting.stopped) {
                accepting.polling = true;
                operations.start(Uring.OP_POLL_ADD, 0, 0, accepting.listener.fd(), 0, 0, PollBits.POLLIN,
                        UringOperations.userData(UringOperations.ACCEPT, i));
            }
        }
    }

    /** Somebody waits at a listener, or its poll was cancelled. */
    int ready(int index, Completions completions) {
        Accepting accepting = listeners.get(index);
        if (accepting == null) {
            return 0;
        }
        accepting.polling = false;
        int accepted = 0;
        while (accepted < ACCEPTS_PER_POLL && !accepting.stopped) {
            TcpStream stream;
            try {
                stream = accepting.listener.accept();
            } catch (IOException e) {
                completions.acceptFailed(accepting.token, e);
                accepted++;
                break;
            }
            if (stream == null) {
                break;
            }
            accepted++;
            completions.accepted(accepting.token, stream);
        }
        if (accepting.stopped || !accepting.listener.isOpen()) {
            listeners.set(index, null);
        } else {
            changed = true;
        }
        return accepted;
    }
}
