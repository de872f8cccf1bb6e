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

/** A {@link ReplyServer} in this process, on a thread of its own. */
final class RunningServer implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = (int) Program.TIMEOUT_SECONDS * 1000;

    final ReplyServer server;
    private final Thread thread;
    private final ByteArrayOutputStream log;
    private volatile @Nullable Throwable failure;

    private RunningServer(ReplyServer server, ByteArrayOutputStream log) {
        this.server = server;
        this.log = log;
        this.thread = new Thread(this::run, "server");
        thread.start();
    }

    /** Returns settings for tests that need nothing special: the limits are out of reach. */
    static ServerSettings settings(ReplyOption reply, FramingOption framing) {
        return settings(reply, framing, Duration.ofSeconds(3), OverflowOption.PAUSE,
                limits(1000, 1 << 20, 64 * 1024, Duration.ofMinutes(5), Duration.ofSeconds(20)));
    }

    static ServerSettings settings(ReplyOption reply, FramingOption framing, Duration timeout, OverflowOption overflow,
            Limits limits) {
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

    static RunningServer start(Network network, ServerSettings settings) throws IOException {
        return start(network, "127.0.0.1", settings);
    }

    static RunningServer start(Network network, String host, ServerSettings settings) throws IOException {
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        VerboseLog verboseLog = new VerboseLog(new PrintStream(log, true, StandardCharsets.US_ASCII), true);
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), 0);
        return new RunningServer(ReplyServer.listen(network, List.of(address), settings, verboseLog), log);
    }

    private void run() {
        try {
            server.run();
        } catch (IOException | InterruptedException | RuntimeException e) {
            failure = e;
        }
    }

    /** Connects a client whose reads time out. */
    Socket client() throws IOException {
        return client(socket -> socket);
    }

    /** Connects a client whose reads time out, after changing its socket. */
    Socket client(UnaryOperator<Socket> change) throws IOException {
        Socket socket = change.apply(new Socket());
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.connect(server.addresses().getFirst(), TIMEOUT_MILLIS);
        return socket;
    }

    /** Returns the lines that {@code -v} has printed so far. */
    List<String> log() {
        return log.toString(StandardCharsets.US_ASCII).lines().toList();
    }

    @Override
    public void close() throws IOException {
        try {
            server.drain(Duration.ZERO);
            thread.join(TIMEOUT_MILLIS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        server.close();
        if (failure != null) {
            throw new AssertionError("the server failed", failure);
        }
    }
}
