package io.trivet.server;

import io.trivet.net.Capability;
import io.trivet.net.Cidr;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.SocketFile;
import io.trivet.net.TcpListener;
import io.trivet.net.UnixAddress;
import io.trivet.tls.TlsClient;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Builds a {@link Server}. Not thread-safe. */
public final class ServerBuilder {
    private @Nullable Network network;
    private final List<InetSocketAddress> addresses = new ArrayList<>();
    /** The protocol of each address; null: the server's. */
    private final List<@Nullable Protocol> protocols = new ArrayList<>();
    private final List<TcpListener> passed = new ArrayList<>();
    private boolean acceptsLater;
    /** The protocol of each passed listener; null: the server's. */
    private final List<@Nullable Protocol> passedProtocols = new ArrayList<>();
    private Framing framing = Framing.raw();
    private @Nullable Handler handler;
    private @Nullable Supplier<? extends Handler> handlers;
    private Limits limits = Limits.defaults();
    private Overflow overflow = Overflow.PAUSE_READING;
    private int loops = 1;
    private int backlog = 4096;
    private SocketFile socketFile = SocketFile.defaults();
    private ListenOptions listenOptions = ListenOptions.none();
    private AccessList access = AccessList.all();
    private List<Cidr> proxies = List.of();
    private boolean urgent;
    private @Nullable TlsServer tls;
    private boolean tlsEnabled;
    private @Nullable HostLookup lookup;

    ServerBuilder() {}

    /**
     * Adds an address to listen at. The IPv6 wildcard, {@code ::}, also accepts IPv4, unless an IPv4 address with the same port
     * is added too.
     *
     * @param address the address and port; port 0: the kernel chooses. It must be resolved, as by {@code new
     *     InetSocketAddress(name, port)}: {@link #start} fails with an {@link java.net.UnknownHostException} otherwise
     * @return this builder
     */
    public ServerBuilder listen(InetSocketAddress address) {
        addresses.add(Objects.requireNonNull(address, "address"));
        protocols.add(null);
        return this;
    }

    /**
     * Adds an address to listen at with a protocol of its own: its clients are served with that framing and handler, not with
     * those of this builder.
     *
     * @param address the address and port, as for {@link #listen(InetSocketAddress)}
     * @param protocol the framing, the handler, and the settings that differ from the server's
     * @return this builder
     */
    public ServerBuilder listen(InetSocketAddress address, Protocol protocol) {
        Objects.requireNonNull(protocol, "protocol");
        addresses.add(Objects.requireNonNull(address, "address"));
        protocols.add(protocol);
        return this;
    }

    /**
     * Adds a Unix domain socket to listen at, see {@link Network#listen(UnixAddress, SocketFile, int)}. For its connections:
     *
     * <ul>
     *   <li>{@link Connection#remoteAddress} stands for the peer's Unix address, which is usually {@linkplain UnixAddress#unnamed
     *       unnamed}, and {@code connection.getOption(UnixOptions.PEER_CREDENTIALS)} returns its process and user;
     *   <li>the access list, the limit per address and {@link #proxyProtocol}, which are about IP addresses, do not apply. The file's
     *       permissions decide who may connect ({@link #socketFile}), and {@link Limits#connectionsMax} counts the connections;
     *   <li>there is no urgent data, no keep-alive and no reset: see {@link io.trivet.net.UnixStream}.
     * </ul>
     *
     * @param address a path, or an abstract name on Linux
     * @return this builder
     */
    public ServerBuilder listen(UnixAddress address) {
        return listen(address.asInetSocketAddress());
    }

    /**
     * Adds a Unix domain socket to listen at with a protocol of its own.
     *
     * @param address the address, as for {@link #listen(UnixAddress)}
     * @param protocol the framing, the handler, and the settings that differ from the server's
     * @return this builder
     */
    public ServerBuilder listen(UnixAddress address, Protocol protocol) {
        return listen(address.asInetSocketAddress(), protocol);
    }

    /**
     * Sets options of this server's listeners with an IP address that are set before they are bound, such as SO_REUSEPORT or SO_RCVBUF.
     *
     * @param options the options; the default is {@link ListenOptions#none}. If the network cannot set one, {@link #start} fails with an
     *     {@link UnsupportedOperationException}
     * @return this builder
     */
    public ServerBuilder listenOptions(ListenOptions options) {
        listenOptions = Objects.requireNonNull(options, "options");
        return this;
    }

    /**
     * Sets the mode and owner of the files of this server's Unix domain sockets.
     *
     * @param file the mode and owner; the default is {@link SocketFile#defaults}. Linux only: on other networks {@link #start} fails with
     *     an {@link UnsupportedOperationException}, if the server listens at a Unix domain socket
     * @return this builder
     */
    public ServerBuilder socketFile(SocketFile file) {
        socketFile = Objects.requireNonNull(file, "file");
        return this;
    }

    /**
     * Adds the listeners that a handover has taken over, in the order of the old server's addresses. The server accepts from the time at
     * which {@link Handover#complete} has returned. Until then, the old one does, and clients that wait are left to it if this server
     * fails.
     *
     * @param handover the handover; nothing is added if it has taken over no listener
     * @return this builder
     */
    public ServerBuilder listen(Handover handover) {
        handover.listeners().forEach(this::listen);
        acceptsLater |= handover.isTaken();
        return this;
    }

    /**
     * Adds a listener that was opened elsewhere, for instance by a service manager ({@link io.trivet.net.Supervisor#listeners}).
     * A server that has started owns the listener, and closes it when it drains or closes. Other processes may share the socket.
     * Then clients that connect later wait until one of them accepts.
     *
     * @param listener the listener, of the same {@linkplain Network#family family} as the server's network; {@link #start} fails with
     *     an {@link IllegalArgumentException} otherwise
     * @return this builder
     */
    public ServerBuilder listen(TcpListener listener) {
        passed.add(Objects.requireNonNull(listener, "listener"));
        passedProtocols.add(null);
        return this;
    }

    /**
     * Adds a listener that was opened elsewhere, with a protocol of its own.
     *
     * @param listener the listener, as for {@link #listen(TcpListener)}
     * @param protocol the framing, the handler, and the settings that differ from the server's
     * @return this builder
     */
    public ServerBuilder listen(TcpListener listener, Protocol protocol) {
        Objects.requireNonNull(protocol, "protocol");
        passed.add(Objects.requireNonNull(listener, "listener"));
        passedProtocols.add(protocol);
        return this;
    }

    /**
     * Sets where messages end.
     *
     * @param framing the framing; the default is {@link Framing#raw}
     * @return this builder
     */
    public ServerBuilder framing(Framing framing) {
        this.framing = Objects.requireNonNull(framing, "framing");
        return this;
    }

    /**
     * Sets the handler of accepted connections. One handler serves them all; this replaces {@link #handlers}.
     *
     * @param handler the handler
     * @return this builder
     */
    public ServerBuilder handler(Handler handler) {
        this.handler = Objects.requireNonNull(handler, "handler");
        handlers = null;
        return this;
    }

    /**
     * Sets a factory of handlers: each accepted connection gets a handler object of its own, so its state can be in the fields of
     * the handler. This replaces {@link #handler}.
     *
     * @param handlers makes the handler of each accepted connection, on the thread of its loop, before {@code onOpen}. If it
     *     throws or returns null, that connection alone is closed with {@link io.trivet.observe.CloseReason#HANDLER_FAILED}, and
     *     the cause is logged
     * @return this builder
     */
    public ServerBuilder handlers(Supplier<? extends Handler> handlers) {
        this.handlers = Objects.requireNonNull(handlers, "handlers");
        handler = null;
        return this;
    }

    /**
     * Sets straight-line code that serves each accepted connection on a virtual thread of its own. This replaces {@link #handler}
     * and {@link #handlers}.
     *
     * @param handler the code, which runs once for each connection
     * @return this builder
     */
    public ServerBuilder session(SessionHandler handler) {
        Objects.requireNonNull(handler, "handler");
        return handlers(() -> new SessionCallbacks(handler));
    }

    /**
     * Sets a handler that handles only messages, for instance a lambda.
     *
     * @param handler called for each message
     * @return this builder
     */
    public ServerBuilder onMessage(Handler handler) {
        return handler(handler);
    }

    /**
     * Sets the network.
     *
     * @param network the network; the default is {@link Network#system}, or its {@linkplain Network#fallback fallback} if that
     *     one cannot serve all loops here
     * @return this builder
     */
    public ServerBuilder network(Network network) {
        this.network = Objects.requireNonNull(network, "network");
        return this;
    }

    /**
     * Sets the number of loops. Each turns on a thread of its own; a simulated network turns them itself, one after the other.
     *
     * @param loops from 1 to 127; the default is 1
     * @return this builder
     * @throws IllegalArgumentException the number is out of that range
     */
    public ServerBuilder loops(int loops) {
        if (loops < 1 || loops > 127) {
            throw new IllegalArgumentException("a server has 1 to 127 loops, not " + loops);
        }
        this.loops = loops;
        return this;
    }

    /**
     * Sets the limits.
     *
     * @param limits the limits; the default is {@link Limits#defaults}
     * @return this builder
     */
    public ServerBuilder limits(Limits limits) {
        this.limits = Objects.requireNonNull(limits, "limits");
        return this;
    }

    /**
     * Sets what happens when more is sent to a peer than it reads.
     *
     * @param overflow the policy; the default is {@link Overflow#PAUSE_READING}
     * @return this builder
     */
    public ServerBuilder overflow(Overflow overflow) {
        this.overflow = Objects.requireNonNull(overflow, "overflow");
        return this;
    }

    /**
     * Sets whether TCP's urgent data is watched for. If it is not, the kernel drops the byte, or moves it behind the ordinary
     * ones.
     *
     * @param urgent true to have {@link Handler#onUrgent} called; the default is false
     * @return this builder
     */
    public ServerBuilder urgent(boolean urgent) {
        this.urgent = urgent;
        return this;
    }

    /**
     * Sets TLS for the listeners that have no protocol of their own.
     *
     * @param tls the settings, with the server's certificate
     * @return this builder
     */
    public ServerBuilder tls(TlsServer tls) {
        this.tls = Objects.requireNonNull(tls, "tls");
        return this;
    }

    /**
     * Prepares the server for outgoing connections with TLS ({@link Protocol#withTls}) and for {@link Connection#startTls}. Not needed
     * if a listener has TLS.
     *
     * @return this builder
     */
    public ServerBuilder enableTls() {
        tlsEnabled = true;
        return this;
    }

    /**
     * Sets which addresses may connect. A connection from another address is reset as soon as it is accepted: no handler is called,
     * and it does not count in the limits. {@link io.trivet.observe.LoopStats#refused} counts it, and the log has a line at DEBUG
     * (at most one a second).
     *
     * @param access the list; the default is {@link AccessList#all}
     * @return this builder
     */
    public ServerBuilder access(AccessList access) {
        this.access = Objects.requireNonNull(access, "access");
        return this;
    }

    /**
     * Sets the proxies that are trusted to send a header of the PROXY protocol, version 1 or 2, such as HAProxy with {@code
     * send-proxy-v2}. Then {@link Connection#remoteAddress} returns the client's address from the header, and the access list and
     * the limit per address apply to it. A connection with the command LOCAL, such as a health check, is exempt from the access
     * list. If a header has no TCP address (UNKNOWN, UNSPEC, UNIX, UDP), the proxy's own address is used.
     *
     * <p>A connection from such an address must start with a header, of at most 4,096 bytes and within 5 s. Otherwise it is
     * closed with {@link io.trivet.observe.CloseReason#PROTOCOL_ERROR}, and only {@code onClose} is called. All other connections
     * are served as plain clients. If one of them sends a header, that is ordinary input, so no client can forge an address.
     *
     * @param proxies the addresses of the proxies; none, as by default: no connection starts with a header
     * @return this builder
     */
    public ServerBuilder proxyProtocol(Cidr... proxies) {
        this.proxies = List.of(proxies);
        return this;
    }

    /**
     * Sets how many connections may wait to be accepted.
     *
     * @param backlog at least 1; the default is 4,096; the kernel caps it (net.core.somaxconn)
     * @return this builder
     * @throws IllegalArgumentException the number is less than 1
     */
    public ServerBuilder backlog(int backlog) {
        if (backlog < 1) {
            throw new IllegalArgumentException("backlog must be at least 1, was " + backlog);
        }
        this.backlog = backlog;
        return this;
    }

    /**
     * Opens the server and starts its threads. When this method returns, every loop can serve.
     *
     * @return the server, which accepts
     * @throws IllegalStateException the server listens and has no handler; or DROP_OLDEST with raw framing
     * @throws UnsupportedOperationException urgent data on a network that cannot watch for it
     * @throws IOException it cannot listen: the message names the address; or a loop cannot be set up: the message states the
     *     reason and the cure. Nothing of the server is left
     */
    public Server start() throws IOException {
        return create(true);
    }

    /**
     * Opens the server, with one loop that the caller turns. Best called by the thread that turns it, since the loop is set up
     * for the calling thread. On a network that {@linkplain Network#turnsLoops turns loops} by itself it may have several, and
     * the caller does not turn them.
     *
     * @return the server; it accepts when it is {@linkplain Server#turn turned}
     * @throws IllegalStateException as for {@link #start}; or several loops on a network that does not turn them
     * @throws UnsupportedOperationException urgent data on a network that cannot watch for it
     * @throws IOException as for {@link #start}
     */
    public Server open() throws IOException {
        return create(false);
    }

    /** For tests: sets how names are looked up. */
    ServerBuilder lookup(HostLookup lookup) {
        this.lookup = lookup;
        return this;
    }

    private Server create(boolean started) throws IOException {
        Network chosen = network == null ? Network.system() : network;
        while (true) {
            Server.Settings settings = settings(chosen);
            if (!started && loops != 1 && !chosen.turnsLoops()) {
                throw new IllegalStateException("an opened server has one loop, which its caller turns");
            }
            try {
                return new Server(settings, started);
            } catch (UnusableEngineException e) {
                Network fallback = network == null ? chosen.fallback() : null;
                if (fallback == null) {
                    throw e.reason();
                }
                Log.fallsBack(chosen.name(), fallback.name(), loops, e.reason());
                chosen = fallback;
            }
        }
    }

    private Server.Settings settings(Network chosen) {
        Profile profile = new Profile(framing, limits, overflow, urgent);
        for (TcpListener listener : passed) {
            if (!listener.network().family().equals(chosen.family())) {
                throw new IllegalArgumentException(listener + " was opened by the network " + listener.network().name()
                        + ", and cannot be used by " + chosen.name());
            }
        }
        List<@Nullable Protocol> all = new ArrayList<>(protocols);
        all.addAll(passedProtocols);
        List<Protocol> ofListeners = new ArrayList<>();
        boolean usesTls = tlsEnabled;
        for (@Nullable Protocol given : all) {
            Protocol protocol = given != null ? given : own();
            Profile itsOwn = protocol.profile(profile);
            if (itsOwn.tls() instanceof TlsClient) {
                throw new IllegalStateException("a listener needs a TlsServer with its certificate, not a TlsClient");
            }
            usesTls |= itsOwn.tls() != null;
            check(itsOwn, chosen);
            ofListeners.add(protocol);
        }
        if (ofListeners.isEmpty()) {
            check(profile, chosen);
        }
        return new Server.Settings(chosen, List.copyOf(addresses), List.copyOf(passed), ofListeners, profile, loops, backlog,
                socketFile, listenOptions, access, proxies, lookup, usesTls, acceptsLater);
    }

    private Protocol own() {
        Protocol own;
        if (handlers != null) {
            own = Protocol.perConnection(framing, handlers);
        } else if (handler != null) {
            own = Protocol.of(framing, handler);
        } else {
            throw new IllegalStateException("a server that listens needs a handler");
        }
        return tls == null ? own : own.withTls(tls);
    }

    /**
     * Checks that the settings of connections fit together, and fit the network.
     *
     * @throws IllegalStateException DROP_OLDEST with raw framing
     * @throws UnsupportedOperationException urgent data on a network that cannot watch for it, or with TLS
     */
    static void check(Profile profile, Network network) {
        profile.check();
        if (profile.urgent() && !network.supports(Capability.URGENT_DATA)) {
            throw new UnsupportedOperationException(
                    "the network " + network.name() + " cannot watch for urgent data: epoll, poll and select on Linux can");
        }
    }
}
