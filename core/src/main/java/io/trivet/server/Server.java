package io.trivet.server;

import io.trivet.net.Capability;
import io.trivet.net.Network;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpOptions;
import io.trivet.net.TcpStream;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.LoopStats;
import io.trivet.observe.ServerStats;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A TCP server: listens, accepts, and gives messages to a {@link Handler}; and makes connections of its own on the same loops. Bounded by
 * default, see {@link Limits}.
 *
 * <p>A server is either <b>started</b> ({@link Builder#start}): its loops turn on threads of its own, until it is closed; or <b>opened</b>
 * ({@link Builder#open}): its one loop turns when {@link #turn} is called, always by the same thread, in the time of its network.
 *
 * <p><b>Threads.</b> Every method may be called from any thread, but for {@link #turn}.
 */
public final class Server implements AutoCloseable {
    private final Settings settings;
    private final Log log;
    private final Budget budget;
    private final List<EventLoop> loops = new ArrayList<>();
    private final Acceptor acceptor;
    private final List<InetSocketAddress> addresses = new ArrayList<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile boolean draining;
    private volatile long drainDeadlineNanos;
    private final CountDownLatch running;
    private final boolean started;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private @Nullable Watchdog watchdog;

    /** What a builder was told. */
    record Settings(Network network, List<InetSocketAddress> addresses, Framing framing, Handler handler, Limits limits,
            Overflow overflow, int loops, int backlog, boolean urgent) {}

    private Server(Settings settings, boolean started) throws IOException {
        this.settings = settings;
        this.started = started;
        Network network = settings.network();
        log = new Log(network.clock());
        budget = new Budget(settings.limits().queueBudgetBytes());
        running = new CountDownLatch(settings.loops());
        List<TcpListener> listeners = new ArrayList<>();
        acceptor = new Acceptor(this, settings, listeners);
        try {
            for (InetSocketAddress address : settings.addresses()) {
                TcpListener listener = network.listen(address, settings.backlog());
                listeners.add(listener);
                addresses.add(listener.localAddress());
            }
            for (int i = 0; i < settings.loops(); i++) {
                EventLoop loop = new EventLoop(i, this, network.proactor(), settings);
                loops.add(loop);
                network.attach(loop);
            }
            acceptor.begin();
        } catch (IOException | RuntimeException e) {
            acceptor.end();
            loops.forEach(EventLoop::shutDown);
            throw e;
        }
    }

    /**
     * Begins to describe a server.
     *
     * @return a builder: without further ado, it is one loop on this system's network, with raw framing and {@link Limits#defaults}, that
     *     listens nowhere
     */
    public static Builder builder() {
        return new Builder();
    }

    private void startThreads() {
        Duration handlerTimeout = settings.limits().handlerTimeout();
        if (!handlerTimeout.isZero()) {
            Watchdog dog = new Watchdog(loops, log, handlerTimeout);
            watchdog = dog;
            dog.start();
        }
        for (EventLoop loop : loops) {
            Thread.ofPlatform().name("trivet-loop-" + loop.index).start(() -> turnUntilStopped(loop));
        }
    }

    private void turnUntilStopped(EventLoop loop) {
        try {
            while (!loop.hasEnded()) {
                loop.turn(-1);
                // A handler may leave its thread interrupted: then no wait would be one any more.
                Thread.interrupted();
            }
        } catch (Throwable t) { // an Error of a handler, or a kernel that cannot wait any more: nothing can go on here
            log.stopped(t);
            failure.compareAndSet(null, t);
            closed.set(true);
            loops.forEach(EventLoop::stop);
        } finally {
            try {
                loop.shutDown();
            } finally { // whatever happens there, nobody waits for ever
                running.countDown();
                Watchdog dog = watchdog;
                if (dog != null && running.getCount() == 0) {
                    dog.stop();
                }
            }
        }
    }

    /**
     * Turns the loop of an opened server once: waits for something to do, does it, and returns.
     *
     * @param timeout the longest wait; null: no limit; zero: does not wait
     * @return how much was done; 0: nothing, the time was over
     * @throws IllegalStateException the server was started, so its loops turn by themselves; it has several, which its network turns; it
     *     is closed; another thread turned it before; or a handler asks, within a turn
     * @throws IOException the loop cannot go on; the server is closed
     */
    public int turn(@Nullable Duration timeout) throws IOException {
        if (started) {
            throw new IllegalStateException("a started server turns its loops itself");
        }
        if (closed.get()) {
            throw new IllegalStateException("the server is closed");
        }
        if (loops.size() > 1) {
            throw new IllegalStateException("the network turns the loops of this server");
        }
        if (timeout != null && timeout.isNegative()) {
            throw new IllegalArgumentException("the timeout must not be negative: " + timeout);
        }
        long nanos = timeout == null ? -1 : Limits.nanos(timeout);
        EventLoop loop = loops.getFirst();
        try {
            return loop.turn(nanos);
        } catch (IOException | Error e) {
            cannotGoOn(loop, e);
            throw e;
        } finally {
            closed.compareAndSet(false, loop.hasEnded()); // it was drained, or closed by a handler
        }
    }

    /** A loop of an opened server has failed: with it, all end. */
    void cannotGoOn(EventLoop loop, Throwable cause) {
        log.stopped(cause);
        closed.set(true);
        loops.forEach(EventLoop::stop);
        loop.shutDown();
    }

    /**
     * Where it listens, first.
     *
     * @return the address, with the port that the kernel chose when 0 was asked for
     * @throws IllegalStateException it listens nowhere
     */
    public InetSocketAddress address() {
        if (addresses.isEmpty()) {
            throw new IllegalStateException("the server listens nowhere");
        }
        return addresses.getFirst();
    }

    /**
     * Everywhere it listens.
     *
     * @return the addresses, in the order they were named
     */
    public List<InetSocketAddress> addresses() {
        return List.copyOf(addresses);
    }

    /**
     * Begins a connection of the server's own, on the loop that has the fewest: with the same framing, limits and queue as the others.
     *
     * @param address where to
     * @param handler its handler: onOpen when it is there, or onClose alone when it does not come about; then
     *     {@link Connection#failure} says why
     * @return the connection; what is sent meanwhile waits in its queue
     * @throws RejectedExecutionException the server is closed or drains, so a handler that connects anew when a connection has ended comes to
     *     an end too; or a million tasks wait already
     */
    public Connection connect(InetSocketAddress address, Handler handler) {
        return connect(address, handler, settings.limits().connectTimeout());
    }

    /**
     * Begins a connection of the server's own with a deadline of its own: as {@link #connect(InetSocketAddress, Handler)}.
     *
     * @param address where to
     * @param handler its handler
     * @param timeout how long the connect may take, in place of {@link Limits#connectTimeout}; zero: no limit
     * @return the connection
     * @throws IllegalArgumentException the timeout is negative
     * @throws RejectedExecutionException as there
     */
    public Connection connect(InetSocketAddress address, Handler handler, Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("the timeout must not be negative: " + timeout);
        }
        Objects.requireNonNull(handler, "handler");
        Objects.requireNonNull(address, "address");
        if (draining) {
            throw new RejectedExecutionException("the server drains");
        }
        EventLoop least = loops.getFirst();
        for (EventLoop loop : loops) {
            least = loop.load() < least.load() ? loop : least;
        }
        EventLoop loop = least;
        Connection connection = Connection.connecting(loop, handler, address);
        loop.expect();
        try {
            loop.execute(() -> loop.connect(connection, address, timeout));
        } catch (RejectedExecutionException e) {
            loop.expectNoMore();
            throw e;
        }
        return connection;
    }

    /**
     * Sends one message to every connection that is there now, accepted or made; it is held once for all. To a connection whose queue it does
     * not fit into, what its policy says happens.
     *
     * @param message the message, without its frame; copied at once, its position moves to its limit
     * @throws RejectedExecutionException from another thread: a loop has two million tasks waiting already
     */
    public void broadcast(ByteBuffer message) {
        ByteBuffer framed = Output.frame(settings.framing(), message);
        for (EventLoop loop : loops) {
            loop.run(() -> loop.forEach(connection -> loop.output().putShared(connection, framed)));
        }
    }

    /**
     * Every connection as it is now. It does not stop a loop; asking ten times a second is nothing to a server with 10,000.
     *
     * @return a snapshot of each
     */
    public List<ConnectionSnapshot> connections() {
        List<ConnectionSnapshot> snapshots = new ArrayList<>();
        for (EventLoop loop : loops) {
            loop.forEach(connection -> snapshots.add(loop.snapshot(connection)));
        }
        return snapshots;
    }

    /**
     * The counters, as they are now.
     *
     * @return of each loop, and all together
     */
    public ServerStats stats() {
        List<LoopStats> each = loops.stream().map(EventLoop::stats).toList();
        LoopStats total = each.stream().reduce(LoopStats::plus).orElseThrow();
        return new ServerStats(total, each, budget.bytes(), budget.bytesMax());
    }

    /**
     * Begins to end in an orderly way, and returns: nothing more is accepted or connected, no message is taken or given any more, what waits
     * for each peer is delivered, and each is read to its end. The server is closed when all are gone, or the time is over. A second time sets
     * the time anew.
     *
     * @param timeout the longest that it may take; zero or less: what can be done at once
     */
    public void drain(Duration timeout) {
        draining = true;
        drainDeadlineNanos = settings.network().clock().nanoTime() + Limits.nanos(timeout);
        loops.getFirst().runInTurn(acceptor::drain); // no loop ends before that is done: who was waiting may be on his way to it
        for (EventLoop loop : loops) {
            loop.run(() -> loop.drain(drainDeadlineNanos)); // the latest: two drains may come to two loops in different orders
        }
    }

    /**
     * Whether it is closed: by {@link #close}, at the end of a {@link #drain}, or because a loop could not go on.
     *
     * @return true once {@link #close} was called, or when nothing more happens
     */
    public boolean isClosed() {
        return closed.get() || loops.stream().allMatch(EventLoop::hasEnded);
    }

    /**
     * Waits until a started server is closed; {@link #failure} then tells whether it was by a failure. Returns at once for an opened one.
     *
     * @throws InterruptedException the thread was interrupted; the server goes on
     */
    public void join() throws InterruptedException {
        if (started) {
            running.await();
        }
    }

    /**
     * Why a started server has closed by itself. An opened one throws it from {@link #turn}.
     *
     * @return what a loop could not go on after: an {@link Error} of a handler, or an IOException when the kernel lets it wait no more; null:
     *     nothing of the kind has happened
     */
    public @Nullable Throwable failure() {
        return failure.get();
    }

    /**
     * Closes everything at once: what waits is dropped, and every handler is told. Waits for the loops of a started server, and for a turn of
     * an opened one that another thread is in; from a handler it returns at once, and the server closes at the end of the turn. A second time
     * does nothing.
     */
    @Override
    public void close() {
        closed.set(true);
        if (!started) {
            boolean fromWithin = loops.stream().anyMatch(EventLoop::isTurnedByThisThread);
            loops.forEach(fromWithin ? EventLoop::stop : EventLoop::shutDown);
            return;
        }
        loops.forEach(EventLoop::stop);
        boolean fromWithin = loops.stream().anyMatch(EventLoop::isOwnThread);
        boolean interrupted = false;
        while (!fromWithin) {
            try {
                running.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    List<EventLoop> loops() {
        return loops;
    }

    /** Whether one thread turns several loops, so that it belongs to each only while it turns it. */
    boolean loopsShareThread() {
        return !started && settings.loops() > 1;
    }

    Acceptor acceptor() {
        return acceptor;
    }

    Log log() {
        return log;
    }

    Budget budget() {
        return budget;
    }

    @Nullable
    Watchdog watchdog() {
        return watchdog;
    }

    void checkUrgent() {
        if (!settings.network().supports(Capability.URGENT_DATA)) {
            throw new UnsupportedOperationException("the network " + settings.network().name() + " cannot send urgent data");
        }
    }

    /** Lets the kernel find out that a peer is dead, within the idle timeout: its own patience is two hours. */
    void keepAlive(TcpStream stream) throws IOException {
        Duration idle = settings.limits().idleTimeout();
        if (idle.isZero()) {
            return;
        }
        stream.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        if (settings.network().supports(Capability.URGENT_DATA)) { // that is: Linux, where these options are
            int seconds = Math.clamp(idle.toSeconds() / 2, 1, 32_767);
            stream.setOption(TcpOptions.KEEP_ALIVE_IDLE_SECONDS, seconds);
            stream.setOption(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS, Math.max(1, seconds / 4));
            stream.setOption(TcpOptions.USER_TIMEOUT_MILLIS, (int) Math.min(Integer.MAX_VALUE, Limits.nanos(idle) / 1_000_000));
        }
    }

    /** Describes a server. Not thread-safe. */
    public static final class Builder {
        private @Nullable Network network;
        private final List<InetSocketAddress> addresses = new ArrayList<>();
        private Framing framing = Framing.raw();
        private @Nullable Handler handler;
        private Limits limits = Limits.defaults();
        private Overflow overflow = Overflow.PAUSE_READING;
        private int loops = 1;
        private int backlog = 4096;
        private boolean urgent;

        private Builder() {}

        /**
         * Listens there; can be called several times.
         *
         * @param address the address and port; port 0: the kernel chooses
         * @return this
         */
        public Builder listen(InetSocketAddress address) {
            addresses.add(Objects.requireNonNull(address, "address"));
            return this;
        }

        /**
         * Where messages end.
         *
         * @param framing the framing; raw unless said
         * @return this
         */
        public Builder framing(Framing framing) {
            this.framing = Objects.requireNonNull(framing, "framing");
            return this;
        }

        /**
         * What is done with accepted connections; one handler serves them all.
         *
         * @param handler the handler
         * @return this
         */
        public Builder handler(Handler handler) {
            this.handler = Objects.requireNonNull(handler, "handler");
            return this;
        }

        /**
         * What is done with messages, when nothing else is of interest.
         *
         * @param handler called for each message
         * @return this
         */
        public Builder onMessage(Handler handler) {
            return handler(handler);
        }

        /**
         * Where it lives.
         *
         * @param network the network; this system's unless said
         * @return this
         */
        public Builder network(Network network) {
            this.network = Objects.requireNonNull(network, "network");
            return this;
        }

        /**
         * How many loops: each on a thread of its own; or, on a simulated network, turned by that one after the other.
         *
         * @param loops from 1 to 127; 1 unless said
         * @return this
         * @throws IllegalArgumentException another number
         */
        public Builder loops(int loops) {
            if (loops < 1 || loops > 127) {
                throw new IllegalArgumentException("a server has 1 to 127 loops, not " + loops);
            }
            this.loops = loops;
            return this;
        }

        /**
         * Its bounds.
         *
         * @param limits the limits
         * @return this
         */
        public Builder limits(Limits limits) {
            this.limits = Objects.requireNonNull(limits, "limits");
            return this;
        }

        /**
         * What happens when a peer takes less than is sent to it.
         *
         * @param overflow the policy; {@link Overflow#PAUSE_READING} unless said
         * @return this
         */
        public Builder overflow(Overflow overflow) {
            this.overflow = Objects.requireNonNull(overflow, "overflow");
            return this;
        }

        /**
         * Whether TCP's urgent data is watched for. Without it the kernel drops the byte, or moves it behind the ordinary ones.
         *
         * @param urgent true to be told; false unless said
         * @return this
         */
        public Builder urgent(boolean urgent) {
            this.urgent = urgent;
            return this;
        }

        /**
         * How many connections may wait to be accepted.
         *
         * @param backlog at least 1; 4,096 unless said; the kernel caps it (net.core.somaxconn)
         * @return this
         * @throws IllegalArgumentException less than 1
         */
        public Builder backlog(int backlog) {
            if (backlog < 1) {
                throw new IllegalArgumentException("backlog must be at least 1, was " + backlog);
            }
            this.backlog = backlog;
            return this;
        }

        /**
         * Opens the server and starts its threads.
         *
         * @return the server, accepting
         * @throws IllegalStateException there is no handler and it listens; or DROP_OLDEST with raw framing
         * @throws UnsupportedOperationException urgent data on a network that cannot
         * @throws IOException it cannot listen: the message names the address
         */
        public Server start() throws IOException {
            Server server = new Server(settings(), true);
            server.startThreads();
            return server;
        }

        /**
         * Opens the server, with one loop that the caller turns. On a network that {@linkplain Network#turnsLoops turns loops} by itself it
         * may have several, and nobody else turns them.
         *
         * @return the server; it accepts when it is {@linkplain Server#turn turned}
         * @throws IllegalStateException as {@link #start}; or several loops on a network that does not turn them
         * @throws UnsupportedOperationException urgent data on a network that cannot
         * @throws IOException it cannot listen: the message names the address
         */
        public Server open() throws IOException {
            Settings settings = settings();
            if (loops != 1 && !settings.network().turnsLoops()) {
                throw new IllegalStateException("an opened server has one loop, which its caller turns");
            }
            return new Server(settings, false);
        }

        private Settings settings() {
            Network chosen = network == null ? Network.system() : network;
            if (handler == null && !addresses.isEmpty()) {
                throw new IllegalStateException("a server that listens needs a handler");
            }
            if (overflow == Overflow.DROP_OLDEST && framing.isRaw()) {
                throw new IllegalStateException("DROP_OLDEST drops whole messages, and with raw framing there are none");
            }
            if (urgent && !chosen.supports(Capability.URGENT_DATA)) {
                throw new UnsupportedOperationException(
                        "the network " + chosen.name() + " cannot see urgent data: epoll, poll and select on Linux can");
            }
            Handler accepted = handler == null ? (connection, message) -> {} : handler;
            return new Settings(chosen, List.copyOf(addresses), framing, accepted, limits, overflow, loops, backlog, urgent);
        }
    }
}
