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
 * A TCP proxy: each client gets a connection to the target, and bytes go both ways no faster than the slower end takes them.
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
                // The default stops reading from an end whose own queue is high, and would so tie one direction to the other.
                .overflow(Overflow.DISCONNECT)
                .handler(new Proxy(new InetSocketAddress(args[2], Integer.parseInt(args[3]))))
                .start()) {
            System.out.println("proxy on port " + server.address().getPort());
            server.join();
        }
    }

    @Override
    public void onOpen(Connection client) {
        if (client.attachment() == null) { // else it is the one that was made here
            try {
                Connection other = client.server().connect(target, this);
                other.attachment(client);
                client.attachment(other);
            } catch (RejectedExecutionException e) { // the server drains: whoever still comes is sent away in good order
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
        other(from).finishOutput(); // a half-close is passed on, behind what waits
    }

    @Override
    public void onClose(Connection gone, CloseReason reason) {
        Connection other = other(gone);
        boolean endsByItself = reason == CloseReason.PEER_FINISHED; // and still takes what waits for it
        if (other != null && !endsByItself) { // there is none for whom the server could not connect any more
            other.close();
        }
    }

    private static Connection other(Connection connection) {
        return (Connection) connection.attachment();
    }
}
