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
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/Proxy.java HOST PORT TARGET_HOST TARGET_PORT
 */
public final class Proxy implements Handler {
    private final InetSocketAddress target;

    private Proxy(InetSocketAddress target) {
        this.target = target;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(args[0], Integer.parseInt(args[1])))
                // PAUSE_READING, the default, would stop reading from an end whose own queue is high: one direction would block the other.
                .overflow(Overflow.DISCONNECT)
                .handler(new Proxy(new InetSocketAddress(args[2], Integer.parseInt(args[3]))))
                .start()) {
            System.out.println("proxy on port " + server.address().getPort());
            server.join();
        }
    }

    @Override
    public void onOpen(Connection client) {
        if (client.attachment() == null) { // otherwise it is the connection to a target, made below
            try {
                Connection other = client.server().connect(target, this);
                other.attachment(client);
                client.attachment(other);
            } catch (RejectedExecutionException e) { // the server is draining: close new clients in an orderly way
                client.finish();
            }
        }
    }

    @Override
    public void onMessage(Connection from, ByteBuffer bytes) {
        Connection to = other(from);
        to.send(bytes);
        if (to.queue().isHigh()) {
            from.pauseReading();
        }
    }

    @Override
    public void onDrained(Connection to) {
        other(to).resumeReading();
    }

    @Override
    public void onEndOfInput(Connection from) {
        other(from).finishOutput(); // forwards the half-close after the queued bytes
    }

    @Override
    public void onClose(Connection closed, CloseReason reason) {
        Connection other = other(closed);
        boolean orderly = reason == CloseReason.PEER_FINISHED; // the other end still receives what is queued for it
        if (other != null && !orderly) { // null: a client that came while the server was draining
            other.close();
        }
    }

    private static Connection other(Connection connection) {
        return (Connection) connection.attachment();
    }
}
