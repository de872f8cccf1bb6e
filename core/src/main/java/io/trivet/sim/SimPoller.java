package io.trivet.sim;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The common part of the simulated pollers: checks, registrations, waiting, readiness faults, and closing. It mirrors
 * {@code LinuxPoller}, and its subclasses mirror the Linux engines. Waiting is the same for all engines, because a wait advances
 * the simulated network. Each engine implements the methods that differ, in this order: {@link #file}, {@link #watch},
 * {@link #unwatch}, {@link #changed}, {@link #await}, {@link #collect}, {@link #answer}.
 */
abstract sealed class SimPoller implements Poller permits SimEpollPoller, SimScanPoller {
    /** If READY_SPURIOUS is enabled, a wait that finds nothing is repeated after at most this time, to draw that fault. */
    private static final long SPURIOUS_INTERVAL_NANOS_MAX = 100_000_000;
    private static final long LATE_NANOS_MIN = 1_000;
    private static final long LATE_NANOS_MAX = 10_000_000;

    final SimHost host;
    final SimRegistrations table = new SimRegistrations();
    /** The events that the current poll reports. */
    final PendingEvents answers = new PendingEvents();
    /** The poller's own entry in the descriptor table. */
    final OpenFile self;
    private final int number;
    private final LoopScheduler.WaitQueue waitQueue;
    private boolean spuriousBefore;
    private boolean polling;
    private volatile boolean woken;
    private volatile boolean closed;

    /** Wakes the loop when withheld events are due. */
    private final EventQueue.Event reminder = new EventQueue.Event() {
        @Override
        void fire() {
            wake();
            host.kernel.progress();
        }
    };

    SimPoller(SimHost host, String call) throws IOException {
        this.host = host;
        this.waitQueue = host.kernel.scheduler.waitQueue();
        this.self = new NeverReadyFile(host.kernel, "poller");
        this.number = host.descriptors.add(self, call, null);
    }

    /** Returns the file to watch for a socket that is to be registered. */
    abstract OpenFile file(SimSocket socket) throws IOException;

    /**
     * Called before a socket is registered, or its interest is changed. If this throws, the socket is not registered afterwards.
     */
    abstract void watch(SimSocket socket, OpenFile file) throws NetworkException;

    /** Called after a registration was removed. */
    abstract void unwatch(SimWatch watch);

    /**
     * Called when the readiness of a watched file may have changed.
     *
     * @param what the bits of {@link Interest} that may have changed, or {@link OpenFile#EVERYTHING}
     */
    abstract void changed(SimWatch watch, int what);

    /** Called in each round of a wait, before {@link #collect}. */
    abstract void await();

    /** {@linkplain #report Reports} the ready sockets, until the number of {@link #answers} reaches the capacity. */
    abstract void collect(int capacity);

    /** Returns the events of a registration with a non-empty interest, as this engine reports them now. */
    abstract int answer(SimWatch watch);

    @Override
    public final void register(Socket socket, int interest, long token) throws IOException {
        Interest.check(interest);
        SimSocket ours = host.own(socket);
        checkOpen();
        ours.checkOpen();
        OpenFile file = file(ours);
        SimWatch before = table.at(ours.fd());
        if (before != null) {
            if (before.socket.isOpen()) {
                throw new IllegalArgumentException(socket + " is registered already");
            }
            remove(before); // closed without being deregistered; its number now belongs to this socket
            table.displace(before);
        }
        watch(ours, file);
        SimWatch watch = new SimWatch(this, ours, file, interest, token);
        table.add(watch);
        file.watch(watch);
        changed(watch, OpenFile.EVERYTHING);
        host.kernel.progress();
    }

    @Override
    public final void modify(Socket socket, int interest, long token) throws IOException {
        Interest.check(interest);
        checkOpen();
        if (table.removeDisplaced(socket)) {
            throw new ClosedSocketException(socket.toString());
        }
        SimWatch watch = registered(socket);
        if (!socket.isOpen()) {
            remove(watch);
            throw new ClosedSocketException(socket.toString());
        }
        if (interest != watch.interest) {
            try {
                watch(watch.socket, watch.file);
            } catch (NetworkException e) {
                remove(watch); // what the kernel watches now is unknown
                throw e;
            }
        }
        watch.interest = interest;
        watch.token = token;
        changed(watch, OpenFile.EVERYTHING);
        host.kernel.progress();
    }

    @Override
    public final void deregister(Socket socket) throws IOException {
        checkOpen();
        if (!table.removeDisplaced(socket)) {
            remove(registered(socket));
        }
    }

    @Override
    public final @Nullable Registration registration(Socket socket) {
        SimWatch watch = table.find(socket);
        return watch == null ? null : new Registration(socket, watch.interest, watch.token);
    }

    @Override
    public final int poll(ReadyEvents out, long timeoutNanos) throws IOException {
        if (polling) {
            throw new IllegalStateException("another thread is polling: one at a time");
        }
        polling = true;
        try {
            checkOpen();
            out.clear();
            long limit = host.waitLimit(timeoutNanos);
            boolean over = false;
            while (!over) {
                over = pollOnce(out, limit);
            }
            return out.size();
        } finally {
            polling = false;
        }
    }

    /** Checks the readiness once, and advances the network if nothing is ready. Returns whether the poll is over. */
    private boolean pollOnce(ReadyEvents out, long limit) throws IOException {
        host.kernel.runDueEvents();
        await();
        fill(out);
        boolean over = woken || out.size() > 0;
        woken = false;
        if (!over && host.advance(limit)) {
            return false;
        }
        checkOpen();
        endPoll(out.size() == 0);
        return true;
    }

    /** Fills the caller's buffer with the ready sockets, after faults have delayed, reordered or dropped events. */
    private void fill(ReadyEvents out) {
        answers.clear();
        FaultInjector faults = host.faults;
        int capacity = out.capacity();
        if (capacity > 1 && faults.isEnabled(Fault.READY_FEWER)) {
            int ready = countReady();
            if (ready > 1 && faults.happens(Fault.READY_FEWER)) {
                capacity = 1 + faults.random(Fault.READY_FEWER).below(Math.min(capacity, ready) - 1);
            }
        }
        collect(capacity);
        if (answers.size() < capacity) {
            addSpurious();
        }
        if (answers.size() > 1 && faults.happens(Fault.READY_SHUFFLED)) {
            answers.shuffle(faults.random(Fault.READY_SHUFFLED)::below);
        }
        answers.copyTo(out);
        if (answers.size() > 0) {
            host.kernel.progress();
        }
    }

    /** Counts the registrations that a poll can report: those that are ready and not withheld. */
    private int countReady() {
        int ready = 0;
        for (SimWatch watch : table.all()) {
            if (watch.queued && watch.withheldUntilNanos <= host.kernel.now() && readiness(watch) != 0) {
                ready++;
            }
        }
        return ready;
    }

    /** Returns the events of a registration, as this engine reports them now; 0 if its interest is empty. */
    final int readiness(SimWatch watch) {
        return watch.interest == 0 ? 0 : answer(watch);
    }

    /** Returns whether the registered descriptor number still belongs to the registered socket. */
    @SuppressWarnings("ReferenceEquality") // this very file
    final boolean isCurrent(SimWatch watch) {
        return watch.socket.isOpen() && host.descriptors.file(watch.number) == watch.file;
    }

    /** Adds an event to the answers, unless a fault makes it late. */
    final void report(SimWatch watch, int ready) {
        Kernel kernel = host.kernel;
        if (watch.withheldUntilNanos > kernel.now()) {
            wakeAt(watch.withheldUntilNanos);
        } else if (host.faults.happens(Fault.READY_LATE)) {
            watch.withheldUntilNanos = kernel.now()
                    + host.faults.random(Fault.READY_LATE).between(LATE_NANOS_MIN, LATE_NANOS_MAX);
            wakeAt(watch.withheldUntilNanos);
        } else {
            answers.add(watch.token, ready);
        }
    }

    /** If READY_SPURIOUS occurs, reports one socket that is not ready as readable or writable. Never in two consecutive polls. */
    private void addSpurious() {
        boolean before = spuriousBefore;
        spuriousBefore = false;
        if (before || table.all().isEmpty() || !host.faults.isEnabled(Fault.READY_SPURIOUS)) {
            return;
        }
        SimRandom random = host.faults.random(Fault.READY_SPURIOUS);
        SimWatch watch = table.all().get(random.below(table.all().size()));
        int bits = watch.interest & (Interest.READ | Interest.WRITE);
        if (bits == 0 || (watch.interest & Interest.PRIORITY) != 0 || !watch.socket.isOpen() || readiness(watch) != 0) {
            return;
        }
        if (host.faults.happens(Fault.READY_SPURIOUS)) {
            spuriousBefore = true;
            answers.add(watch.token, bits);
        }
    }

    /**
     * Ends a poll. If it found nothing, the loop may sleep: a socket that becomes ready wakes it, and so does a withheld event
     * that is due.
     */
    private void endPoll(boolean foundNothing) {
        waitQueue.polled(foundNothing);
        if (foundNothing && !table.all().isEmpty() && host.faults.isEnabled(Fault.READY_SPURIOUS)) {
            SimRandom random = host.faults.random(Fault.READY_SPURIOUS);
            wakeAt(host.kernel.now() + random.between(LATE_NANOS_MIN, SPURIOUS_INTERVAL_NANOS_MAX));
        }
    }

    private void wakeAt(long nanos) {
        if (!reminder.isScheduled() || reminder.timeNanos() > nanos) {
            host.kernel.events.schedule(reminder, nanos);
        }
    }

    /** Wakes the loop that sleeps on this poller. */
    final void wake() {
        waitQueue.wake();
    }

    @Override
    public final void wakeup() {
        woken = true;
        wake();
        host.kernel.progress();
    }

    @Override
    public final void close() {
        if (!closed) {
            closed = true;
            for (SimWatch watch : table.all()) {
                watch.file.unwatch(watch);
            }
            host.kernel.events.cancel(reminder);
            host.descriptors.remove(number);
        }
    }

    private void remove(SimWatch watch) {
        watch.removed = true;
        table.remove(watch);
        watch.file.unwatch(watch);
        unwatch(watch);
    }

    private SimWatch registered(Socket socket) {
        SimWatch watch = table.find(socket);
        if (watch == null) {
            throw new IllegalArgumentException(socket + " is not registered");
        }
        return watch;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the poller is closed");
        }
    }
}
