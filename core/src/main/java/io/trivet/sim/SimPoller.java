package io.trivet.sim;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A poller of a simulated host. As epoll, it keeps those that may be ready in a row, in the order in which they became so; as select and
 * poll, it looks at every one each time, in the order of its number or its registration.
 */
@SuppressWarnings("ReferenceEquality") // this very socket: a user's own may define equals
final class SimPoller implements Poller {
    /** When a registration tells of a socket; what is not level-triggered is for epoll alone, and not to be had through the seam. */
    enum Trigger {
        /** Whenever it is ready. */
        LEVEL,
        /** When something came about since it was last told (EPOLLET). */
        EDGE,
        /** Once, until it is modified (EPOLLONESHOT). */
        ONE_SHOT,
        /** Level-triggered, and of several such registrations of one socket one alone is told (EPOLLEXCLUSIVE). */
        EXCLUSIVE
    }

    /** One registration. */
    private final class Watch extends OpenFile.Watcher {
        final Trigger trigger;
        final SimSocket socket;
        final OpenFile file;
        final int number;
        int interest;
        long token;
        /** It may be ready: it stands in the row, or is looked at in its turn. */
        boolean queued;
        boolean gone;
        /** It is not reported before this. */
        long withheldUntilNanos;

        Watch(SimSocket socket, OpenFile file, int interest, long token, Trigger trigger) {
            this.trigger = trigger;
            this.socket = socket;
            this.file = file;
            this.number = socket.fd();
            this.interest = interest;
            this.token = token;
        }

        @Override
        boolean isExclusive() {
            return trigger == Trigger.EXCLUSIVE;
        }

        @Override
        void changed(int what) {
            if (engine != SimEngine.EPOLL) {
                mayBeReady();
                return;
            }
            // Linux wakes nobody for bytes that were acknowledged, unless they make the room that somebody missed.
            boolean asked = (what & ((interest & ~Interest.WRITE) | Interest.ERROR | Interest.HANG_UP)) != 0
                    || ((interest & Interest.WRITE) != 0 && (what & OpenFile.ROOM_AGAIN) != 0);
            if (!queued && interest != 0 && asked) {
                queued = true;
                enqueue(this);
                waitQueue.wake();
            }
        }

        /** As select and poll have it: it is looked at until it turns out not to be ready. */
        void mayBeReady() {
            if (!queued) {
                queued = true;
                candidates++;
                waitQueue.wake();
            }
        }

        void isNotReady() {
            if (queued) {
                queued = false;
                candidates--;
            }
        }
    }

    /** A wait that nothing else ends is disturbed after such a time, where there are spurious events. */
    private static final long SPURIOUS_APART_NANOS_MAX = 100_000_000;

    /** Ends the withholding of events: the loops must look again. */
    private final Agenda.Event reminder = new Agenda.Event() {
        @Override
        void happen() {
            waitQueue.wake();
            host.kernel.progress();
        }
    };

    private final SimHost host;
    private final SimEngine engine;
    private final Rota.WaitQueue waitQueue;
    private final Epoll own;
    private final int number;
    /** By number. */
    private @Nullable Watch[] table = new @Nullable Watch[32];
    /** In the order of registration. */
    private final List<Watch> all = new ArrayList<>();
    /** Closed sockets whose number was registered anew before they were removed. */
    private final List<Watch> displaced = new ArrayList<>();

    /** A ring of those that may be ready. */
    private @Nullable Watch[] queue = new @Nullable Watch[32];
    private int first;
    private int queued;
    /** For select and poll: where to begin to look. */
    private int cursor;
    /** For select and poll: how many may be ready. */
    private int candidates;
    /** For select and poll: when all were looked at, whatever they had told. */
    private long alterationsSeen = -1;

    private long[] tokens = new long[32];
    private int[] events = new int[32];
    private int found;
    private boolean spuriousBefore;
    private boolean polling;
    private volatile boolean woken;
    private volatile boolean closed;

    /** What stands in the descriptor table for the poller itself. */
    private static final class Epoll extends OpenFile {
        Epoll(Kernel kernel) {
            super(kernel);
        }

        @Override
        int ready() {
            return 0;
        }

        @Override
        void release() {}

        @Override
        public String toString() {
            return "poller";
        }
    }

    SimPoller(SimHost host, SimEngine engine) throws IOException {
        this.host = host;
        this.engine = engine == SimEngine.URING ? SimEngine.EPOLL : engine;
        this.waitQueue = host.kernel.rota.waitQueue();
        this.own = new Epoll(host.kernel);
        this.number = host.descriptors.add(own, "epoll_create1", null);
    }

    @Override
    public void register(Socket socket, int interest, long token) throws IOException {
        register(socket, interest, token, Trigger.LEVEL);
    }

    /** Registers as epoll can. */
    void register(Socket socket, int interest, long token, Trigger trigger) throws IOException {
        Interest.check(interest);
        SimSocket ours = host.own(socket);
        checkOpen();
        ours.checkOpen();
        // Only epoll looks at a number before it waits.
        OpenFile file = engine == SimEngine.EPOLL || ours.isThere() ? ours.file() : own;
        int fd = ours.fd();
        Watch before = fd < table.length ? table[fd] : null;
        if (before != null) {
            if (before.socket.isOpen()) {
                throw new IllegalArgumentException(socket + " is registered already");
            }
            remove(before);
            displaced.add(before);
        }
        if (engine == SimEngine.EPOLL && file.isRegular()) {
            throw new NetworkException("epoll_ctl", socket, ErrorCode.EPERM,
                    "EPERM, epoll cannot watch a regular file or a directory: the networks poll and select can");
        }
        checkAccepted(ours, file);
        if (fd >= table.length) {
            table = Arrays.copyOf(table, Math.max(fd + 1, table.length * 2));
        }
        Watch watch = new Watch(ours, file, interest, token, trigger);
        table[fd] = watch;
        all.add(watch);
        file.watch(watch);
        watch.changed(OpenFile.EVERYTHING);
        host.kernel.progress();
    }

    @Override
    public void modify(Socket socket, int interest, long token) throws IOException {
        Interest.check(interest);
        checkOpen();
        if (removeDisplaced(socket)) {
            throw new ClosedSocketException(socket.toString());
        }
        Watch watch = registered(socket);
        if (!socket.isOpen()) {
            remove(watch);
            throw new ClosedSocketException(socket.toString());
        }
        if (interest != watch.interest) {
            try {
                checkAccepted(watch.socket, watch.file);
            } catch (NetworkException e) {
                remove(watch); // what it watches now is not known any more
                throw e;
            }
        }
        watch.interest = interest;
        watch.token = token;
        watch.changed(OpenFile.EVERYTHING);
        host.kernel.progress();
    }

    /** Only epoll asks the kernel before it waits. */
    private void checkAccepted(SimSocket socket, OpenFile file) throws NetworkException {
        if (engine == SimEngine.EPOLL && file instanceof TcpEnd end && host.faults.happens(Fault.WATCH_REFUSED)) {
            host.kernel.strikes(Fault.WATCH_REFUSED, end);
            boolean memory = host.faults.random(Fault.WATCH_REFUSED).below(2) == 0;
            throw new NetworkException("epoll_ctl", socket, memory ? ErrorCode.ENOMEM : ErrorCode.ENOSPC);
        }
    }

    @Override
    public void deregister(Socket socket) throws IOException {
        checkOpen();
        if (!removeDisplaced(socket)) {
            remove(registered(socket));
        }
    }

    @Override
    public @Nullable Registration registration(Socket socket) {
        Watch watch = find(socket);
        return watch == null ? null : new Registration(socket, watch.interest, watch.token);
    }

    @Override
    public int poll(ReadyEvents out, long timeoutNanos) throws IOException {
        if (polling) {
            throw new IllegalStateException("another thread is polling: one at a time");
        }
        polling = true;
        try {
            checkOpen();
            out.clear();
            long limit = host.waitLimit(timeoutNanos);
            while (true) {
                host.kernel.happen();
                collect(out);
                boolean over = woken || out.size() > 0;
                woken = false;
                if (over || !host.awaits(limit)) {
                    checkOpen();
                    rest(out.size() == 0);
                    return out.size();
                }
            }
        } finally {
            polling = false;
        }
    }

    /** Whoever has found nothing may sleep: what is ready is told, but for what is withheld, and of that the reminder tells. */
    private void rest(boolean quiet) {
        waitQueue.polled(quiet);
        if (quiet && !all.isEmpty() && host.faults.has(Fault.READY_SPURIOUS)) {
            remind(host.kernel.now() + host.faults.random(Fault.READY_SPURIOUS).between(1_000, SPURIOUS_APART_NANOS_MAX));
        }
    }

    private void remind(long nanos) {
        if (!reminder.isScheduled() || reminder.timeNanos() > nanos) {
            host.kernel.agenda.schedule(reminder, nanos);
        }
    }

    /** What is ready now, as the engine tells it, and as the faults leave it. */
    private void collect(ReadyEvents out) {
        found = 0;
        Faults faults = host.faults;
        int most = out.capacity();
        if (engine != SimEngine.EPOLL && (alterationsSeen != host.alterations() || !host.kernel.bookkeeping.isOwn())) {
            alterationsSeen = host.alterations();
            all.forEach(Watch::mayBeReady);
        }
        if (most > 1 && faults.has(Fault.READY_FEWER)) {
            int ready = countReady();
            if (ready > 1 && faults.happens(Fault.READY_FEWER)) {
                most = 1 + faults.random(Fault.READY_FEWER).below(Math.min(most, ready) - 1);
            }
        }
        if (engine == SimEngine.EPOLL) {
            collectQueued(most);
        } else {
            collectInTurn(most);
        }
        if (found < most) {
            addSpurious();
        }
        if (found > 1 && faults.happens(Fault.READY_SHUFFLED)) {
            shuffle(faults.random(Fault.READY_SHUFFLED));
        }
        for (int i = 0; i < found; i++) {
            out.add(tokens[i], events[i]);
        }
        if (found > 0) {
            host.kernel.progress();
        }
    }

    /** How many there are to tell of: who stands in the row, or is looked at, need not be ready, and may be withheld. */
    private int countReady() {
        int ready = 0;
        for (Watch watch : all) {
            if (watch.queued && watch.withheldUntilNanos <= host.kernel.now() && answer(watch) != 0) {
                ready++;
            }
        }
        return ready;
    }

    private void collectQueued(int most) {
        for (int left = queued; left > 0 && found < most; left--) {
            Watch watch = dequeue();
            if (watch.gone) {
                continue;
            }
            int ready = answer(watch);
            if (ready == 0) {
                watch.queued = false;
                continue;
            }
            boolean reported = report(watch, ready);
            if (reported && watch.trigger == Trigger.ONE_SHOT) {
                watch.interest = 0;
            }
            watch.queued = !reported || watch.trigger == Trigger.LEVEL || watch.trigger == Trigger.EXCLUSIVE;
            if (watch.queued) {
                enqueue(watch); // it is looked at again, behind the others
            }
        }
    }

    private void collectInTurn(int most) {
        if (candidates == 0) {
            return;
        }
        boolean byNumber = engine == SimEngine.SELECT;
        int count = byNumber ? table.length : all.size();
        int begin = cursor < count ? cursor : 0;
        boolean anyInvalid = false;
        for (int i = 0; i < count; i++) {
            int place = begin + i < count ? begin + i : begin + i - count;
            Watch watch = byNumber ? table[place] : all.get(place);
            if (watch == null || !watch.queued) {
                continue;
            }
            int ready = answer(watch);
            if (ready == 0) {
                watch.isNotReady();
            } else {
                if (byNumber && ready == Interest.INVALID && !anyInvalid) {
                    anyInvalid = true; // the call fails with EBADF: nothing else is told
                    found = 0;
                }
                if (anyInvalid && ready != Interest.INVALID) {
                    continue;
                }
                if (found == most) {
                    cursor = place;
                    return;
                }
                report(watch, ready);
            }
        }
    }

    /** What the engine says of a socket now. */
    private int answer(Watch watch) {
        if (watch.interest == 0) {
            return 0;
        }
        if (!watch.socket.isOpen() || host.descriptors.file(watch.number) != watch.file) {
            return engine == SimEngine.EPOLL ? 0 : Interest.INVALID;
        }
        int ready = watch.file.ready();
        return engine == SimEngine.SELECT
                ? Interest.fold(ready, watch.interest)
                : ready & (watch.interest | Interest.ERROR | Interest.HANG_UP);
    }

    /** Reports it, unless that is to come late. */
    private boolean report(Watch watch, int ready) {
        Kernel kernel = host.kernel;
        if (watch.withheldUntilNanos > kernel.now()) {
            remind(watch.withheldUntilNanos);
            return false;
        }
        if (host.faults.happens(Fault.READY_LATE)) {
            watch.withheldUntilNanos = kernel.now() + host.faults.random(Fault.READY_LATE).between(1_000, 10_000_000);
            remind(watch.withheldUntilNanos);
            return false;
        }
        put(watch.token, ready);
        return true;
    }

    private void put(long token, int ready) {
        if (found == tokens.length) {
            tokens = Arrays.copyOf(tokens, found * 2);
            events = Arrays.copyOf(events, found * 2);
        }
        tokens[found] = token;
        events[found++] = ready;
    }

    /** READ or WRITE of a socket that is not so; never twice in a row. */
    private void addSpurious() {
        boolean before = spuriousBefore;
        spuriousBefore = false;
        if (before || all.isEmpty() || !host.faults.has(Fault.READY_SPURIOUS)) {
            return;
        }
        SimRandom random = host.faults.random(Fault.READY_SPURIOUS);
        Watch watch = all.get(random.below(all.size()));
        int candidates = watch.interest & (Interest.READ | Interest.WRITE);
        if (candidates == 0 || (watch.interest & Interest.PRIORITY) != 0 || !watch.socket.isOpen() || answer(watch) != 0) {
            return;
        }
        if (host.faults.happens(Fault.READY_SPURIOUS)) {
            spuriousBefore = true;
            put(watch.token, candidates);
        }
    }

    private void shuffle(SimRandom random) {
        for (int i = found - 1; i > 0; i--) {
            int other = random.below(i + 1);
            long token = tokens[i];
            tokens[i] = tokens[other];
            tokens[other] = token;
            int event = events[i];
            events[i] = events[other];
            events[other] = event;
        }
    }

    @Override
    public void wakeup() {
        woken = true;
        waitQueue.wake();
        host.kernel.progress();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            for (Watch watch : all) {
                watch.file.unwatch(watch);
            }
            host.kernel.agenda.cancel(reminder);
            host.descriptors.remove(number);
        }
    }

    // The table, and the row of those that may be ready.

    private void remove(Watch watch) {
        watch.gone = true;
        if (engine != SimEngine.EPOLL) {
            watch.isNotReady();
        }
        table[watch.number] = null;
        all.remove(watch);
        watch.file.unwatch(watch);
    }

    private boolean removeDisplaced(Socket socket) {
        return !displaced.isEmpty() && displaced.removeIf(watch -> watch.socket == socket);
    }

    private Watch registered(Socket socket) {
        Watch watch = find(socket);
        if (watch == null) {
            throw new IllegalArgumentException(socket + " is not registered");
        }
        return watch;
    }

    private @Nullable Watch find(Socket socket) {
        int fd = socket.fd();
        if (fd >= 0) {
            Watch watch = fd < table.length ? table[fd] : null;
            return watch != null && watch.socket == socket ? watch : null;
        }
        for (Watch watch : all) { // closed first: rare, and the number is gone with it
            if (watch.socket == socket) {
                return watch;
            }
        }
        return null;
    }

    private void enqueue(Watch watch) {
        if (queued == queue.length) {
            @Nullable Watch[] larger = new @Nullable Watch[queued * 2];
            for (int i = 0; i < queued; i++) {
                larger[i] = queue[first + i & queued - 1];
            }
            queue = larger;
            first = 0;
        }
        queue[first + queued++ & queue.length - 1] = watch;
    }

    private Watch dequeue() {
        Watch watch = queue[first];
        if (watch == null) {
            throw new AssertionError("a hole in the row");
        }
        queue[first] = null;
        first = first + 1 & queue.length - 1;
        queued--;
        return watch;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the poller is closed");
        }
    }
}
