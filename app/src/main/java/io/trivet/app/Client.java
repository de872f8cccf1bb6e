package io.trivet.app;

import io.trivet.net.Network;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Protocol;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.tls.TlsClient;
import io.trivet.tls.TlsException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The connections of {@code trivet connect}. They belong to a server without a listener, whose loop the main thread turns while
 * it waits. Nothing is read before {@link #startReading}.
 */
final class Client implements Handler, AutoCloseable {
    /** Callbacks for what arrives on the connections, on the thread that turns the client. */
    interface Listener {
        void onReceived(ClientConnection connection, ByteBuffer bytes);

        /**
         * Called once per connection, when nothing more will arrive.
         *
         * @param failure why the connection was lost; null if the server ended its output
         */
        void onEnd(ClientConnection connection, @Nullable IOException failure);
    }

    /**
     * The defaults protect a server from its clients. Here the peer is the server of the user's choice: it may be slow, and
     * everything the user sends must fit.
     */
    private static final Limits LIMITS = Limits.defaults().withWriteTimeout(Duration.ZERO).withQueueBudgetBytes(Long.MAX_VALUE);
    private static final Duration CONNECT_TIMEOUT_MIN = Duration.ofNanos(1);

    private final Network network = Network.system();
    private final Protocol protocol;
    private final Server server;
    private final HostPort target;
    private final List<ClientConnection> connections = new ArrayList<>();
    private final long deadlineNanos;
    private @Nullable Listener listener;
    /** Why the connect in progress failed; null as long as it has not. */
    private @Nullable CloseReason connectFailure;

    /**
     * Starts the timeout that all operations of this client share, including the lookup of the target's name.
     *
     * @param tls the settings of TLS; null: plaintext
     * @param from the local address; null: any
     */
    Client(HostPort target, Duration timeout, @Nullable TlsClient tls, @Nullable InetSocketAddress from) throws IOException {
        this.target = target;
        Protocol any = Protocol.of(Framing.raw(), this);
        Protocol plain = from == null ? any : any.withLocalAddress(from);
        protocol = tls == null ? plain : plain.withTls(tls);
        deadlineNanos = network.clock().nanoTime() + timeout.toNanos();
        // PAUSE_READING would deadlock with an echo server: with much to send, both sides would stop reading.
        ServerBuilder builder = Server.builder().limits(LIMITS).overflow(Overflow.DISCONNECT);
        server = tls == null ? builder.open() : builder.enableTls().open();
    }

    /**
     * Looks up the target's name, and connects to the first of its addresses that answers in the remaining time.
     *
     * @throws IOException no address answered; the message has the reason for each
     */
    ClientConnection connect() throws IOException {
        Duration remaining = remaining();
        connectFailure = null;
        Limits limits = LIMITS.withConnectTimeout(remaining.isZero() ? CONNECT_TIMEOUT_MIN : remaining);
        Connection connection = server.connect(target.address(), protocol.withLimits(limits), null);
        while (connection.attachment() == null && connectFailure == null) {
            server.turn(null);
        }
        if (connection.attachment() instanceof ClientConnection connected) {
            connections.add(connected);
            return connected;
        }
        IOException failure = failure(connection, connectFailure);
        if (connectFailure == CloseReason.HANDSHAKE_FAILED || connectFailure == CloseReason.HANDSHAKE_TIMEOUT) {
            throw new IOException(target + ": " + CloseReason.HANDSHAKE_FAILED.description() + ": " + failure.getMessage(),
                    failure);
        }
        throw connectFailure == CloseReason.CONNECT_TIMEOUT
                ? new IOException(failure.getMessage() + " (the limit is --wait)", failure)
                : failure;
    }

    /** Returns every connection that {@link #connect} has made, in order. */
    List<ClientConnection> connections() {
        return connections;
    }

    /** Starts to read from all connections, and passes what arrives to the listener. */
    void startReading(Listener listener) {
        this.listener = listener;
        resumeReading();
    }

    /** Stops reading from all connections, until {@link #resumeReading}. */
    void pauseReading() {
        connections.forEach(ClientConnection::pauseReading);
    }

    /** Reads from all connections again. */
    void resumeReading() {
        connections.forEach(ClientConnection::resumeReading);
    }

    /** Runs a task on the thread that turns the loop; does nothing once the loop has ended. Any thread. */
    void execute(Runnable task) {
        try {
            connections.getFirst().loop().execute(task);
        } catch (RejectedExecutionException e) {
            // The session is over.
        }
    }

    /** Returns the time until the client's timeout expires; zero once it has. */
    Duration remaining() {
        return Duration.ofNanos(Math.max(0, deadlineNanos - network.clock().nanoTime()));
    }

    /**
     * Turns the loop once: waits for an event or a task, and handles it.
     *
     * @param timeout the longest wait; null waits without a limit
     */
    void turn(@Nullable Duration timeout) throws IOException {
        server.turn(timeout);
    }

    /**
     * Turns the loop until the connections have sent or received something, or the condition holds; returns false if neither
     * happened within the timeout.
     */
    boolean awaitActivity(Duration timeout, BooleanSupplier orUntil) throws IOException {
        long deadline = network.clock().nanoTime() + timeout.toNanos();
        long completionsBefore = server.stats().total().completions();
        long remaining = timeout.toNanos();
        do {
            server.turn(Duration.ofNanos(Math.max(0, remaining)));
            if (server.stats().total().completions() != completionsBefore || orUntil.getAsBoolean()) {
                return true;
            }
            remaining = deadline - network.clock().nanoTime();
        } while (remaining > 0);
        return false;
    }

    @Override
    public void onOpen(Connection connection) {
        connection.pauseReading(); // until all connections are made
        connection.attachment(new ClientConnection(connection));
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer bytes) {
        ClientConnection client = clientOf(connection);
        client.received(bytes);
        if (listener != null) {
            listener.onReceived(client, bytes);
        }
    }

    @Override
    public void onEndOfInput(Connection connection) {
        ended(clientOf(connection), null);
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        if (connection.attachment() == null) {
            connectFailure = reason;
        } else if (reason != CloseReason.SERVER_CLOSED) { // SERVER_CLOSED: this client closed it
            ended(clientOf(connection), failure(connection, reason));
        }
    }

    private void ended(ClientConnection connection, @Nullable IOException failure) {
        if (!connection.inputEnded) {
            connection.inputEnded = true;
            if (listener != null) {
                listener.onEnd(connection, failure);
            }
        }
    }

    private static IOException failure(Connection connection, @Nullable CloseReason reason) {
        IOException failure = connection.failure();
        if (failure instanceof TlsException && String.valueOf(failure.getMessage()).contains("certificate_required")) {
            return new IOException(failure.getMessage() + " (--tls-cert and --tls-key)", failure);
        }
        return failure != null ? failure : new IOException(reason == null ? "closed" : reason.description());
    }

    private static ClientConnection clientOf(Connection connection) {
        return (ClientConnection) Objects.requireNonNull(connection.attachment(), "set by onOpen");
    }

    @Override
    public void close() {
        server.close();
    }
}
