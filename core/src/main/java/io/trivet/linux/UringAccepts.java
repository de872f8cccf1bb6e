package io.trivet.linux;

import io.trivet.net.Completions;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The listeners of a ring. The ring only polls them; connections are accepted by a plain call. So the caller never gets a
 * connection that it has no room for, and the peer's address comes with the connection. One thread, except {@link #stop}.
 */
final class UringAccepts {
    /** Maximum number of connections accepted from one listener per poll. Further ones wait for the next poll. */
    static final int ACCEPTS_PER_POLL = 64;

    private final UringOperations operations;
    private final List<@Nullable Accepting> listeners = new ArrayList<>();
    private boolean changed;

    /** A listener and the state of its poll operation. */
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

    /** Stops accepting. Called by the ring's own thread, or by another thread that closes the proactor. */
    @SuppressWarnings("ReferenceEquality") // sockets are compared by identity
    void stop(TcpListener listener, boolean mayCancel) {
        for (int i = 0; i < listeners.size(); i++) {
            Accepting accepting = listeners.get(i);
            if (accepting != null && accepting.listener == listener && !accepting.stopped) {
                accepting.stopped = true;
                if (!accepting.polling) {
                    listeners.set(i, null);
                } else if (operations.isOpen()) {
                    stopPolling(accepting, i, mayCancel);
                }
            }
        }
    }

    /**
     * Stops at once, and not with the next poll: as long as the kernel polls a listener, closing its descriptor does not close
     * the socket.
     */
    private void stopPolling(Accepting accepting, int index, boolean mayCancel) {
        if (!mayCancel) {
            // Only the ring's thread may cancel. Another thread is closing the proactor, and no connection may be accepted
            // meanwhile.
            if (!accepting.listener.isShared()) {
                Libc.shutdown(accepting.listener.fd(), Libc.SHUT_RD);
            }
            return;
        }
        operations.cancel(UringOperations.userData(UringOperations.ACCEPT, index));
        operations.ring().submit();
    }

    /** Starts the polls again that a former ring had in flight. */
    void restart(UringHandover handover) {
        for (int i = 0; i < listeners.size(); i++) {
            Accepting accepting = listeners.get(i);
            if (accepting != null && !handover.completes(UringOperations.ACCEPT, i)) {
                accepting.polling = false;
                if (accepting.stopped) {
                    listeners.set(i, null);
                }
            }
        }
        changed = true;
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

    /** Handles a completion of a listener's poll: connections wait to be accepted, or the poll was cancelled. */
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
