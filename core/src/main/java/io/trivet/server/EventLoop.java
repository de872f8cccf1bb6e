package io.trivet.server;

import io.trivet.net.Clock;
import io.trivet.net.Loop;
import io.trivet.net.Proactor;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.LoopObserver;
import io.trivet.observe.LoopStats;
import io.trivet.observe.MemoryStats;
import io.trivet.tls.TlsProactor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An event loop: constructs its parts and runs its turns.
 *
 * <p>A turn: wait for completions, no longer than until the next deadline; handle each as it is delivered; continue the
 * deliveries that were cut short; close what is overdue and run due timers; run tasks of other threads; flush what these and
 * broadcasts have queued; release closed connections, last. Once warm, nothing is allocated for a message, unless the socket
 * refuses bytes.
 *
 * <p>Everything belongs to the thread that turns, except where noted.
 */
final class EventLoop {
    /** Maximum number of tasks run in a turn. */
    static final int TASKS_PER_TURN_MAX = 1024;
    /** The longest wait while sessions are being woken, whose messages do not wake the loop until all of them have run. */
    private static final long WAKING_WAIT_NANOS_MAX = 1_000_000;

    private final int index;
    private final Proactor proactor;
    private final Log log;
    private final TurnClock clock;
    private final Counters counters;
    private final ConnectionTable table = new ConnectionTable();
    private final Mailbox mailbox;
    private final LoopActivity activity;
    private final ConnectionSource source;
    private final CloseRequests closeRequests;
    private final Callbacks callbacks;
    private final BufferPool pool;
    private final SharedBuffers sharedBuffers;
    private final BudgetGuard budgetGuard;
    private final ReplyBatch batch;
    private final ReadGate gate;
    private final Sender sender;
    private final Admission admission;
    private final Handshakes handshakes;
    private final StartTls startTls;
    private final Lifecycle lifecycle;
    private final Delivery delivery;
    private final DeadlineSweep sweep;
    private final StallGuard stallGuard;
    private final ConnectAttempts connectAttempts;
    private final TimerQueue timers;
    private final Dispatcher dispatcher;
    private final PendingSends pendingSends = new PendingSends();
    private final ConnectionCalls calls;
    private final IntFunction<ConnectionRecord> acceptedConnections;

    /** Held during a turn and while the loop ends: another thread may close an opened server, but not in the middle of a turn. */
    private final ReentrantLock turning = new ReentrantLock();
    /** True once the loop has ended: its connections and its proactor are closed. */
    private volatile boolean ended;

    /**
     * What a loop is made with.
     *
     * @param proactor what it waits in; closed with the loop
     * @param clock the network's clock
     * @param budget the server's budget
     * @param loops the number of loops that share it
     * @param log the server's log
     * @param source where accepted connections come from
     * @param sharesThread true if one thread turns several loops
     * @param lookup looks up the addresses of hosts to connect to by name
     * @param onWaitOver called each time the loop has stopped waiting
     * @param acceptedConnections makes the record of each accepted connection, given the calls of this loop and the index of the
     *     listener
     */
    record Setup(Proactor proactor, Clock clock, Budget budget, SharedBuffers sharedBuffers, int loops, Log log,
            ConnectionSource source,
            boolean sharesThread, HostLookup lookup, Runnable onWaitOver,
            Function<ConnectionCalls, IntFunction<ConnectionRecord>> acceptedConnections) {}

    EventLoop(int index, Setup setup) {
        this.index = index;
        counters = new Counters(index, setup.clock());
        proactor = setup.proactor();
        log = setup.log();
        source = setup.source();
        Budget budget = setup.budget();
        sharedBuffers = setup.sharedBuffers();

        clock = new TurnClock(setup.clock());
        mailbox = new Mailbox(proactor, setup.sharesThread());
        activity = new LoopActivity(setup.onWaitOver());
        closeRequests = new CloseRequests(log);
        callbacks = new Callbacks(activity, closeRequests, log);
        timers = new TimerQueue(callbacks, mailbox);

        pool = new BufferPool(budget, setup.loops(), clock, counters);
        batch = new ReplyBatch();
        SendQueues queues = new SendQueues(pool, clock);
        PartialInputs partialInputs = new PartialInputs(pool, clock);
        ConnectionDeadlines deadlines = new ConnectionDeadlines(clock);
        DropOldest dropOldest = new DropOldest(clock, counters, mailbox, callbacks);

        budgetGuard = new BudgetGuard(budget, pool, proactor, mailbox, counters, table, queues, partialInputs, closeRequests,
                log);
        budget.add(budgetGuard);
        gate = new ReadGate(proactor, clock, deadlines, closeRequests);
        Lingering lingering = new Lingering(proactor, gate, deadlines, closeRequests);
        Transfers transfers = new Transfers(proactor, clock, counters, budgetGuard, queues, closeRequests, callbacks);
        sender = new Sender(proactor, clock, counters, budgetGuard, queues, pendingSends, batch, gate, lingering, dropOldest,
                deadlines,
                closeRequests, callbacks, transfers);
        TransferAdmission transferAdmission = new TransferAdmission(mailbox, counters, budget, batch, sender,
                closeRequests);
        admission = new Admission(mailbox, clock, counters, budget, queues, pendingSends, batch, sender, dropOldest,
                closeRequests);
        handshakes = new Handshakes(proactor instanceof TlsProactor tls ? tls : null, deadlines, closeRequests);
        lifecycle = new Lifecycle(proactor, clock, mailbox, counters, table, source, deadlines, closeRequests, handshakes,
                partialInputs,
                gate, lingering,
                sender, dropOldest, callbacks, timers, log);
        delivery = new Delivery(clock, counters, partialInputs, budgetGuard, gate, batch, sender, lifecycle, deadlines,
                closeRequests, callbacks);
        stallGuard = new StallGuard(proactor, clock, table);
        sweep = new DeadlineSweep(clock, table, deadlines, pendingSends, closeRequests, handshakes::waitedNanos);
        connectAttempts = new ConnectAttempts(proactor, clock, mailbox, table, closeRequests, lifecycle, setup.lookup());
        dispatcher = new Dispatcher(clock, counters, table, source, delivery, lingering, sender, lifecycle, connectAttempts,
                closeRequests, callbacks, log);
        Relays relays = new Relays(proactor, clock, counters, partialInputs, gate, transfers, sender, transferAdmission,
                closeRequests);
        startTls = new StartTls(handshakes, gate, sender, closeRequests);
        calls = new ConnectionCalls(index, proactor, clock, mailbox, admission, transferAdmission, sender, budgetGuard, gate,
                lifecycle, delivery, relays, closeRequests, timers, pendingSends, callbacks, handshakes, startTls);
        acceptedConnections = setup.acceptedConnections().apply(calls);
    }

    // ---- the turn

    /**
     * Prepares the proactor on the thread that will turn, before the first turn.
     *
     * @throws IOException the kernel refuses; the message states the reason and the cure
     */
    void prepare() throws IOException {
        proactor.prepare();
    }

    /**
     * Turns once.
     *
     * @param waitNanosMax the longest wait; negative: no limit; 0: does not wait
     * @return how much was done
     * @throws IllegalStateException the caller is a handler within a turn, or another thread turns or owns the loop
     * @throws IOException the loop cannot continue
     */
    int turn(long waitNanosMax) throws IOException {
        if (isTurnedByThisThread()) {
            throw new IllegalStateException("the loop is turning already: a handler cannot turn it");
        }
        if (!turning.tryLock()) {
            throw new IllegalStateException("the loop is being turned by another thread, or is ending");
        }
        int done = 0;
        counters.trace.beginTurn();
        try {
            clock.beginTurn();
            if (!mailbox.isStopped()) {
                mailbox.claim();
                done = turnOnce(waitNanosMax);
            }
            if (mailbox.isStopped()) {
                end();
            }
        } finally {
            clock.endTurn();
            mailbox.endTurn();
            turning.unlock();
        }
        RuntimeException failure = counters.trace.endTurn(done); // between two turns: the observer may make the loop stand still
        if (failure != null) {
            log.observerFailed(failure);
        }
        return done;
    }

    private int turnOnce(long waitNanosMax) throws IOException {
        int done = poll(waitNanosMax);
        done += delivery.continuePending();
        done += runDue();
        done += runTasks();
        done += lifecycle.startEnds();
        done += sender.flushPending();
        done += startTls.startReady();
        done += lifecycle.completeCloses();
        budgetGuard.countUnsent(); // TLS holds more after a flush, and less after a close; the next poll may wait for long
        if (lifecycle.hasDrained()) {
            mailbox.stopAfterTurn();
        }
        return done;
    }

    private int poll(long waitNanosMax) throws IOException {
        long wait = waitNanos(waitNanosMax);
        clock.forget();
        stallGuard.beforePoll(nextOverdue());
        if (wait != 0) {
            activity.beginWait();
        }
        counters.trace.beginWait();
        int done = proactor.poll(dispatcher, wait);
        activity.endWait();
        counters.trace.endWait();
        budgetGuard.countUnsent();
        counters.add(Counters.TURNS, 1);
        counters.add(Counters.COMPLETIONS, done);
        stallGuard.afterPoll(done);
        return done;
    }

    private long waitNanos(long waitNanosMax) {
        if (hasOwnWork() || mailbox.isStopped()) {
            return 0;
        }
        long waitMax = mailbox.isWaking() ? shorter(waitNanosMax, WAKING_WAIT_NANOS_MAX) : waitNanosMax;
        long deadline = nextDue();
        return deadline == Loop.NO_DEADLINE ? waitMax : shorter(waitMax, Math.max(0, deadline - clock.nanoTime()));
    }

    /** Returns the shorter of two waits, of which the first may be negative: without limit. */
    private static long shorter(long waitNanosMax, long nanos) {
        return waitNanosMax < 0 ? nanos : Math.min(nanos, waitNanosMax);
    }

    /** Without handshakes: the proactor does not wait while it has some, and gives them the time that the loop would wait. */
    private boolean hasOwnWork() {
        return mailbox.hasTasks() || gate.pendingCount() > 0 || sender.hasWork() || !closeRequests.isEmpty();
    }

    private boolean hasWork() {
        return hasOwnWork() || handshakes.hasWork();
    }

    /**
     * Returns when the loop has something to do even if nothing arrives, or {@link Loop#NO_DEADLINE}. Loop thread, or between
     * turns.
     */
    long nextDeadline() {
        if (ended) {
            return Loop.NO_DEADLINE;
        }
        if (hasWork() || mailbox.isStopped()) {
            return Deadline.after(clock.nanoTime(), 0);
        }
        return nextDue();
    }

    private long nextDue() {
        return Deadline.earlier(Deadline.earlier(nextOverdue(), timers.next()), lifecycle.drainDeadline());
    }

    /** Returns the next deadline of a peer, or {@link Loop#NO_DEADLINE}. */
    private long nextOverdue() {
        return Deadline.earlier(sweep.next(), connectAttempts.next());
    }

    private int runDue() {
        if (nextOverdue() == Loop.NO_DEADLINE && timers.next() == Loop.NO_DEADLINE
                && lifecycle.drainDeadline() == Loop.NO_DEADLINE) {
            return 0; // without reading the clock
        }
        long now = clock.now();
        return closeOverdue() + timers.runDue(now) + lifecycle.closeOverdueDrain(now);
    }

    /** Closes overdue connections, and starts or ends attempts to connect that are due. */
    private int closeOverdue() {
        if (!stallGuard.isOver(nextOverdue())) {
            return 0;
        }
        long now = stallGuard.judgeByNanos();
        return sweep.closeOverdue(now) + connectAttempts.runDue(now);
    }

    private int runTasks() {
        int done = 0;
        for (Runnable task = mailbox.take(); task != null; task = done < TASKS_PER_TURN_MAX ? mailbox.take() : null) {
            callbacks.task(task);
            done++;
        }
        if (done > 0) {
            counters.add(Counters.TASKS, done);
            counters.trace.event(LoopEvent.TASKS, -1, done);
        }
        return done;
    }

    // ---- the end

    /** Closes everything at once; or, from a handler, at the end of the current turn. Any thread. */
    void shutDown() {
        mailbox.stop();
        if (!isTurnedByThisThread()) {
            turning.lock();
            try {
                end();
            } finally {
                mailbox.endTurn();
                turning.unlock();
            }
        }
    }

    private void end() {
        if (ended) {
            return;
        }
        mailbox.seize();
        if (index == 0) {
            source.end();
        }
        mailbox.close();
        boolean more = true;
        while (more) {
            try {
                // Among the tasks may be connections on their way to this loop.
                for (Runnable task = mailbox.take(); task != null; task = mailbox.take()) {
                    callbacks.task(task);
                }
                lifecycle.closeAll();
                lifecycle.completeCloses();
                more = false;
            } catch (Error e) { // thrown by one handler's onClose; the other handlers are notified all the same
                log.stopped(e);
            }
        }
        try {
            proactor.close();
        } catch (IOException e) {
            log.closeFailed(e);
        }
        budgetGuard.countUnsent();
        sharedBuffers.end(); // the other loops end as well, soon; what is dropped next must not reach them
        table.forEach(sender::drop); // only now is no send pending any more
        pool.dropSpare(); // a closed server may be referenced for long
        timers.dropAll();
        ended = true;
    }

    // ---- requests of the server: any thread

    /**
     * Adopts an accepted connection: at once on the loop thread, otherwise soon.
     *
     * @param listener the index of the listener that has accepted it
     * @param remote the peer's address, or null if the acceptor has not read it
     * @param isProxy true if it starts with a header of the PROXY protocol
     * @throws RejectedExecutionException the loop has ended, or too many tasks are waiting
     */
    void adopt(int listener, TcpStream stream, @Nullable InetSocketAddress remote, boolean isProxy) {
        table.expect();
        if (mailbox.isOwnThread()) {
            lifecycle.adopt(acceptedConnections.apply(listener), stream, remote, isProxy);
            return;
        }
        executeExpected(() -> lifecycle.adopt(acceptedConnections.apply(listener), stream, remote, isProxy));
    }

    /**
     * Starts to connect, soon.
     *
     * @param address resolved or not
     * @throws RejectedExecutionException the loop has ended, or too many tasks are waiting
     */
    void connect(ConnectionRecord connection, InetSocketAddress address, Duration timeout) {
        table.expect();
        executeExpected(address.isUnresolved() && !UnixAddress.isUnix(address)
                ? () -> connectAttempts.start(connection, address, timeout)
                : () -> lifecycle.connect(connection, address, timeout));
    }

    private void executeExpected(Runnable task) {
        try {
            mailbox.execute(task);
        } catch (RejectedExecutionException e) {
            table.uncount();
            throw e;
        }
    }

    /** Sends a message to every open connection. */
    void broadcast(Broadcast message) {
        broadcast(message, () -> table.forEachOpen(connection -> admission.putShared(connection, message)));
    }

    /** Sends a message to several connections of this loop. Those that are closed get nothing. */
    void broadcast(Broadcast message, ConnectionRecord[] connections) {
        broadcast(message, () -> {
            for (ConnectionRecord connection : connections) {
                admission.putShared(connection, message);
            }
        });
    }

    private void broadcast(Broadcast message, Runnable put) {
        message.retain();
        if (mailbox.isOwnThread()) {
            putAndRelease(message, put);
            return;
        }
        boolean added = false;
        try {
            added = mailbox.run(() -> putAndRelease(message, put));
        } finally {
            if (!added) {
                message.release();
            }
        }
    }

    /** Queues a message and releases it, even if an encoder throws an Error. */
    private void putAndRelease(Broadcast message, Runnable put) {
        try {
            put.run();
        } finally {
            admission.endBroadcast();
            message.release();
        }
    }

    /**
     * Starts to drain, soon.
     *
     * @param deadlineNanos supplies the deadline; called when the draining starts
     */
    void drain(LongSupplier deadlineNanos) {
        mailbox.run(() -> lifecycle.drain(deadlineNanos.getAsLong()));
    }

    /**
     * Runs a task of the application, soon.
     *
     * @throws RejectedExecutionException the loop has ended, or too many tasks are waiting
     */
    void execute(Runnable task) {
        mailbox.execute(task);
    }

    /**
     * Runs a task of the application after some time.
     *
     * @throws RejectedExecutionException the loop has ended, or too many tasks or timers are waiting
     */
    ScheduledTask schedule(Duration delay, Runnable task) {
        return timers.schedule(Deadline.after(clock.nanoTime(), Limits.nanos(delay)), null, task);
    }

    /** Runs a task of the server on this loop after some time. Loop thread, or before the first turn. */
    void after(long delayNanos, Runnable task) {
        timers.add(Deadline.after(clock.now(), delayNanos), task);
    }

    // ---- parts and state: any thread

    int index() {
        return index;
    }

    Proactor proactor() {
        return proactor;
    }

    /** For tests: returns the clock of this loop. */
    TurnClock clock() {
        return clock;
    }

    Mailbox mailbox() {
        return mailbox;
    }

    LoopActivity activity() {
        return activity;
    }

    Dispatcher dispatcher() {
        return dispatcher;
    }

    /** For tests: returns the connections of this loop. */
    ConnectionTable table() {
        return table;
    }

    /** For tests: returns the timers of this loop. */
    TimerQueue timers() {
        return timers;
    }

    ConnectionCalls calls() {
        return calls;
    }

    /** For tests: returns the pending send of a connection, or null. */
    @Nullable
    PendingSend pendingSend(ConnectionRecord connection) {
        return pendingSends.get(connection);
    }

    int load() {
        return table.load();
    }

    /** Returns true if the current thread is turning this loop: the call comes from a callback. */
    boolean isTurnedByThisThread() {
        return turning.isHeldByCurrentThread() || SessionThreads.isHandedOver();
    }

    boolean hasEnded() {
        return ended;
    }

    /** Returns the native memory of this loop. */
    MemoryStats memory() {
        return new MemoryStats(proactor.ringBytes(), proactor.bufferBytes() + batch.stagingBytes(),
                counters.value(Counters.SEND_MEMORY),
                counters.value(Counters.INPUT_MEMORY), counters.value(Counters.SPARE_MEMORY), handshakes.memoryBytes());
    }

    LoopStats stats() {
        return counters.stats(table.load());
    }

    /** Returns the open connection with that handle, or null. */
    @Nullable
    ConnectionRecord connection(long handle) {
        return table.get(handle);
    }

    void addClosedTo(Map<CloseReason, Long> sums) {
        counters.addClosedTo(sums);
    }

    /** Returns the ends of the last connections, the newest first. */
    List<ClosedConnection> recentlyClosed() {
        return counters.trace.recentlyClosed();
    }

    /**
     * Sets or removes the observer of the turns, and makes the loop turn, so that the observer sees the next thing that happens. A loop
     * that has yet to turn is not woken, so that an observed run on a simulated network is the same as one that is not observed.
     */
    void observer(@Nullable LoopObserver observer) {
        counters.trace.observer(observer);
        if (counters.trace.hasTurned()) { // read after the observer was set
            mailbox.wakeup();
        }
    }

    void forEachOpen(Consumer<ConnectionRecord> consumer) {
        table.forEachOpen(consumer);
    }
}
