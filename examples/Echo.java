import io.trivet.server.Framing;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * Sends every line back to the client that sent it.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/Echo.java [HOST PORT]
 */
public final class Echo {
    public static void main(String[] args) throws IOException, InterruptedException {
        InetSocketAddress address = args.length < 2
                ? new InetSocketAddress("127.0.0.1", 8080)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        try (Server server = Server.builder()
                .listen(address)
                .framing(Framing.lines())
                .onMessage((connection, line) -> connection.send(line))
                .start()) {
            System.out.println("echo on port " + server.address().getPort());
            server.join();
        }
    }
}
