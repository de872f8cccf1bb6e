import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Protocol;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;

/**
 * A TCP proxy: opens a connection to the target for each client, and relays bytes in both directions. Backpressure: it reads from
 * one end no faster than the other end accepts. A half-close is passed on, and so is a reset.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/Proxy.java HOST PORT TARGET_HOST TARGET_PORT [LOOPS]
 */
public final class Proxy implements Handler {
    private final InetSocketAddress target;

    private Proxy(InetSocketAddress target) {
        this.target = target;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        try (Server server = Server.builder()
                .listen(new InetSocketAddress(args[0], Integer.parseInt(args[1])))
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
            Connection upstream = client.connect(target, Protocol.of(Framing.raw(), (connection, bytes) -> {}), null);
            client.relayTo(upstream);
            upstream.relayTo(client);
        } catch (RejectedExecutionException e) { // the server is draining: close new clients in an orderly way
            client.finish();
        }
    }

    @Override
    public void onMessage(Connection client, ByteBuffer bytes) {
        // Never called: everything is relayed.
    }
}
