package io.trivet.server;

import io.trivet.net.Clock;
import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.Proactor;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.LoopStats;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One loop: the connections it owns, and one turn after the other.
 *
 * <p>A turn: wait for completions, no longer than the next deadline; handle each as it is told; then what earlier turns left to give; due
 * deadlines; tasks from other threads; flush what these and broadcasts have touched; closes, last. Nothing is allocated for a message once
 * warm, unless the peer does not take it. Everything belongs to the thread that turns, but for what says otherwise.
 */
final class EventLoop implements Loop, Completions {
    /** The tasks run in a turn. */
    static final int TASKS_PER_TURN_MAX = 1024;
    /** A loop's number stands in the upper bits of the slot in a connection's id: no loop has 16 million connections. */
    private static final int ID_LOOP_SHIFT = 24;

    final int index;
    final Counters counters = new Counters();
    private final Server server;
    private final Proactor proactor;
    private final Clock clock;
    private final Server.Settings settings;
    private final Log log;
    private final Callbacks callbacks;
    private final Output output;
    private final Input input;
    private final Expiry expiry;
    private final Endings endings;
    private final Tasks tasks = new Tasks();
    private final Timers timers;
    /** By slot. Written by the loop's thread; others look on, and may find a connection that has just gone. */
    private volatile @Nullable Connection[] connections = new @Nullable Connection[64];
    /** How many connections it has, those on their way to it included. Any thread. */
    private final AtomicInteger load = new AtomicInteger();

    /** Held while it turns, and while it ends: another thread may close an opened server, but not in the middle of a turn. */
    private final ReentrantLock turning = new ReentrantLock();
    private volatile @Nullable Thread thread;
    /** Ends when the turn under way is over. */
    private volatile boolean stopped;
    /** Nothing happens any more. */
    private volatile boolean ended;
    /** Whether it sleeps in the kernel: for the watchdog. */
    private volatile boolean waiting;
    private boolean draining;
    private long drainDeadlineNanos = NO_DEADLINE;
    private long nowNanos;
    private boolean nowIsKnown;

    EventLoop(int index, Server server, Proactor proactor, Server.Settings settings) {
        this.index = index;
        this.server = server;
        this.proactor = proactor;
        this.settings = settings;
        clock = settings.network().clock();
        log = server.log();
        callbacks = new Callbacks(this, log);
        BufferPool pool = new BufferPool();
        output = new Output(this, proactor, callbacks, server.budget(), pool, settings);
        input = new Input(this, proactor, output, callbacks, server.budget(), pool, settings);
        expiry = new Expiry(this, input, settings.limits());
        endings = new Endings(proactor, input, output, expiry, log, settings.limits());
        timers = new Timers(callbacks);
    }

    // ---- the turn

    @Override
    public int turn() throws IOException {
        try {
            // A network that turns all loops while one of them waits finds that one at it already.
            return isTurnedByThisThread() ? 0 : turn(0);
        } catch (IOException | Error e) {
            server.cannotGoOn(this, e);
            throw e;
        }
    }

    /** One turn that waits no longer than that; negative: no limit. How much was done. */
    int turn(long waitNanosMax) throws IOException {
        if (isTurnedByThisThread()) {
            throw new IllegalStateException("the loop turns already: a handler cannot turn it once more");
        }
        if (!turning.tryLock()) {
            throw new IllegalStateException("the loop is turned by another thread, or ends");
        }
        try {
            int done = 0;
            if (!stopped) {
                if (!isOwnThread()) {
                    takeThread();
                }
                done = turnOnce(waitNanosMax);
            }
            if (stopped) {
                end();
            }
            return done;
        } finally {
            nowIsKnown = false;
            leaveThread();
            turning.unlock();
        }
    }

    private int turnOnce(long waitNanosMax) throws IOException {
        long wait = waitNanos(waitNanosMax);
        nowIsKnown = false;
        waiting = wait != 0;
        int done = proactor.poll(this, wait);
        leaveWait();
        counters.add(Counters.TURNS, 1);
        counters.add(Counters.COMPLETIONS, done);
        done += input.giveLeft();
        done += runDue();
        done += runTasks();
        done += output.flushTouched();
        done += closeClosing();
        return done;
    }

    private void takeThread() {
        Thread owner = thread;
        if (owner != null && owner.isAlive()) {
            throw new IllegalStateException("a loop is turned by one thread, this one by " + owner.getName());
        }
        thread = Thread.currentThread();
    }

    /** A thread that turns several loops is to each of the others what another thread would be: what it wants there, it leaves as a task. */
    private void leaveThread() {
        if (server.loopsShareThread()) {
            thread = null;
        }
    }

    /** Whatever it waited for has come: told by the first callback, which runs within the poll, or else by its end. */
    void leaveWait() {
        if (waiting) {
            waiting = false;
            Watchdog watchdog = server.watchdog();
            if (watchdog != null) {
                watchdog.wake();
            }
        }
    }

    private boolean hasWork() {
        return !tasks.isEmpty() || input.hasWork() || output.hasWork() || endings.hasWork();
    }

    private long waitNanos(long waitNanosMax) {
        if (hasWork()) {
            return 0;
        }
        long deadline = nextDeadline();
        if (deadline == NO_DEADLINE) {
            return waitNanosMax;
        }
        long left = Math.max(0, deadline - clock.nanoTime());
        return waitNanosMax < 0 ? left : Math.min(left, waitNanosMax);
    }

    @Override
    public long nextDeadline() {
        if (ended) {
            return NO_DEADLINE;
        }
        if (hasWork() || stopped) {
            return clock.nanoTime();
        }
        return earlier(earlier(expiry.next(), timers.next()), drainDeadlineNanos);
    }

    /** The time of this turn, read when it is first asked for after the wait. Between two turns it goes on. */
    long now() {
        if (!nowIsKnown) {
            nowNanos = clock.nanoTime();
            nowIsKnown = isTurnedByThisThread();
        }
        return nowNanos;
    }

    private static long earlier(long a, long b) {
        return b == NO_DEADLINE || (a != NO_DEADLINE && a - b <= 0) ? a : b;
    }

    private int runDue() {
        if (expiry.next() == NO_DEADLINE && timers.next() == NO_DEADLINE && drainDeadlineNanos == NO_DEADLINE) {
            return 0;
        }
        long now = now();
        int done = expiry.closeOverdue(now) + timers.runDue(now);
        if (drainDeadlineNanos != NO_DEADLINE && drainDeadlineNanos - now <= 0) {
            drainDeadlineNanos = NO_DEADLINE;
            closeAll();
            done++;
        }
        return done;
    }

    private int runTasks() {
        int done = 0;
        for (Runnable task = tasks.take(); task != null; task = done < TASKS_PER_TURN_MAX ? tasks.take() : null) {
            callbacks.task(task);
            done++;
        }
        if (done > 0) {
            counters.add(Counters.TASKS, done);
        }
        return done;
    }

    private int closeClosing() {
        int done = 0;
        for (Connection connection = endings.next(); connection != null; connection = endings.next()) {
            tellClosed(connection);
            done++;
        }
        if (draining && server.acceptor().hasEnded() // in this order: it ends after it has given its last
                && (load.get() == 0 || isDrainOver())) { // then whoever is still on his way is closed at the end
            stopped = true;
        }
        return done;
    }

    private boolean isDrainOver() {
        return draining && drainDeadlineNanos == NO_DEADLINE;
    }

    // ---- completions

    @Override
    public void accepted(long token, TcpStream stream) {
        counters.add(Counters.ACCEPTED, 1);
        server.acceptor().accepted(stream);
    }

    @Override
    public void acceptFailed(long token, IOException failure) {
        counters.add(Counters.ACCEPT_FAILURES, 1);
        server.acceptor().failed(failure);
    }

    @Override
    public void connected(long handle) {
        Connection connection = connection(handle);
        if (connection != null) {
            connection.stateDeadlineNanos(NO_DEADLINE);
            open(connection);
        }
    }

    @Override
    public void received(long handle, ByteBuffer memory, int from, int to) {
        Connection connection = connection(handle);
        if (connection == null) {
            return;
        }
        connection.active(now());
        connection.bytesIn += to - from;
        counters.add(Counters.BYTES_IN, to - from);
        switch (connection.state()) {
            case OPEN -> input.received(connection, memory, from, to);
            case LINGERING -> endings.linger(connection, to - from);
            case CONNECTING, INPUT_ENDED, DRAINING, CLOSED -> {
                // Draining takes no message any more; in the others nothing is received.
            }
        }
    }

    @Override
    public void urgent(long handle, byte b) {
        Connection connection = connection(handle);
        if (connection != null && connection.state() == ConnectionState.OPEN) {
            connection.active(now());
            callbacks.urgent(connection, b);
            output.flush(connection);
        }
    }

    @Override
    public void inputEnded(long handle) {
        Connection connection = connection(handle);
        if (connection == null) {
            return;
        }
        connection.clear(Connection.RECEIVING);
        connection.set(Connection.INPUT_ENDED);
        switch (connection.state()) {
            case OPEN -> input.ended(connection);
            case LINGERING -> endings.close(connection, Endings.reasonToFinish(connection));
            case CONNECTING, INPUT_ENDED, DRAINING, CLOSED -> {
                // Draining: when the queue has gone out, the end of the input is already there.
            }
        }
    }

    @Override
    public void sent(long handle, long bytes) {
        Connection connection = connection(handle);
        if (connection != null) {
            output.sent(connection, bytes);
        }
    }

    @Override
    public void failed(long handle, IOException failure) {
        Connection connection = connection(handle);
        if (connection != null) {
            endings.failed(connection, failure);
        }
    }

    @Override
    public void spinning(long handle, String description) {
        Connection connection = connection(handle);
        if (connection != null) {
            log.spinning(connection, description);
            endings.close(connection, CloseReason.SPINNING);
        }
    }

    @Override
    public void closed(long handle) {
        int slot = Proactor.slot(handle);
        Connection connection = connections[slot];
        if (connection != null && connection.handle == handle) {
            output.release(connection); // a pending send is over only now
            connections[slot] = null;
        }
    }

    private @Nullable Connection connection(long handle) {
        Connection connection = connections[Proactor.slot(handle)];
        return connection == null || connection.handle != handle || connection.isClosed() ? null : connection;
    }

    // ---- beginning

    /** Another connection is on its way to this loop. Any thread. */
    void expect() {
        load.incrementAndGet();
    }

    /** One that was expected does not come. Any thread. */
    void expectNoMore() {
        load.decrementAndGet();
    }

    /** Takes over an accepted connection, which was {@linkplain #expect expected}. */
    void adopt(TcpStream stream, InetSocketAddress remote) {
        Connection connection = Connection.accepted(this);
        try {
            connection.handle = proactor.adopt(stream);
        } catch (IOException e) { // reset before it was looked at, or the kernel has no memory for one more
            log.adoptFailed(e);
            Acceptor.closeQuietly(stream);
            expectNoMore();
            server.acceptor().gone(remote);
            return;
        }
        enter(connection);
        open(connection);
    }

    /** Begins to connect; what is sent meanwhile waits. It was {@linkplain #expect expected}. */
    void connect(Connection connection, InetSocketAddress address, Duration timeout) {
        if (draining || stopped) {
            endings.close(connection, CloseReason.SERVER_CLOSED);
        }
        if (connection.isClosed()) {
            return;
        }
        try {
            connection.handle = proactor.connect(address);
        } catch (IOException e) {
            endings.failed(connection, e);
            return;
        }
        enter(connection);
        expiry.stateEndsIn(connection, timeout);
    }

    private void enter(Connection connection) {
        int slot = Proactor.slot(connection.handle);
        if (slot >= connections.length) {
            connections = Arrays.copyOf(connections, Math.max(slot + 1, connections.length * 2));
        }
        connections[slot] = connection;
        connection.active(now());
    }

    private void open(Connection connection) {
        connection.state(ConnectionState.OPEN);
        connection.active(now());
        Backlog waiting = connection.backlog();
        if (waiting != null) {
            waiting.progressNanos = now(); // until now there was nobody who could have taken it
        }
        Limits limits = settings.limits();
        firstMessageIsDue(connection);
        if (!limits.idleTimeout().isZero()) {
            expiry.atLatest(connection, now() + Limits.nanos(limits.idleTimeout()));
        }
        try {
            if (settings.urgent()) {
                proactor.watchUrgent(connection.handle);
            }
        } catch (IOException e) {
            endings.failed(connection, e);
            return;
        }
        callbacks.open(connection);
        output.tellUntold(connection); // from before it was there
        CloseReason reason = connection.closeReason(); // was it finished before it was there?
        if (isDrainOver()) {
            endings.close(connection, CloseReason.SERVER_CLOSED); // too late for everything
        } else if (reason != null || draining) {
            endings.finish(connection, reason == null ? CloseReason.DRAINED : reason);
        }
        input.updateReceiving(connection);
        output.flush(connection);
    }

    // ---- the end

    private void tellClosed(Connection connection) {
        connection.rememberAddress();
        input.dropHeld(connection);
        if (connection.inFlight() == null) {
            output.release(connection);
        }
        if (connection.handle >= 0) {
            expiry.forget(connection);
            proactor.close(connection.handle);
        }
        counters.add(Counters.CLOSED, 1);
        load.decrementAndGet();
        if (connection.is(Connection.ACCEPTED)) {
            server.acceptor().gone(connection.remoteAddress());
        }
        output.tellUntold(connection);
        connection.set(Connection.END_TOLD);
        callbacks.closed(connection, Endings.reasonToFinish(connection));
    }

    /** Begins to drain: no connection takes or gives a further message, and each has until then to read what waits for it. */
    void drain(long deadlineNanos) {
        draining = true;
        drainDeadlineNanos = Math.min(deadlineNanos, NO_DEADLINE - 1); // a clock may pass the number that means none
        for (Connection connection : connections) {
            if (connection != null) {
                endings.finish(connection, CloseReason.DRAINED);
            }
        }
    }

    private void closeAll() {
        for (Connection connection : connections) {
            if (connection != null) {
                endings.close(connection, CloseReason.SERVER_CLOSED);
            }
        }
    }

    /** Closes everything at once, or when the turn under way is over. Any thread. */
    void shutDown() {
        stop();
        if (!turning.isHeldByCurrentThread()) { // else a handler asks: this turn goes to its end first
            turning.lock();
            try {
                end();
            } finally {
                leaveThread();
                turning.unlock();
            }
        }
    }

    /** Whether this very call comes from one of its callbacks. */
    boolean isTurnedByThisThread() {
        return turning.isHeldByCurrentThread();
    }

    /** The last that happens on a loop. */
    private void end() {
        if (ended) {
            return;
        }
        thread = Thread.currentThread();
        if (index == 0) {
            server.acceptor().end();
        }
        tasks.close();
        boolean more = true;
        while (more) {
            try {
                // Among the tasks may be connections on their way to this loop.
                for (Runnable task = tasks.take(); task != null; task = tasks.take()) {
                    callbacks.task(task);
                }
                closeAll();
                closeClosing();
                more = false;
            } catch (Error e) { // one handler's, who is told of the end; the others are told all the same
                log.stopped(e);
            }
        }
        try {
            proactor.close();
        } catch (IOException e) {
            log.closeFailed(e);
        }
        for (Connection connection : connections) {
            if (connection != null) {
                output.release(connection); // sends that were pending are over only now
            }
        }
        ended = true;
    }

    // ---- from its parts, and from other threads

    @SuppressWarnings("ReferenceEquality") // this very thread
    boolean isOwnThread() {
        return Thread.currentThread() == thread;
    }

    /** Runs now on the loop's thread; from another, soon, unless the loop has ended: then there is nothing left to do it to. */
    void run(Runnable task) {
        if (isOwnThread()) {
            task.run();
        } else if (tasks.addOwn(task)) {
            proactor.wakeup();
        }
    }

    /** Runs soon, and not at once even on the loop's thread: whoever asks stands in a callback. The loop's thread. */
    void runLater(Runnable task) {
        tasks.addOwn(task);
    }

    /** Runs what may call handlers: in a turn, and never within a callback. Any thread. */
    void runInTurn(Runnable task) {
        if (tasks.addOwn(task) && !isOwnThread()) {
            proactor.wakeup();
        }
    }

    void execute(Runnable task) {
        tasks.add(task);
        if (!isOwnThread()) {
            proactor.wakeup();
        }
    }

    void schedule(Connection connection, Duration delay, Runnable task) {
        if (tasks.isClosed()) {
            throw new RejectedExecutionException("the server is closed");
        }
        timers.reserve();
        long deadline = clock.nanoTime() + Math.max(0, Limits.nanos(delay));
        try {
            run(() -> timers.add(deadline, connection, task));
        } catch (RejectedExecutionException e) {
            timers.cancelReservation();
            throw e;
        }
    }

    /** Runs a task of the server's own on this loop after some time. The loop's thread, or before it turns. */
    void after(long delayNanos, Runnable task) {
        timers.add(now() + delayNanos, task);
    }

    /** Goes round once, whatever it waits for. Any thread. */
    void wakeup() {
        proactor.wakeup();
    }

    /** Ends it as soon as the turn under way is over. Any thread. */
    void stop() {
        stopped = true;
        proactor.wakeup();
    }

    void pause(Connection connection, int why) {
        input.pause(connection, why);
    }

    void resume(Connection connection, int why) {
        input.resume(connection, why);
    }

    void firstMessageIsDue(Connection connection) {
        expiry.firstMessageIsDue(connection);
    }

    void deadlineAtLatest(Connection connection, long deadlineNanos) {
        expiry.atLatest(connection, deadlineNanos);
    }

    @Nullable
    Connection connectionAt(int slot) {
        return connections[slot];
    }

    Server server() {
        return server;
    }

    Endings endings() {
        return endings;
    }

    Output output() {
        return output;
    }

    Proactor proactor() {
        return proactor;
    }

    Limits limits() {
        return settings.limits();
    }

    Handler handler() {
        return settings.handler();
    }

    void checkUrgent() {
        server.checkUrgent();
    }

    int load() {
        return load.get();
    }

    boolean isStopped() {
        return stopped;
    }

    boolean hasEnded() {
        return ended;
    }

    // ---- looking on: any thread

    boolean isWaiting() {
        return waiting;
    }

    long clockNanos() {
        return clock.nanoTime();
    }

    long callbackMark() {
        return callbacks.mark();
    }

    @Nullable
    Thread thread() {
        return thread;
    }

    long id(long handle) {
        return handle < 0 ? -1 : (long) index << ID_LOOP_SHIFT ^ handle;
    }

    InetSocketAddress remoteAddress(Connection connection) {
        return proactor.remoteAddress(connection.handle);
    }

    InetSocketAddress localAddress(Connection connection) {
        return proactor.localAddress(connection.handle);
    }

    long ageNanos(long sinceNanos) {
        return Math.max(0, clock.nanoTime() - sinceNanos);
    }

    void forEach(Consumer<Connection> consumer) {
        for (Connection connection : connections) {
            if (connection != null && !connection.isClosed()) {
                consumer.accept(connection);
            }
        }
    }

    LoopStats stats() {
        return counters.stats(load.get());
    }

    ConnectionSnapshot snapshot(Connection connection) {
        long now = clock.nanoTime();
        int interest = proactor.interest(connection.handle);
        InetSocketAddress remote;
        try {
            remote = connection.remoteAddress();
        } catch (IllegalStateException e) { // so new, or so old, that it has none
            remote = null;
        }
        return new ConnectionSnapshot(connection.id(), remote, index, connection.state(),
                (interest & Interest.READ) != 0, (interest & Interest.WRITE) != 0, (interest & Interest.PRIORITY) != 0,
                connection.why(), connection.queuedBytes(), settings.limits().queueBytesMax(), connection.queuedMessages(),
                Duration.ofNanos(connection.oldestAgeNanos()), connection.bytesIn, connection.bytesOut,
                Duration.ofNanos(Math.max(0, now - connection.activityNanos(now))), connection.closeReason());
    }
}
