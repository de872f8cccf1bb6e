import static java.nio.charset.StandardCharsets.UTF_8;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * Sends every line to all clients. A client that reads too slowly misses the oldest lines, and delays no other client.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/Chat.java [HOST PORT]
 *     ./trivet connect localhost:8080
 */
public final class Chat implements Handler {
    public static void main(String[] args) throws IOException, InterruptedException {
        InetSocketAddress address = args.length < 2
                ? new InetSocketAddress("127.0.0.1", 8080)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        try (Server server = Server.builder()
                .listen(address)
                .framing(Framing.lines())
                .overflow(Overflow.DROP_OLDEST)
                .handler(new Chat())
                .start()) {
            System.out.println("chat on port " + server.address().getPort());
            server.join();
        }
    }

    @Override
    public void onOpen(Connection connection) {
        announce(connection, " joined");
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer line) {
        announce(connection, ": " + UTF_8.decode(line));
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        announce(connection, " left: " + reason.description());
    }

    private static void announce(Connection connection, String event) {
        connection.server().broadcast(UTF_8.encode(connection.remoteAddress().getPort() + event));
    }
}
