package io.trivet.app;

import io.trivet.net.Network;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The connections of {@code trivet connect}: those of a server that listens nowhere, whose loop turns while the main thread waits for
 * something. Nothing is read from them before somebody listens.
 */
final class Client implements Handler, AutoCloseable {
    /** Told what happens on the connections. */
    interface Listener {
        void received(ClientConnection connection, ByteBuffer bytes);

        /** The server has finished; or the connection was lost, and why. Told once. */
        void ended(ClientConnection connection, @Nullable IOException failure);
    }

    /** What a server must fear from its clients need not be feared of one's own server: it may take its time, and as much as is said fits. */
    private static final Limits LIMITS = Limits.defaults().withWriteTimeout(Duration.ZERO).withQueueBudgetBytes(Long.MAX_VALUE);
    private static final Duration SHORTEST = Duration.ofNanos(1);

    private final Network network = Network.system();
    private final Server server;
    private final HostPort target;
    private final List<InetSocketAddress> addresses;
    private final List<ClientConnection> connections = new ArrayList<>();
    private final long untilNanos;
    private @Nullable Listener listener;
    private @Nullable CloseReason notConnected;

    /** A client for that server, who gives up after that time. */
    Client(HostPort target, Duration patience) throws IOException {
        this.target = target;
        addresses = target.resolve();
        untilNanos = network.clock().nanoTime() + patience.toNanos();
        // The default would stop reading while much waits to be sent: an echo of it would then wait for us, and we for it.
        server = Server.builder().network(network).limits(LIMITS).overflow(Overflow.DISCONNECT).open();
    }

    /** A connection to the first address of the name that answers in the time that is left; else the reason of each. */
    ClientConnection dial() throws IOException {
        List<String> reasons = new ArrayList<>();
        for (InetSocketAddress address : addresses) {
            Duration left = remaining();
            Connection connection = server.connect(address, this, left.isZero() ? SHORTEST : left);
            notConnected = null;
            while (connection.attachment() == null && notConnected == null) {
                server.turn(null);
            }
            if (connection.attachment() instanceof ClientConnection dialled) {
                connections.add(dialled);
                return dialled;
            }
            reasons.add(notConnected == CloseReason.CONNECT_TIMEOUT
                    ? "connect " + target + ": no answer in the time of --wait"
                    : failure(connection, notConnected).getMessage());
        }
        throw new IOException(String.join("; ", reasons));
    }

    /** All that were dialled. */
    List<ClientConnection> connections() {
        return connections;
    }

    /** From now on what comes is read, and told. */
    void listen(Listener whoListens) {
        listener = whoListens;
        for (ClientConnection connection : connections) {
            connection.resume();
        }
    }

    /** The time that is left. */
    Duration remaining() {
        return Duration.ofNanos(Math.max(0, untilNanos - network.clock().nanoTime()));
    }

    /** Waits until something has happened, on the connections or by a task; no longer than that, null: no limit. */
    void turn(@Nullable Duration limit) throws IOException {
        server.turn(limit);
    }

    /** Waits until something comes or goes on the connections; false: nothing does for so long. */
    boolean awaitSign(Duration limit) throws IOException {
        long until = network.clock().nanoTime() + limit.toNanos();
        long before = server.stats().total().completions();
        long left = limit.toNanos();
        do {
            server.turn(Duration.ofNanos(Math.max(0, left)));
            if (server.stats().total().completions() != before) {
                return true;
            }
            left = until - network.clock().nanoTime();
        } while (left > 0);
        return false;
    }

    @Override
    public void onOpen(Connection connection) {
        connection.pauseReading(); // others are still dialled
        connection.attachment(new ClientConnection(connection));
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer bytes) {
        ClientConnection client = of(connection);
        client.received(bytes);
        if (listener != null) {
            listener.received(client, bytes);
        }
    }

    @Override
    public void onEndOfInput(Connection connection) {
        ended(of(connection), null);
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        if (connection.attachment() == null) {
            notConnected = reason;
        } else if (reason != CloseReason.SERVER_CLOSED) { // else it is we who leave
            ended(of(connection), failure(connection, reason));
        }
    }

    private void ended(ClientConnection connection, @Nullable IOException failure) {
        if (!connection.inputEnded) {
            connection.inputEnded = true;
            if (listener != null) {
                listener.ended(connection, failure);
            }
        }
    }

    private static IOException failure(Connection connection, @Nullable CloseReason reason) {
        IOException failure = connection.failure();
        return failure != null ? failure : new IOException(reason == null ? "closed" : reason.sentence());
    }

    private static ClientConnection of(Connection connection) {
        return (ClientConnection) Objects.requireNonNull(connection.attachment(), "it was open");
    }

    @Override
    public void close() {
        server.close();
    }
}
