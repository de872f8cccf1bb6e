import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;

/**
 * A TCP proxy: opens a connection to the target for each client, and forwards bytes in both directions. Backpressure: it reads
 * from one end no faster than the other end accepts.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/Proxy.java HOST PORT TARGET_HOST TARGET_PORT [LOOPS]
 */
public final class Proxy implements Handler {
    private static final TargetSide TARGET_SIDE = new TargetSide();

    private final InetSocketAddress target;

    private Proxy(InetSocketAddress target) {
        this.target = target;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(args[0], Integer.parseInt(args[1])))
                // PAUSE_READING, the default, would stop reading from an end whose own queue is high: one direction would block the other.
                .overflow(Overflow.DISCONNECT)
                .handler(new Proxy(InetSocketAddress.createUnresolved(args[2], Integer.parseInt(args[3]))))
                .loops(args.length > 4 ? Integer.parseInt(args[4]) : 1)
                .start()) {
            System.out.println("proxy on port " + server.address().getPort());
            server.join();
        }
    }

    @Override
    public void onOpen(Connection client) {
        try {
            client.attachment(client.server().connect(target, TARGET_SIDE, client));
        } catch (RejectedExecutionException e) { // the server is draining: close new clients in an orderly way
            client.finish();
        }
    }

    @Override
    public void onMessage(Connection client, ByteBuffer bytes) {
        forward(client, bytes, targetOf(client));
    }

    @Override
    public void onDrained(Connection client) {
        targetOf(client).resumeReading();
    }

    @Override
    public void onEndOfInput(Connection client) {
        Connection connection = targetOf(client);
        if (connection != null) { // null: a client that came while the server was draining
            connection.finishOutput(); // forwards the half-close after the queued bytes
        }
    }

    @Override
    public void onClose(Connection client, CloseReason reason) {
        Connection connection = targetOf(client);
        if (connection != null) {
            ended(reason, connection);
        }
    }

    private static Connection targetOf(Connection client) {
        return (Connection) client.attachment();
    }

    /**
     * Handles the connection to the target. {@code connect} attaches the client. Attaching it afterwards would be too late,
     * because this connection may run on another loop, even before {@code connect} returns.
     */
    private static final class TargetSide implements Handler {
        private static Connection clientOf(Connection connection) {
            return (Connection) connection.attachment();
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer bytes) {
            forward(connection, bytes, clientOf(connection));
        }

        @Override
        public void onDrained(Connection connection) {
            clientOf(connection).resumeReading();
        }

        @Override
        public void onEndOfInput(Connection connection) {
            clientOf(connection).finishOutput();
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            ended(reason, clientOf(connection));
        }
    }

    private static void forward(Connection from, ByteBuffer bytes, Connection to) {
        to.send(bytes);
        if (to.queue().isHigh()) {
            from.pauseReading();
            if (!to.queue().isHigh()) { // drained on its own loop meanwhile: its onDrained may have come before the pause
                from.resumeReading();
            }
        }
    }

    private static void ended(CloseReason reason, Connection other) {
        switch (reason) {
            case PEER_FINISHED, FINISHED, DRAINED -> {
                // A complete stream: the other end still receives what is queued for it, and then its end.
            }
            default -> other.reset(); // a cut stream must not look complete behind the proxy
        }
    }
}
