package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Slowness;
import io.trivet.net.Network;
import io.trivet.net.UnixAddress;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.TortureNetwork;
import io.trivet.tls.TestCertificates;
import io.trivet.tls.TlsEngineKind;
import io.trivet.tls.TlsEngines;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * The fixture of one test run on one network: it opens servers and clients, and waits for conditions. At the end it closes
 * everything and asserts that every server made its callbacks in the promised order and released all queues and budgets.
 */
final class Stage implements AutoCloseable {
    /** The timeout for what should happen at once, even on a busy machine. */
    static final Duration PATIENCE = Slowness.scaled(Duration.ofSeconds(30));

    static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    /** More bytes than the buffers of both sockets can hold, however large the kernel lets them grow. */
    static final int OVERSIZED_BYTES = 8 << 20;
    private static final byte[] OVERSIZED = FramedEchoTest.patterned(OVERSIZED_BYTES);
    /** Limits under which such a message fits into a queue. */
    static final Limits ROOMY = Limits.defaults().withQueueBytesMax(2 * OVERSIZED_BYTES).withMessageBytesMax(2 * OVERSIZED_BYTES);

    /** Numbers the Unix domain sockets. */
    private static final AtomicInteger SOCKETS = new AtomicInteger();
    private static final Duration STEP = Duration.ofMillis(1);
    private static final long PAUSE_NANOS = 50_000;

    private final SteppedNetwork stepped;
    private final Network network;
    private final boolean unix;
    private final @Nullable TlsEngineKind tls;
    private final Deque<AutoCloseable> toClose = new ArrayDeque<>();
    private final List<Server> servers = new ArrayList<>();
    private final List<Server> opened = new ArrayList<>();
    private final List<Story> stories = new ArrayList<>();

    Stage(Network network) {
        this(network, false, null);
    }

    /**
     * Creates a stage.
     *
     * @param unix whether servers listen at Unix domain sockets instead of TCP ports
     * @param tls the engine with which servers use TLS, and so do clients; null: plaintext
     */
    Stage(Network network, boolean unix, @Nullable TlsEngineKind tls) {
        this.network = network;
        this.unix = unix;
        this.tls = tls;
        stepped = new SteppedNetwork(network);
        if (network instanceof SimNetwork simulated) {
            simulated.trace((_, event) -> logAsOnOtherNetworks(event));
        }
    }

    /** Passes what a server logs to the system's logger, from which {@link LogLines} takes it. */
    private static void logAsOnOtherNetworks(String event) {
        for (System.Logger.Level level : System.Logger.Level.values()) {
            String prefix = "log " + level + ": ";
            if (event.startsWith(prefix)) {
                System.getLogger("io.trivet.server").log(level, event.substring(prefix.length()));
            }
        }
    }

    /** Returns the network under test. */
    Network network() {
        return network;
    }

    /** Returns the network under test with a clock that advances only by {@link #pass}. */
    Network stepped() {
        return stepped;
    }

    /** Advances the clock of {@link #stepped}. */
    void pass(Duration duration) {
        stepped.step(duration);
    }

    /** Closes a resource at the end of the test. The last one is closed first. */
    <C extends AutoCloseable> C keep(C resource) {
        toClose.push(resource);
        return resource;
    }

    /** Returns a handler that records its callbacks and calls the given one. Its order is checked at the end of the test. */
    Story story(Handler handler) {
        Story story = new Story(handler);
        stories.add(story);
        return story;
    }

    // Servers.

    /** Returns an address that is free: port 0, or a path. */
    InetSocketAddress freeAddress() {
        return unix ? UnixAddress.ofPath(Path.of(System.getProperty("java.io.tmpdir"),
                "trivet-" + ProcessHandle.current().pid() + "-" + SOCKETS.incrementAndGet() + ".sock")).asInetSocketAddress()
                : FREE_PORT;
    }

    /** Returns the builder of a server at a free address, in real time. */
    ServerBuilder server(Handler handler) {
        return server(network, handler);
    }

    /** Returns the builder of a server that always listens at a TCP port, in real time. */
    ServerBuilder tcpServer(Handler handler) {
        return secured(Server.builder().network(network).listen(FREE_PORT).handler(handler));
    }

    /** Returns the builder of a server at a free address, with the clock of {@link #stepped}. */
    ServerBuilder steppedServer(Handler handler) {
        return server(stepped, handler);
    }

    /** Returns the builder of a server at a free address, on another network. */
    ServerBuilder server(Network other, Handler handler) {
        return secured(Server.builder().network(other).listen(freeAddress()).handler(handler));
    }

    private ServerBuilder secured(ServerBuilder builder) {
        return tls == null ? builder : builder.tls(TestCertificates.server(TlsEngines.require(tls)));
    }

    /** Opens a server. This thread turns its loops whenever it waits for a condition. */
    Server open(ServerBuilder builder) throws IOException {
        Server server = builder.open();
        opened.add(server);
        servers.add(server);
        return server;
    }

    /** Starts a server with its own threads. On a simulated network, the network turns its loops instead. */
    Server start(ServerBuilder builder) throws IOException {
        Server server = network.turnsLoops() ? builder.open() : builder.start();
        servers.add(server);
        return server;
    }

    /** Returns the builder of a server that has no listener. */
    ServerBuilder serverWithoutListener() {
        return Server.builder().network(network).enableTls();
    }

    /** Returns a protocol for another listener of a server: with TLS, if the stage has it. */
    Protocol listening(Protocol protocol) {
        return tls == null ? protocol : protocol.withTls(TestCertificates.server(tls));
    }

    /** Connects a client to a server. */
    Client client(Server server) throws IOException {
        return client(server.address());
    }

    /** Connects a client to one of the addresses of a server. */
    Client client(InetSocketAddress address) throws IOException {
        return client(address, Client.RECEIVE_BUFFER_BYTES);
    }

    /** Connects a client with a receive buffer of the given size. */
    Client client(InetSocketAddress address, int receiveBufferBytes) throws IOException {
        return keep(new Client(this, address, true, receiveBufferBytes, clientTls()));
    }

    /** Connects a client that the server accepts later, or refuses. A TLS handshake goes on while the client is used. */
    Client pendingClient(Server server) throws IOException {
        return keep(new Client(this, server.address(), false, Client.RECEIVE_BUFFER_BYTES, clientTls()));
    }

    private UnaryOperator<Client.ClientSocket> clientTls() {
        return tls == null ? UnaryOperator.identity() : TlsClientSocket::new;
    }

    /** Connects a blocking socket, which the caller closes, to a server that runs on another thread. Its reads time out. Any thread. */
    Socket socket(Server server) throws IOException {
        Socket socket = tls == null ? new Socket() : TlsClientSocket.context().getSocketFactory().createSocket();
        try {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.connect(server.address());
            if (socket instanceof SSLSocket secured) {
                secured.startHandshake();
            }
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** Returns a protocol for outgoing connections to a server of this stage, by whatever name. */
    Protocol outgoing(Protocol protocol) {
        return tls == null ? protocol : protocol.withTls(TestCertificates.client(tls).withServerName("localhost"));
    }

    // Waiting.

    /** A condition to wait for. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws IOException;
    }

    /** Creates a watchdog without a thread, which looks when the test calls it. */
    Watchdog watchdog(Server server, Duration limit) {
        Watchdog watchdog = new Watchdog(server.log(), server.loops().getFirst().clock()::nanoTime, limit);
        server.loops().forEach(loop -> watchdog.watch(loop.activity(), loop.mailbox()));
        return watchdog;
    }

    /** Waits until a condition holds. Meanwhile it turns the opened servers; started ones run by themselves. */
    void until(String what, Condition condition) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("time until: %s", what).isLessThan(deadline);
            step();
        }
    }

    /** Turns the opened servers once. Waits for a moment if there are none. */
    void step() throws IOException {
        boolean turned = false;
        for (Server server : opened) {
            if (!server.loops().getFirst().mailbox().isStopped()) {
                server.turn(turned ? Duration.ZERO : STEP);
                turned = true;
            }
        }
        if (!turned && network instanceof SimNetwork simulated) {
            simulated.run(STEP);
        } else if (!turned) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Turns the opened servers until they have no more work. */
    void settle() throws IOException {
        int enough = network instanceof TortureNetwork ? 8 : 3; // torture can hide events several times in a row
        int quiet = 0;
        while (quiet < enough) {
            int done = 0;
            for (Server server : opened) {
                if (!server.loops().getFirst().mailbox().isStopped()) {
                    done += server.turn(STEP);
                }
            }
            quiet = done == 0 ? quiet + 1 : 0;
        }
    }

    /** Returns the maximum size of the buffers in which TLS holds the unsent ciphertext of a connection; 0 in plaintext. */
    int ciphertextMax() {
        return tls == null ? 0 : 128 << 10;
    }

    /** Waits until a connection's socket is full and messages are queued. */
    void untilSocketFull(Connection connection) throws IOException {
        long[] before = {-1};
        until("the socket is full", () -> {
            settle();
            long bytes = connection.queuedBytes() + connection.bytesOut; // of a transfer, one piece waits, however much was sent
            boolean stuck = connection.queuedBytes() > 0 && bytes == before[0] && connection.is(ConnectionRecord.AWAITS_WRITABLE);
            before[0] = bytes;
            return stuck;
        });
    }

    /** Sends a message that does not fit into the socket buffers, and waits until the socket is full. Returns the message. */
    byte[] fillSocket(Connection connection) throws IOException {
        byte[] message = OVERSIZED.clone();
        assertThat(connection.send(message)).isEqualTo(SendResult.QUEUED);
        untilSocketFull(connection);
        return message;
    }

    @Override
    public void close() throws IOException {
        Throwable failure = null;
        for (Server server : servers) {
            server.close();
        }
        while (!toClose.isEmpty()) {
            try {
                toClose.pop().close();
            } catch (Exception e) {
                failure = failure == null ? e : failure;
            }
        }
        if (failure != null) {
            throw new IOException("a resource could not be closed after the test", failure);
        }
        for (Story story : stories) {
            story.assertInOrder();
            story.assertAllClosed();
            for (int i = 0; i < story.size(); i++) {
                MessageQueue queue = story.connection(i).queue();
                assertThat(queue.bytes()).as("bytes in the queue of a closed connection").isZero();
                assertThat(queue.messages()).as("messages in the queue of a closed connection").isZero();
            }
        }
        for (Server server : servers) {
            // The thread of a session may still read what it has received.
            until("the budget of a closed server is free", () -> server.stats().queueBytes() == 0);
            assertThat(server.stats().total().connections()).as("the connections of a closed server").isZero();
        }
    }
}
