package io.trivet.app;

import io.trivet.nats.Relay;
import io.trivet.net.Capability;
import io.trivet.net.Cidr;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.PeerCredentials;
import io.trivet.net.TcpListener;
import io.trivet.server.Connection;
import io.trivet.server.Handover;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The server of {@code trivet serve}. A single loop is turned by {@link #run}, so that {@code -v} can log each turn; several
 * loops run on threads of their own.
 *
 * <p>Threads: one thread calls {@link #run}; another one may call {@link #drain}.
 */
final class ReplyServer implements AutoCloseable {
    private static final int PORT_ATTEMPTS_MAX = 16;

    private final ServerSettings settings;
    private final VerboseLog log;
    private final ReplyHandler handler;
    private final Server server;
    /** How much longer than the timeout a drain may take. */
    private static final Duration DRAIN_MARGIN = Duration.ofSeconds(2);

    private final CountDownLatch ended = new CountDownLatch(1);

    private ReplyServer(@Nullable Network network, Consumer<ServerBuilder> listening, ServerSettings settings, VerboseLog log)
            throws IOException {
        this.settings = settings;
        this.log = log;
        handler = new ReplyHandler(settings, log);
        ServerBuilder builder = Server.builder()
                .backlog(settings.backlog())
                .socketFile(settings.socketFile())
                .access(settings.access())
                .proxyProtocol(settings.proxies().toArray(Cidr[]::new))
                .framing(settings.framing().framing())
                .limits(settings.limits())
                .overflow(settings.overflow().policy())
                .urgent(settings.urgent() && (network == null ? Network.system() : network).supports(Capability.URGENT_DATA))
                .loops(settings.loops())
                .handler(handler);
        TlsServer tls = settings.tls();
        if (tls != null) {
            builder.tls(tls);
        }
        listening.accept(builder);
        if (network != null) {
            builder.network(network);
        }
        server = settings.loops() == 1 ? builder.open() : builder.start();
    }

    /**
     * Binds and listens. With a single loop, clients wait in the listen backlog until {@link #run}, which the same thread calls
     * best. If the port is 0, the kernel chooses one that is free at every address.
     *
     * @param network null: the best one on which every loop can serve
     */
    static ReplyServer listen(@Nullable Network network, List<InetSocketAddress> requested, ServerSettings settings,
            VerboseLog log)
            throws IOException {
        Network listening = network == null ? Network.system() : network; // a fallback listens at the same addresses
        List<InetSocketAddress> addresses = ListenAddresses.supported(listening, requested);
        List<InetSocketAddress> withPorts = ListenAddresses.withPorts(addresses);
        if (withPorts.size() <= 1 || withPorts.getFirst().getPort() != 0) {
            return new ReplyServer(network, builder -> addresses.forEach(builder::listen), settings, log);
        }
        for (int attempt = 1;; attempt++) {
            int port;
            try (TcpListener free = listening.listen(withPorts.getFirst(), 1)) {
                port = free.localAddress().getPort();
            }
            try {
                List<InetSocketAddress> samePort = ListenAddresses.withPort(addresses, port);
                return new ReplyServer(network, builder -> samePort.forEach(builder::listen), settings, log);
            } catch (NetworkException e) {
                if (e.code() != ErrorCode.EADDRINUSE || attempt == PORT_ATTEMPTS_MAX) {
                    throw e;
                }
            }
        }
    }

    /**
     * Serves the clients of listeners that a service manager has opened.
     *
     * @param network null: the best one on which every loop can serve
     */
    static ReplyServer passed(@Nullable Network network, List<TcpListener> listeners, ServerSettings settings, VerboseLog log)
            throws IOException {
        return new ReplyServer(network, builder -> listeners.forEach(builder::listen), settings, log);
    }

    /**
     * Serves the clients of another server, which this one replaces when the handover is {@linkplain #complete complete}.
     *
     * @param taken a handover that has taken over listeners; the server owns them
     */
    static ReplyServer successor(@Nullable Network network, Handover taken, ServerSettings settings, VerboseLog log)
            throws IOException {
        return new ReplyServer(network, builder -> builder.listen(taken), settings, log);
    }

    /**
     * Completes the start of this server in place of another one, and serves the handover for its successor.
     *
     * @param onHandedOver called when a successor has taken over
     */
    void complete(Handover handover, Duration grace, Duration drainTimeout, Consumer<PeerCredentials> onHandedOver)
            throws IOException {
        handover.complete(server, grace, drainTimeout, onHandedOver);
    }

    /** Returns the budget in force, which may be less than the settings ask for. */
    long budgetBytes() {
        return server.stats().queueBytesMax();
    }

    Server server() {
        return server;
    }

    /** Broadcasts reach the clients of other servers, too, from now on. */
    void relay(Relay relay, String topic) {
        handler.relay(new ReplyHandler.Relayed(relay, topic));
        server.connections().forEach(each -> { // those that were accepted before
            Connection connection = server.connection(each.id());
            if (connection != null) {
                relay.join(connection, topic);
            }
        });
    }

    Network network() {
        return server.network();
    }

    /** Returns the address of each listener, in the order requested. */
    List<InetSocketAddress> addresses() {
        return server.addresses();
    }

    /**
     * Serves until the server has drained.
     *
     * @throws IOException a loop cannot continue
     */
    void run() throws IOException, InterruptedException {
        try {
            if (settings.loops() > 1) {
                server.join();
                switch (server.failure()) {
                    case null -> {
                    }
                    case Error e -> throw e;
                    case Throwable failure -> throw new IOException(failure.getMessage(), failure);
                }
                return;
            }
            while (!server.isClosed()) {
                int done = server.turn(settings.timeout());
                if (log.isEnabled()) {
                    log.turned(done, server.stats().total().connections());
                }
            }
        } finally {
            ended.countDown();
        }
    }

    /** Starts a drain: stops accepting clients and messages. */
    void startDrain(Duration timeout) {
        server.drain(timeout);
    }

    /**
     * Stops accepting clients and messages, sends what is queued, and waits until {@link #run} has returned, or this server was closed.
     * If it is not running yet, waits for little more than the timeout.
     *
     * @return the number of clients that were still connected when the timeout expired
     */
    int drain(Duration timeout) throws InterruptedException {
        server.drain(timeout);
        boolean _ = ended.await(timeout.plus(DRAIN_MARGIN).toMillis(), TimeUnit.MILLISECONDS);
        return handler.leftAtClose();
    }

    @Override
    public void close() {
        server.close();
        ended.countDown();
    }
}
