package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The listeners of a ring. As there, they are polled, and accepting is a call: nobody is let in whom the caller has no room for. */
final class RingAccepts {
    /** The connections accepted from one listener in one poll; those behind them wait for the next. */
    private static final int ACCEPTS_PER_POLL = 64;

    /** A listener, and who is told. */
    private static final class Accepting extends OpenFile.Watcher {
        final SimTcpListener listener;
        final long token;
        private final OpenFile file;
        private final RingAgenda agenda;
        boolean stopped;

        Accepting(SimTcpListener listener, long token, RingAgenda agenda) throws IOException {
            this.listener = listener;
            this.token = token;
            this.file = listener.file();
            this.agenda = agenda;
            file.watch(this);
        }

        @Override
        void changed(int what) {
            agenda.wake();
        }

        void unwatch() {
            file.unwatch(this);
        }

        boolean leavesSomebody() {
            return !stopped && listener.isOpen() && file.ready() != 0;
        }
    }

    private final RingAgenda agenda;
    private final List<Accepting> listeners = new ArrayList<>();

    RingAccepts(RingAgenda agenda) {
        this.agenda = agenda;
    }

    void accept(SimTcpListener listener, long token) throws IOException {
        listeners.add(new Accepting(listener, token, agenda));
        agenda.wake();
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

    /** Accepts from all listeners; how much was told. */
    int acceptAll(Completions completions) {
        int told = 0;
        for (int i = listeners.size() - 1; i >= 0; i--) {
            Accepting accepting = i < listeners.size() ? listeners.get(i) : null;
            if (accepting == null) {
                continue; // an accepted connection stopped some
            }
            told += accept(accepting, completions);
            if (accepting.leavesSomebody()) {
                agenda.again();
            }
        }
        return told;
    }

    private static int accept(Accepting accepting, Completions completions) {
        int told = 0;
        while (told < ACCEPTS_PER_POLL && !accepting.stopped) {
            TcpStream stream;
            try {
                stream = accepting.listener.accept();
            } catch (IOException e) {
                completions.acceptFailed(accepting.token, e);
                return told + 1;
            }
            if (stream == null) {
                break;
            }
            told++;
            completions.accepted(accepting.token, stream);
        }
        return told;
    }
}
