import io.trivet.net.Network;
import io.trivet.net.TcpStream;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Two sockets to a server: says three messages on both, each with its index behind it, and reads what comes back.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/TwoSocketClient.java [HOST PORT [ENGINE]]
 */
public final class TwoSocketClient {
    private static final List<String> MESSAGES = List.of("This is the message ", "It will be sent ", "in parts ");
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Network network;
    private final List<TcpStream> socks = new ArrayList<>();

    private TwoSocketClient(Network network) {
        this.network = network;
    }

    public static void main(String[] args) throws IOException {
        InetSocketAddress server = args.length < 2
                ? new InetSocketAddress("localhost", 8090)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        Network network = args.length < 3 ? Network.system() : Network.named(args[2]);
        try {
            new TwoSocketClient(network).talk(server);
        } catch (IOException e) {
            System.out.println("client error, reason = " + e.getMessage());
            System.exit(1);
        }
    }

    private void talk(InetSocketAddress server) throws IOException {
        System.out.println("connecting to " + server);
        for (int i = 0; i < 2; i++) {
            socks.add(connect(server));
        }
        for (int index = 0; index < MESSAGES.size(); index++) {
            byte[] message = (MESSAGES.get(index) + index).getBytes(StandardCharsets.UTF_8);
            for (TcpStream s : socks) {
                System.out.println(s.localAddress() + ": sending \"" + new String(message, StandardCharsets.UTF_8) + "\"");
                send(s, ByteBuffer.wrap(message));
            }
            // The replies are read before the next message is said. TCP knows no messages: two in a row may arrive as one.
            receive(message.length);
        }
        for (TcpStream s : socks) {
            System.out.println("closing socket " + s.localAddress());
            s.close();
        }
    }

    private TcpStream connect(InetSocketAddress server) throws IOException {
        TcpStream s = network.connect(server);
        while (!s.finishConnect()) { // throws why not, for instance ECONNREFUSED
            if (Select.on(network).select(List.of(), List.of(s), List.of(), PATIENCE).isEmpty()) {
                throw new IOException("no answer from " + server);
            }
        }
        return s;
    }

    /** A send may take a part of a message: the rest waits until there is room. */
    private void send(TcpStream s, ByteBuffer message) throws IOException {
        s.write(message);
        while (message.hasRemaining()) {
            Select.on(network).select(List.of(), List.of(s), List.of(), PATIENCE);
            s.write(message);
        }
    }

    /** Reads on all sockets until each of them got so many bytes. */
    private void receive(int expected) throws IOException {
        Map<TcpStream, Integer> missing = new HashMap<>();
        socks.forEach(s -> missing.put(s, expected));
        while (!missing.isEmpty()) {
            Ready<TcpStream> ready = Select.on(network).select(missing.keySet(), List.of(), List.of(), PATIENCE);
            if (ready.isEmpty()) {
                throw new IOException("no reply on " + missing.size() + " sockets");
            }
            for (TcpStream s : ready.readable()) {
                ByteBuffer data = ByteBuffer.allocate(1024);
                int count = s.read(data);
                if (count < 0) { // an empty read: this, and not an error, is how a closed server shows
                    throw new IOException("the server has closed " + s.localAddress());
                }
                System.out.println(s.localAddress() + ": received \"" + StandardCharsets.UTF_8.decode(data.flip()) + "\"");
                if (missing.merge(s, -count, Integer::sum) <= 0) {
                    missing.remove(s);
                }
            }
        }
    }
}
