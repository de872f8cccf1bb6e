package io.trivet.app;

import io.trivet.net.Network;
import io.trivet.server.Limits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A server of this process, on a thread of its own. */
final class Serving implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    final ReplyServer server;
    private final Thread thread;
    private final ByteArrayOutputStream told;
    private volatile @Nullable Throwable failure;

    private Serving(ReplyServer server, ByteArrayOutputStream told) {
        this.server = server;
        this.told = told;
        this.thread = new Thread(this::run, "serving");
        thread.start();
    }

    /** What a server is told when a test says nothing else: short rounds, no limits that it would meet. */
    static ServerSettings settings(Reply reply, Framing framing) {
        return settings(reply, framing, Duration.ofSeconds(3), Overflow.PAUSE,
                limits(1000, 1 << 20, 64 * 1024, Duration.ofMinutes(5), Duration.ofSeconds(20)));
    }

    static ServerSettings settings(Reply reply, Framing framing, Duration timeout, Overflow overflow, Limits limits) {
        return new ServerSettings(reply, framing, timeout, overflow, limits, 1, 512, true);
    }

    static Limits limits(int connectionsMax, int queueBytesMax, int messageBytesMax, Duration idle, Duration write) {
        return Limits.defaults()
                .withConnectionsMax(connectionsMax)
                .withQueueBytesMax(queueBytesMax)
                .withMessageBytesMax(messageBytesMax)
                .withIdleTimeout(idle)
                .withWriteTimeout(write);
    }

    static Serving on(Network network, ServerSettings settings) throws IOException {
        return on(network, "127.0.0.1", settings);
    }

    static Serving on(Network network, String host, ServerSettings settings) throws IOException {
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        Journal journal = new Journal(new PrintStream(told, true, StandardCharsets.US_ASCII), true);
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), 0);
        return new Serving(ReplyServer.listen(network, address, settings, journal), told);
    }

    private void run() {
        try {
            server.run();
        } catch (IOException | InterruptedException | RuntimeException e) {
            failure = e;
        }
    }

    /** A client, which gives up rather than to wait for ever. */
    Socket client() throws IOException {
        return client(socket -> socket);
    }

    /** The same, changed before it connects. */
    Socket client(UnaryOperator<Socket> change) throws IOException {
        Socket socket = change.apply(new Socket());
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(server.address(), PATIENCE_MILLIS);
        return socket;
    }

    /** The lines of {@code -v} so far. */
    List<String> told() {
        return told.toString(StandardCharsets.US_ASCII).lines().toList();
    }

    @Override
    public void close() throws IOException {
        try {
            server.drain(Duration.ZERO);
            thread.join(PATIENCE_MILLIS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        server.close();
        if (failure != null) {
            throw new AssertionError("the server failed", failure);
        }
    }
}
