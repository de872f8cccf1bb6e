package io.trivet.server;

import io.trivet.net.Capability;
import io.trivet.net.Cidr;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.Proactor;
import io.trivet.net.SocketFile;
import io.trivet.net.TcpListener;
import io.trivet.net.UnixAddress;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.LoopObserver;
import io.trivet.observe.LoopStats;
import io.trivet.observe.MemoryStats;
import io.trivet.observe.ServerStats;
import io.trivet.tls.TlsClient;
import io.trivet.tls.TlsProactor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A TCP server. It listens, accepts clients, and delivers their messages to a {@link Handler}; it also makes connections of its
 * own on the same loops. Bounded by default, see {@link Limits}.
 *
 * <p>A server is either <b>started</b> ({@link ServerBuilder#start}): its loops turn on threads of its own until it is closed; or
 * <b>opened</b> ({@link ServerBuilder#open}): its one loop turns when {@link #turn} is called, by one thread at a time. Its time
 * is that of its network's clock.
 *
 * <p><b>Threads.</b> Every method may be called from any thread, except {@link #turn}.
 */
public final class Server implements AutoCloseable {
    private final Settings settings;
    private final Log log;
    private final Budget budget;
    private final SharedBuffers sharedBuffers;
    /** The profile of each listener. */
    private final List<Profile> profiles;
    private final LoopGroup loops;
    private final Acceptor acceptor;
    private final List<TcpListener> listeners = new ArrayList<>();
    private final List<InetSocketAddress> addresses = new ArrayList<>();
    private final HostLookup lookup;
    /** By loop. Not changed after the first one turns. */
    private final List<SessionThreads> sessionThreads = new ArrayList<>();
    /** Null if the server was opened. */
    private final @Nullable LoopThreads threads;
    private volatile boolean draining;
    private volatile long drainDeadlineNanos;

    /**
     * The settings of a builder.
     *
     * @param passed listeners that were opened elsewhere
     * @param protocols the protocol of each address, then of each passed listener
     * @param profile the server's own settings: those of connections that set none
     * @param socketFile how the files of Unix domain sockets are created
     * @param listenOptions the options of listeners with an IP address
     * @param access the addresses that may connect
     * @param proxies the addresses of trusted proxies
     * @param usesTls true if connections may be secured by TLS
     * @param acceptsLater true if nothing is accepted before {@link Server#startAccepting}
     */
    record Settings(Network network, List<InetSocketAddress> addresses, List<TcpListener> passed, List<Protocol> protocols,
            Profile profile, int loops, int backlog, SocketFile socketFile, ListenOptions listenOptions, AccessList access,
            List<Cidr> proxies, @Nullable HostLookup lookup,
            boolean usesTls, boolean acceptsLater) {
        Limits limits() {
            return profile.limits();
        }
    }

    /**
     * Creates and prepares the loops, listens, and starts the threads of the loops.
     *
     * @param settings the builder's settings
     * @param started true if the loops turn on threads of their own
     * @throws UnusableEngineException the loops cannot be set up; nothing listens
     * @throws IOException the server cannot listen
     */
    Server(Settings settings, boolean started) throws IOException, UnusableEngineException {
        this.settings = settings;
        Network network = settings.network();
        Limits limits = settings.limits();
        log = new Log(network);
        budget = new Budget(DirectMemory.grantedBudgetBytes(limits.queueBudgetBytes()));
        sharedBuffers = new SharedBuffers(budget.bytesMax());
        if (budget.bytesMax() < limits.queueBudgetBytes() && limits.queueBudgetBytes() != Long.MAX_VALUE) {
            log.budgetLowered(limits.queueBudgetBytes(), budget.bytesMax(), DirectMemory.limitBytes());
        }
        loops = new LoopGroup(log);
        HostLookup given = settings.lookup();
        lookup = given != null ? given : network.turnsLoops() ? HostLookup.refusing(network.name()) : HostLookup.ofSystem();
        profiles = settings.protocols().stream().map(protocol -> protocol.profile(settings.profile())).toList();
        acceptor = new Acceptor(loops, network, limits, settings.access(), settings.proxies(), listeners,
                ClientOptions.ofConnections(network, profiles, settings.addresses().size()), settings.backlog(), log);
        Watchdog watchdog = started && !limits.handlerTimeout().isZero()
                ? new Watchdog(log, network.clock(), limits.handlerTimeout())
                : null;
        LoopThreads starting = null;
        try {
            for (int i = 0; i < settings.loops(); i++) {
                addLoop(i, started, watchdog);
            }
            starting = started ? new LoopThreads(loops, watchdog) : null;
            prepare(starting);
            for (InetSocketAddress address : settings.addresses()) { // only now: no client finds a server that cannot serve
                TcpListener listener = ListenerOpening.open(network, address, settings.addresses(), settings.socketFile(),
                        ClientOptions.ofListener(settings.listenOptions(), network, profiles.get(listeners.size())),
                        settings.backlog());
                listeners.add(listener);
                addresses.add(listener.localAddress());
            }
            for (TcpListener listener : settings.passed()) {
                listeners.add(listener);
                addresses.add(listener.localAddress());
            }
            if (settings.acceptsLater()) {
                acceptor.prepare();
            } else {
                acceptor.start();
            }
        } catch (IOException | RuntimeException | Error | UnusableEngineException e) {
            acceptor.end();
            if (starting != null) {
                starting.abandon();
            }
            loops.shutDown();
            throw e;
        }
        threads = starting;
        if (starting != null) {
            starting.start();
        }
    }

    /** Makes each loop able to wait: on its thread, or, of an opened server, on this one. */
    private void prepare(@Nullable LoopThreads starting) throws UnusableEngineException {
        try {
            if (starting != null) {
                starting.prepare();
            } else {
                for (EventLoop loop : loops.all()) {
                    loop.prepare();
                }
            }
        } catch (IOException e) {
            throw new UnusableEngineException(e);
        }
    }

    private void addLoop(int index, boolean started, @Nullable Watchdog watchdog) throws UnusableEngineException {
        Network network = settings.network();
        Proactor proactor;
        try {
            Proactor plain = network.proactor();
            proactor = settings.usesTls() ? new TlsProactor(plain, network.clock()) : plain;
        } catch (IOException e) {
            throw new UnusableEngineException(e);
        }
        EventLoop loop = new EventLoop(index,
                new EventLoop.Setup(proactor, network.clock(), budget, sharedBuffers, settings.loops(), log,
                        acceptor, !started && settings.loops() > 1, lookup, watchdog == null ? () -> {} : watchdog::wake,
                        calls -> Contexts.ofListeners(this, calls, settings.protocols(), profiles)));
        loops.add(loop);
        sessionThreads.add(SessionThreads.of(network, loop.mailbox()));
        network.attach(loops.attachable(loop));
        if (watchdog != null) {
            watchdog.watch(loop.activity(), loop.mailbox());
        }
    }

    /**
     * Returns a builder of a server.
     *
     * @return a builder. By default it makes a server with one loop on this system's network, with raw framing and
     *     {@link Limits#defaults}, with no address to listen at
     */
    public static ServerBuilder builder() {
        return new ServerBuilder();
    }

    /**
     * Turns the loop of an opened server once: waits for something to do, does it, and returns. One thread turns it. It may be a
     * virtual one, which pins its carrier while it waits. When that thread has ended, another one may turn the loop. Before a
     * thread ends, it should turn with {@link Duration#ZERO} until the result is 0. Otherwise a ring may hold results that only
     * that thread can read.
     *
     * @param timeout the longest wait; null: no limit; zero: does not wait
     * @return how much was done; 0: the timeout expired and nothing was done
     * @throws IllegalStateException the server was started, so its loops turn by themselves; it has several loops, which its
     *     network turns; it is closed; another thread that is still alive has turned it; or the caller is a handler, within a
     *     turn
     * @throws IllegalArgumentException the timeout is negative
     * @throws IOException the loop cannot continue; the server is closed
     */
    public int turn(@Nullable Duration timeout) throws IOException {
        if (threads != null) {
            throw new IllegalStateException("a started server turns its loops itself");
        }
        if (loops.isClosed()) {
            throw new IllegalStateException("the server is closed");
        }
        if (loops.all().size() > 1) {
            throw new IllegalStateException("the network turns the loops of this server");
        }
        if (timeout != null && timeout.isNegative()) {
            throw new IllegalArgumentException("the timeout must not be negative: " + timeout);
        }
        try {
            return loops.turn(loops.first(), timeout == null ? -1 : Limits.nanos(timeout));
        } finally {
            if (loops.first().hasEnded()) { // it has drained, or a handler has closed the server
                loops.close();
            }
        }
    }

    /**
     * Returns the network that the server runs on. If its builder named none, this is {@link Network#system}, or, if that
     * one cannot serve as many loops here, its {@linkplain Network#fallback fallback}.
     *
     * @return the network
     */
    public Network network() {
        return settings.network();
    }

    /**
     * Returns the first address at which the server listens.
     *
     * @return the address, with the port that the kernel chose if port 0 was requested; it may stand for a {@link UnixAddress}
     * @throws IllegalStateException the server listens nowhere
     */
    public InetSocketAddress address() {
        if (addresses.isEmpty()) {
            throw new IllegalStateException("the server listens nowhere");
        }
        return addresses.getFirst();
    }

    /**
     * Returns all addresses at which the server listens.
     *
     * @return the addresses, in the order in which the builder was given them
     */
    public List<InetSocketAddress> addresses() {
        return List.copyOf(addresses);
    }

    /**
     * Starts to connect, like {@link #connect(InetSocketAddress, Handler, Object, Duration)}, with no attachment and with
     * {@link Limits#connectTimeout}.
     *
     * @param address the address to connect to
     * @param handler the connection's handler
     * @return the connection. With several loops, its callbacks may run before this method returns. If they need an attachment,
     *     use {@link #connect(InetSocketAddress, Handler, Object)}
     * @throws RejectedExecutionException the server is closed or draining, or a million tasks are waiting
     */
    public Connection connect(InetSocketAddress address, Handler handler) {
        return connect(address, handler, null, null);
    }

    /**
     * Starts to connect, like {@link #connect(InetSocketAddress, Handler, Object, Duration)}, with {@link Limits#connectTimeout}.
     *
     * @param address the address to connect to
     * @param handler the connection's handler
     * @param attachment the connection's {@linkplain Connection#attachment() attachment} from the start, or null
     * @return the connection
     * @throws RejectedExecutionException the server is closed or draining, or a million tasks are waiting
     */
    public Connection connect(InetSocketAddress address, Handler handler, @Nullable Object attachment) {
        return connect(address, handler, attachment, null);
    }

    /**
     * Starts to connect, like {@link #connect(InetSocketAddress, Handler, Object, Duration)}, with no attachment. To attach a
     * Duration, call that method.
     *
     * @param address the address to connect to
     * @param handler the connection's handler
     * @param timeout how long the connect may take; zero: no limit; null: {@link Limits#connectTimeout}
     * @return the connection
     * @throws IllegalArgumentException the timeout is negative
     * @throws RejectedExecutionException the server is closed or draining, or a million tasks are waiting
     */
    public Connection connect(InetSocketAddress address, Handler handler, @Nullable Duration timeout) {
        return connect(address, handler, null, timeout);
    }

    /**
     * Starts to connect, on the loop that has the fewest connections; {@link Connection#connect} does so on the loop of a
     * connection. The connection uses the framing, limits and overflow policy
     * of the server; {@link #connect(InetSocketAddress, Protocol, Object)} sets others.
     *
     * <p>An {@linkplain InetSocketAddress#createUnresolved unresolved} address is a host name. It is looked up on a separate
     * thread, because the system's resolver blocks. If the name has several addresses, they are tried as in RFC 8305, alternating
     * between the address families. The next address is tried when one has failed or has not answered within 250 ms, or within
     * its share of a shorter timeout. The first connection that is established is used. If there is none,
     * {@link Connection#failure} names each address with its reason.
     *
     * @param address the address to connect to, resolved or not, or one that stands for a {@link UnixAddress}. A simulated network
     *     has no host names
     * @param handler the connection's handler. onOpen is called when it is connected. If it cannot be connected, only onClose is
     *     called, and {@link Connection#failure} returns the error. For an unknown name that is an
     *     {@link java.net.UnknownHostException}. ECONNREFUSED also means that TCP has connected the socket to itself
     * @param attachment the connection's {@linkplain Connection#attachment() attachment}, set before any callback; or null
     * @param timeout how long the lookup of the name and the connect may take together; zero: no limit; null:
     *     {@link Limits#connectTimeout}
     * @return the connection; messages sent before it is connected wait in its queue
     * @throws IllegalArgumentException the timeout is negative
     * @throws RejectedExecutionException the server is closed or draining, which also ends the attempts of a handler that
     *     reconnects; or a million tasks are waiting
     */
    public Connection connect(InetSocketAddress address, Handler handler, @Nullable Object attachment,
            @Nullable Duration timeout) {
        if (timeout != null && timeout.isNegative()) {
            throw new IllegalArgumentException("the timeout must not be negative: " + timeout);
        }
        Profile profile = settings.profile();
        return connect(loops.leastLoaded(), address, Protocol.of(profile.framing(), handler), profile, attachment, timeout);
    }

    /**
     * Starts to connect with a protocol of its own, otherwise like {@link #connect(InetSocketAddress, Handler, Object,
     * Duration)}. The protocol's {@link Limits#connectTimeout} is used.
     *
     * @param address the address to connect to
     * @param protocol the framing, the handler, and the settings that differ from the server's
     * @param attachment the connection's {@linkplain Connection#attachment() attachment} from the start, or null
     * @return the connection
     * @throws IllegalStateException DROP_OLDEST with raw framing; or TLS on a server that has neither a listener with TLS nor {@link
     *     ServerBuilder#enableTls}
     * @throws UnsupportedOperationException urgent data on a network that cannot watch for it, or with TLS
     * @throws RejectedExecutionException the server is closed or draining, or a million tasks are waiting
     */
    public Connection connect(InetSocketAddress address, Protocol protocol, @Nullable Object attachment) {
        return connect(loops.leastLoaded(), address, protocol, outgoing(protocol, address), attachment, null);
    }

    /**
     * Starts to connect to a Unix domain socket with a protocol of its own, otherwise like
     * {@link #connect(InetSocketAddress, Protocol, Object)}. TLS needs {@link TlsClient#withServerName}.
     *
     * @param address the address
     * @param protocol the framing, the handler, and the settings that differ from the server's
     * @param attachment the connection's {@linkplain Connection#attachment() attachment} from the start, or null
     * @return the connection
     */
    public Connection connect(UnixAddress address, Protocol protocol, @Nullable Object attachment) {
        return connect(address.asInetSocketAddress(), protocol, attachment);
    }

    /** Starts to connect on a loop. */
    Connection connectOn(int loop, InetSocketAddress address, Protocol protocol, @Nullable Object attachment) {
        return connect(loops.all().get(loop), address, protocol, outgoing(protocol, address), attachment, null);
    }

    /** Returns the profile of an outgoing connection. With TLS, the server's name is that of its address, unless another one is set. */
    private Profile outgoing(Protocol protocol, InetSocketAddress address) {
        Profile profile = protocol.profile(settings.profile());
        if (profile.tls() == null) {
            return profile;
        }
        if (!settings.usesTls()) {
            throw new IllegalStateException("the server was built without TLS: call enableTls() on its builder");
        }
        if (!(profile.tls() instanceof TlsClient client)) {
            throw new IllegalStateException("an outgoing connection needs a TlsClient, not a TlsServer");
        }
        if (client.serverName() != null) {
            return profile;
        }
        if (UnixAddress.isUnix(address)) {
            throw new IllegalStateException(
                    "TLS to " + address.getHostString() + " needs TlsClient.withServerName: a Unix address has no name");
        }
        return profile.with(client.withServerName(address.getHostString()));
    }

    private Connection connect(EventLoop loop, InetSocketAddress address, Protocol protocol, Profile profile,
            @Nullable Object attachment, @Nullable Duration timeout) {
        Objects.requireNonNull(address, "address");
        ServerBuilder.check(profile, settings.network());
        if (draining) {
            throw new RejectedExecutionException("the server is draining");
        }
        Connection connection = new Connection(new Contexts(this, loop.calls(), protocol, profile).next(), address);
        connection.attachment(attachment);
        loop.connect(connection, address, timeout == null ? profile.limits().connectTimeout() : timeout);
        return connection;
    }

    /**
     * Sends one message to every connection of this moment, accepted or made, in the frame of its own framing. The message is held
     * once for all connections of one framing. If it does not fit into a connection's queue, the {@link Overflow} policy decides.
     * If it does not fit into the frame of an outgoing connection's own protocol, that connection is closed with {@link
     * io.trivet.observe.CloseReason#PROTOCOL_ERROR}.
     *
     * @param message the message, without its frame; copied at once, its position moves to its limit
     * @throws IllegalArgumentException the frame of the server's framing, or of a listener's, cannot hold a message of that length
     * @throws RejectedExecutionException from another thread: a loop has two million tasks waiting
     */
    public void broadcast(ByteBuffer message) {
        // What most connections need: the frame of the first listener.
        FrameWriter first = (profiles.isEmpty() ? settings.profile() : profiles.getFirst()).writer();
        profiles.forEach(profile -> profile.writer().frameLength(message.remaining()));
        Broadcast shared = new Broadcast(budget, sharedBuffers, first, message);
        try {
            loops.all().forEach(loop -> loop.broadcast(shared));
        } finally {
            shared.release();
        }
    }

    /**
     * Sends one message to several connections of this server, otherwise like {@link #broadcast(ByteBuffer)}. The message is held
     * once for all connections of one framing. A connection that is closed, or belongs to another server, gets nothing.
     *
     * @param message the message, without its frame; copied at once, its position moves to its limit
     * @param connections the receivers. They are copied if another thread's loop serves some of them; a connection that occurs
     *     twice gets the message twice
     * @throws IllegalArgumentException the frame of the server's framing, or of a listener's, cannot hold a message of that length
     * @throws RejectedExecutionException from another thread: a loop has two million tasks waiting
     */
    public void broadcast(ByteBuffer message, Collection<Connection> connections) {
        FrameWriter first = (profiles.isEmpty() ? settings.profile() : profiles.getFirst()).writer();
        profiles.forEach(profile -> profile.writer().frameLength(message.remaining()));
        Broadcast shared = new Broadcast(budget, sharedBuffers, first, message);
        try {
            Connection[] copied = connections.toArray(Connection[]::new); // a callback may change the collection meanwhile
            for (EventLoop loop : loops.all()) {
                Connection[] served = servedBy(loop, copied);
                if (served.length > 0) {
                    loop.broadcast(shared, served);
                }
            }
        } finally {
            shared.release();
        }
    }

    /** Returns the connections that a loop serves: usually the same array. */
    private Connection[] servedBy(EventLoop loop, Connection[] connections) {
        int count = 0;
        for (Connection connection : connections) {
            count += isServedBy(loop, connection) ? 1 : 0;
        }
        if (count == connections.length) {
            return connections;
        }
        Connection[] served = new Connection[count];
        int next = 0;
        for (Connection connection : connections) {
            if (isServedBy(loop, connection)) {
                served[next++] = connection;
            }
        }
        return served;
    }

    private boolean isServedBy(EventLoop loop, Connection connection) {
        return connection.server() == this && connection.loop() == loop.index();
    }

    /**
     * Runs a task that belongs to no connection on the server's first loop, soon. The loop of an opened server runs it in
     * {@link #turn}.
     *
     * @param task the task; an exception is logged
     * @throws RejectedExecutionException the server is closed, its first loop has drained, or a million tasks are waiting
     */
    public void execute(Runnable task) {
        checkOpen();
        loops.first().execute(Objects.requireNonNull(task, "task"));
    }

    /**
     * Runs a task that belongs to no connection on the server's first loop after some time, unless it is cancelled or the server
     * is closed by then. A {@link #drain} does not wait for scheduled tasks. The loop of an opened server runs the task in
     * {@link #turn}.
     *
     * @param delay how long to wait; a negative delay counts as zero
     * @param task the task; an exception is logged
     * @return the scheduled task, which can be cancelled
     * @throws RejectedExecutionException the server is closed, or its first loop has drained; a million tasks are scheduled; or,
     *     from another thread, two million tasks are waiting
     */
    public ScheduledTask schedule(Duration delay, Runnable task) {
        checkOpen();
        return loops.first().schedule(delay, task);
    }

    private void checkOpen() {
        if (loops.isClosed()) {
            throw new RejectedExecutionException("the server is closed");
        }
    }

    /**
     * Returns a snapshot of every connection. No loop is stopped for it: ten calls a second cost next to nothing with 10,000
     * connections.
     *
     * @return the snapshots
     */
    public List<ConnectionSnapshot> connections() {
        List<ConnectionSnapshot> snapshots = new ArrayList<>();
        for (EventLoop loop : loops.all()) {
            loop.forEachOpen(connection -> snapshots.add(((Connection) connection).snapshot()));
        }
        return snapshots;
    }

    /**
     * Returns the current values of the counters.
     *
     * @return the counters of each loop, and their sums
     */
    public ServerStats stats() {
        List<LoopStats> each = loops.all().stream().map(EventLoop::stats).toList();
        LoopStats total = each.stream().reduce(LoopStats::plus).orElseThrow();
        MemoryStats memory = loops.all().stream().map(EventLoop::memory).reduce(MemoryStats::plus).orElseThrow();
        return new ServerStats(total, each, budget.bytes(), budget.bytesMax(),
                memory.plus(new MemoryStats(0, 0, budget.sharedBytes(), 0, sharedBuffers.spareBytes(), 0)), closedByReason());
    }

    private Map<CloseReason, Long> closedByReason() {
        Map<CloseReason, Long> closed = new EnumMap<>(CloseReason.class);
        loops.all().forEach(loop -> loop.addClosedTo(closed));
        return Collections.unmodifiableMap(closed);
    }

    /**
     * Returns an open connection.
     *
     * @param id its {@linkplain Connection#id() id}, for instance that of a snapshot
     * @return the connection, or null if there is none with that id, or it is closed
     */
    public @Nullable Connection connection(long id) {
        int loop = LoopTrace.loopOf(id);
        return loop < loops.all().size() ? (Connection) loops.all().get(loop).connection(LoopTrace.handleOf(id)) : null;
    }

    /**
     * Returns the ends of the last connections that were closed, up to 128 of each loop.
     *
     * @return the ends, the newest first
     */
    public List<ClosedConnection> recentlyClosed() {
        return loops.all().stream().flatMap(loop -> loop.recentlyClosed().stream())
                .sorted(Comparator.comparing(ClosedConnection::sinceClosed)).toList();
    }

    /**
     * Returns a snapshot of every listening socket.
     *
     * @return the snapshots, in the order of {@link #addresses}
     */
    public List<ListenerSnapshot> listeners() {
        ListenerSnapshot.State state = acceptor.state();
        return addresses.stream().map(address -> new ListenerSnapshot(address, state)).toList();
    }

    /**
     * Attaches an observer to the turns of all loops, or detaches it. Without one, observation costs next to nothing. An observer that is
     * attached to an opened server before its first turn sees everything, and does not change a run on a simulated network.
     *
     * @param observer the only observer from now on; each loop calls it soon, also if nothing happens. Null: none. A call of the one before
     *     may still be running when this method returns
     */
    public void observe(@Nullable LoopObserver observer) {
        loops.all().forEach(loop -> loop.observer(observer));
    }

    /**
     * Returns the limits of connections that set none of their own.
     *
     * @return the limits of the builder
     */
    public Limits limits() {
        return settings.limits();
    }

    /**
     * Returns what happens to a connection whose queue is full, unless its protocol has another policy.
     *
     * @return the policy of the builder
     */
    public Overflow overflow() {
        return settings.profile().overflow();
    }

    /**
     * Starts to shut down gracefully, and returns. Nothing more is accepted or connected, and messages are neither accepted for
     * sending nor delivered. Messages that wait for a peer are sent, and each peer's input is read to its end. The server is
     * closed when all connections are closed or the timeout expires. A second call changes the timeout.
     *
     * @param timeout the maximum time; zero or less: only what can be done at once
     * @throws RejectedExecutionException from another thread: a loop has two million tasks waiting
     */
    public void drain(Duration timeout) {
        draining = true;
        drainDeadlineNanos = Deadline.after(settings.network().clock().nanoTime(), Limits.nanos(timeout));
        // No loop ends before this is done: connections that wait in the backlog may be on their way to it.
        loops.first().mailbox().runInTurn(acceptor::drain);
        for (EventLoop loop : loops.all()) {
            // Each loop reads the latest deadline: two calls may reach two loops in different orders.
            loop.drain(() -> drainDeadlineNanos);
        }
    }

    /**
     * Returns true if the server is closed: by {@link #close}, at the end of a {@link #drain}, or because a loop could not
     * continue.
     *
     * @return true once {@link #close} was called, or when nothing more happens
     */
    public boolean isClosed() {
        return loops.isClosed() || loops.haveEnded();
    }

    /**
     * Waits until a started server is closed. {@link #failure} returns the cause, if a loop could not continue. Returns at once
     * for an opened server.
     *
     * @throws InterruptedException the thread was interrupted; the server continues
     */
    public void join() throws InterruptedException {
        if (threads != null) {
            threads.join();
        }
    }

    /**
     * Returns why a started server has closed by itself. An opened server throws it from {@link #turn}.
     *
     * @return the {@link Error} of a handler, or an IOException if the kernel refused to wait; null if no loop has failed
     */
    public @Nullable Throwable failure() {
        return threads == null ? null : threads.failure();
    }

    /**
     * Closes everything at once: what waits is dropped, and every handler's onClose is called. Waits for the loops of a started
     * server; for an opened server, waits until a turn on another thread is over. From a handler it returns at once, and the
     * server closes at the end of the turn. A second call does nothing.
     */
    @Override
    public void close() {
        loops.close();
        if (threads == null) {
            if (loops.isTurnedByThisThread()) {
                loops.stop();
            } else {
                loops.shutDown();
            }
            return;
        }
        loops.stop();
        if (!loops.isOwnedByThisThread()) {
            threads.joinUninterruptibly();
        }
    }

    void checkUrgent() {
        if (!settings.network().supports(Capability.URGENT_DATA)) {
            throw new UnsupportedOperationException("the network " + settings.network().name() + " cannot send urgent data");
        }
    }

    List<EventLoop> loops() {
        return loops.all();
    }

    /** For tests: returns the log. */
    Budget budget() {
        return budget;
    }

    boolean isDraining() {
        return draining;
    }

    /** Returns the listeners, in the order of their addresses. */
    List<TcpListener> listenerSockets() {
        return List.copyOf(listeners);
    }

    /**
     * Stops accepting, and leaves the listeners to another process that has copies of their descriptors. Waits until the first loop has
     * done that. If the wait ends before the loop has begun, the loop will not do it.
     *
     * @param check called on the thread of the loop directly before that; if it throws, the server continues to accept
     * @return the indices of the listeners whose files the other process should own; null if the time has passed, or the thread was
     *     interrupted, whose interrupt status is then set
     * @throws RejectedExecutionException the server is closed or draining
     * @throws IOException thrown by the check
     */
    @Nullable
    List<Integer> leaveListeners(LeaveCheck check, Duration timeout) throws IOException {
        checkOpen();
        if (draining) {
            throw new RejectedExecutionException("the server is draining");
        }
        AtomicBoolean decided = new AtomicBoolean();
        Semaphore done = new Semaphore(0);
        AtomicReference<List<Integer>> left = new AtomicReference<>(List.of()); // also if leaving fails, which ends the loop
        AtomicReference<@Nullable IOException> refusal = new AtomicReference<>();
        loops.first().mailbox().runInTurn(() -> {
            if (decided.compareAndSet(false, true)) {
                try {
                    check.run();
                    left.set(acceptor.leave());
                } catch (IOException e) {
                    refusal.set(e);
                } finally {
                    done.release();
                }
            }
        });
        boolean isDone = false;
        try {
            isDone = done.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!isDone) {
            if (decided.compareAndSet(false, true)) {
                return null;
            }
            done.acquireUninterruptibly(); // the loop has begun: a few system calls
        }
        IOException refused = refusal.get();
        if (refused != null) {
            throw refused;
        }
        return left.get();
    }

    /** Checks, directly before a server stops accepting, that another one still wants to take over. */
    interface LeaveCheck {
        void run() throws IOException;
    }

    /**
     * Another server is about to leave its listeners to this one. Until {@link #startAccepting} or {@link #cancelTakeover}, a drain does not
     * drop the clients that wait. Any thread.
     *
     * @return false if this server is closed or draining, and cannot serve them
     */
    boolean beginTakeover() {
        acceptor.beginTakeover(); // first: a drain that is not seen here sees this
        return !draining && !isClosed();
    }

    /** The other server continues. Any thread. */
    void cancelTakeover() {
        loops.first().mailbox().runAlways(acceptor::cancelTakeover);
    }

    /**
     * Starts to accept, if the server does not yet. If a drain has begun since {@link #beginTakeover}, accepts the clients that wait, which
     * are then drained. Any thread.
     *
     * @return false if the server is closed
     */
    boolean startAccepting() {
        return loops.first().mailbox().runAlways(acceptor::takeOver);
    }

    /** Returns the threads for the sessions of a loop. */
    SessionThreads sessionThreads(int loop) {
        return sessionThreads.get(loop);
    }

    Log log() {
        return log;
    }
}
