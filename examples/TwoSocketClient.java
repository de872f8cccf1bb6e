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
 * Opens two connections to a server, sends three messages on both, each followed by its index, and reads the replies.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/TwoSocketClient.java [HOST PORT [ENGINE]]
 */
public final class TwoSocketClient {
    private static final List<String> MESSAGES = List.of("This is the message ", "It will be sent ", "in parts ");
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

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
            new TwoSocketClient(network).run(server);
        } catch (IOException e) {
            System.out.println("client error: " + e.getMessage());
            System.exit(1);
        }
    }

    private void run(InetSocketAddress server) throws IOException {
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
            // Read the replies before sending the next message: TCP has no message boundaries, so two in a row may arrive as one.
            receive(message.length);
        }
        for (TcpStream s : socks) {
            System.out.println("closing socket " + s.localAddress());
            s.close();
        }
    }

    private TcpStream connect(InetSocketAddress server) throws IOException {
        TcpStream s = network.connect(server);
        while (!s.finishConnect()) { // throws if the connect failed, for example with ECONNREFUSED
            if (Select.on(network).select(List.of(), List.of(s), List.of(), TIMEOUT).isEmpty()) {
                throw new IOException("no answer from " + server);
            }
        }
        return s;
    }

    /** Writes the whole message: a write may accept only a part of it, and the rest must wait for room. */
    private void send(TcpStream s, ByteBuffer message) throws IOException {
        s.write(message);
        while (message.hasRemaining()) {
            Select.on(network).select(List.of(), List.of(s), List.of(), TIMEOUT);
            s.write(message);
        }
    }

    /** Reads from all sockets until each has received the expected number of bytes. */
    private void receive(int expected) throws IOException {
        Map<TcpStream, Integer> missing = new HashMap<>();
        socks.forEach(s -> missing.put(s, expected));
        while (!missing.isEmpty()) {
            Ready<TcpStream> ready = Select.on(network).select(missing.keySet(), List.of(), List.of(), TIMEOUT);
            if (ready.isEmpty()) {
                throw new IOException("no reply on " + missing.size() + " sockets");
            }
            for (TcpStream s : ready.readable()) {
                ByteBuffer data = ByteBuffer.allocate(1024);
                int count = s.read(data);
                if (count < 0) { // end of input: a closed server is not an error of the read
                    throw new IOException("the server closed the connection of " + s.localAddress());
                }
                System.out.println(s.localAddress() + ": received \"" + StandardCharsets.UTF_8.decode(data.flip()) + "\"");
                if (missing.merge(s, -count, Integer::sum) <= 0) {
                    missing.remove(s);
                }
            }
        }
    }
}
