package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The listeners of a ring. As with a real ring, a listener is polled for readiness, and accept is a plain call. So no connection
 * is accepted before the caller has room for it.
 */
final class RingAccepts {
    /** At most this many connections are accepted from one listener in one poll; the others wait for the next poll. */
    private static final int ACCEPTS_PER_POLL = 64;

    /** A listener and its token. */
    private static final class Accepting extends OpenFile.Watcher {
        final SimTcpListener listener;
        final long token;
        private final OpenFile file;
        private final RingSchedule schedule;
        boolean stopped;

        Accepting(SimTcpListener listener, long token, RingSchedule schedule) throws IOException {
            this.listener = listener;
            this.token = token;
            this.file = listener.file();
            this.schedule = schedule;
            file.watch(this);
        }

        @Override
        void changed(int what) {
            schedule.wake();
        }

        void unwatch() {
            file.unwatch(this);
        }

        boolean hasMore() {
            return !stopped && listener.isOpen() && file.ready() != 0;
        }
    }

    private final RingSchedule schedule;
    private final List<Accepting> listeners = new ArrayList<>();

    RingAccepts(RingSchedule schedule) {
        this.schedule = schedule;
    }

    void accept(SimTcpListener listener, long token) throws IOException {
        listeners.add(new Accepting(listener, token, schedule));
        schedule.wake();
    }

    void stop(TcpListener listener) {
        for (int i = listeners.size() - 1; i >= 0; i--) {
            Accepting accepting = listeners.get(i);
            if (accepting.listener.equals(listener)) {
                accepting.stopped = true;
                accepting.unwatch();
                listeners.remove(i);
            }
        }
    }

    void end() {
        listeners.forEach(Accepting::unwatch);
    }

    /** Accepts from all listeners. Returns the number of completions delivered. */
    int acceptAll(Completions completions) {
        int delivered = 0;
        for (int i = listeners.size() - 1; i >= 0; i--) {
            Accepting accepting = i < listeners.size() ? listeners.get(i) : null;
            if (accepting == null) {
                continue; // a callback has stopped some
            }
            delivered += accept(accepting, completions);
            if (accepting.hasMore()) {
                schedule.pollAgain();
            }
        }
        return delivered;
    }

    private static int accept(Accepting accepting, Completions completions) {
        int delivered = 0;
        while (delivered < ACCEPTS_PER_POLL && !accepting.stopped) {
            TcpStream stream;
            try {
                stream = accepting.listener.accept();
            } catch (IOException e) {
                completions.acceptFailed(accepting.token, e);
                return delivered + 1;
            }
            if (stream == null) {
                break;
            }
            delivered++;
            completions.accepted(accepting.token, stream);
        }
        return delivered;
    }
}
