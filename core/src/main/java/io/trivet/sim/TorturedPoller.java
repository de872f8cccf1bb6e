package io.trivet.sim;

import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import java.io.IOException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A poller that reports fewer events, late, out of order, or spuriously. Like every poller, it never returns before the timeout
 * without an event: the wrapped poller handles signals.
 */
final class TorturedPoller implements Poller {
    private final TortureNetwork network;
    private final Poller inner;
    private final TortureInjector injector;
    /**
     * The registrations, copied from the wrapped poller. The lock of this map guards it and the fields that follow. It is not
     * held while waiting.
     */
    private final IdentityHashMap<Socket, Watched> table = new IdentityHashMap<>();
    private final List<Watched> all = new ArrayList<>();
    private final PendingEvents pending = new PendingEvents();
    private boolean spuriousBefore;

    private static final class Watched {
        final TorturedSocket<?> socket;
        int index;
        int interest;
        long token;

        Watched(TorturedSocket<?> socket, int index) {
            this.socket = socket;
            this.index = index;
        }
    }

    TorturedPoller(TortureNetwork network, Poller inner) {
        this.network = network;
        this.inner = inner;
        this.injector = network.splitInjector();
    }

    @Override
    public void register(Socket socket, int interest, long token) throws IOException {
        TorturedSocket<?> own = network.own(socket);
        change(own, () -> inner.register(own.inner, interest, token));
    }

    @Override
    public void modify(Socket socket, int interest, long token) throws IOException {
        TorturedSocket<?> own = network.own(socket);
        change(own, () -> inner.modify(own.inner, interest, token));
    }

    @Override
    public void deregister(Socket socket) throws IOException {
        TorturedSocket<?> own = network.own(socket);
        change(own, () -> inner.deregister(own.inner));
    }

    /** A call on the wrapped poller that changes a registration. */
    @FunctionalInterface
    private interface Change {
        void make() throws IOException;
    }

    private void change(TorturedSocket<?> socket, Change change) throws IOException {
        synchronized (table) {
            try {
                change.make();
            } finally {
                copyRegistration(socket);
            }
        }
    }

    /** Copies the registration of a socket from the wrapped poller, even if the call before has failed. */
    private void copyRegistration(TorturedSocket<?> socket) {
        Registration now = inner.registration(socket.inner);
        if (now == null) {
            Watched removed = table.remove(socket);
            if (removed != null) {
                Watched last = all.removeLast();
                if (last.index != removed.index) {
                    last.index = removed.index;
                    all.set(last.index, last);
                }
            }
            return;
        }
        Watched watched = table.get(socket);
        if (watched == null) {
            watched = new Watched(socket, all.size());
            all.add(watched);
            table.put(socket, watched);
        }
        watched.interest = now.interest();
        watched.token = now.token();
    }

    @Override
    public @Nullable Registration registration(Socket socket) {
        Registration below = socket instanceof TorturedSocket<?> own ? inner.registration(own.inner) : null;
        return below == null ? null : new Registration(socket, below.interest(), below.token());
    }

    @Override
    public int poll(ReadyEvents out, long timeoutNanos) throws IOException {
        ReadyEvents answers;
        synchronized (table) {
            if (pollWithSpuriousEvent(out)) {
                return out.size();
            }
            boolean fewer = out.capacity() > 1 && injector.shouldInject(Fault.READY_FEWER);
            answers = fewer ? new ReadyEvents((int) injector.part(out.capacity())) : out;
        }
        inner.poll(answers, timeoutNanos);
        synchronized (table) {
            if (answers.capacity() < out.capacity() && answers.isFull()) {
                injector.count(Fault.READY_FEWER);
            }
            report(answers, out);
        }
        return out.size();
    }

    /**
     * If READY_SPURIOUS occurs, polls without waiting, and adds an event of a socket that is not ready. The lock is held, so the
     * socket cannot be deregistered in the meantime.
     *
     * @return whether the fault occurred; if so, there is an event to report
     */
    private boolean pollWithSpuriousEvent(ReadyEvents out) throws IOException {
        boolean wanted = !spuriousBefore && injector.shouldInject(Fault.READY_SPURIOUS);
        spuriousBefore = false;
        if (!wanted || all.isEmpty()) {
            return false;
        }
        Watched victim = all.get(injector.below(all.size()));
        int event = ReadinessFaults.spurious(injector, victim.socket, victim.interest);
        if (event == 0) {
            return false;
        }
        spuriousBefore = true;
        inner.poll(out, 0);
        boolean known = out.isFull();
        for (int i = 0; i < out.size(); i++) {
            known |= out.token(i) == victim.token;
        }
        if (!known) {
            out.add(victim.token, event);
            injector.count(Fault.READY_SPURIOUS);
        }
        return true;
    }

    /** Copies the events to the caller's buffer, shuffled and without late ones. */
    private void report(ReadyEvents answers, ReadyEvents out) {
        pending.copyFrom(answers);
        if (pending.size() > 1 && injector.shouldInject(Fault.READY_SHUFFLED)) {
            injector.count(Fault.READY_SHUFFLED);
            pending.shuffle(injector::below);
        }
        ReadinessFaults.delay(injector, pending.bits(), pending.size());
        out.clear();
        pending.copyTo(out);
    }

    @Override
    public void wakeup() {
        inner.wakeup();
    }

    @Override
    public void close() throws IOException {
        inner.close();
    }
}
