import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.trivet.net.Capability;
import io.trivet.net.Network;
import io.trivet.net.Selectable;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Serves many clients on one thread. Replies to each message with the message and the client's address: hello('127.0.0.1',
 * 54321).
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/AddressServer.java [HOST PORT [ENGINE]]
 */
public final class AddressServer {
    /** Bounds each queue: otherwise a client that reads no replies would fill the memory. */
    private static final int REPLIES_MAX = 16;

    /** A member of the lists: the socket, the address as Python prints it, and the queued replies. */
    private record Client(TcpStream stream, String address, ArrayDeque<ByteBuffer> replies) implements Selectable {
        @Override
        public Socket socket() {
            return stream;
        }
    }

    private final List<Selectable> rlist = new ArrayList<>();
    private final List<Selectable> wlist = new ArrayList<>();

    public static void main(String[] args) {
        InetSocketAddress address = args.length < 2
                ? new InetSocketAddress("127.0.0.1", 8080)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        Network network = args.length < 3 ? Network.system() : Network.named(args[2]);
        // Sets SO_REUSEADDR, binds and listens. All sockets of Trivet are non-blocking.
        try (TcpListener listener = network.listen(address, 10)) {
            System.out.println("listening on port " + listener.localAddress().getPort());
            new AddressServer().serve(network, listener);
        } catch (IOException e) {
            System.out.println("cannot serve: " + e.getMessage());
            System.exit(1);
        }
    }

    private void serve(Network network, TcpListener listener) throws IOException {
        boolean urgent = network.supports(Capability.URGENT_DATA);
        if (!urgent) {
            System.out.println("urgent data is not watched: " + network.name() + " does not support it");
        }
        rlist.add(listener);
        while (true) {
            Ready<Selectable> ready = Select.on(network).select(rlist, wlist, urgent ? rlist : List.of(), Duration.ofSeconds(3));
            System.out.println("select again");
            if (ready.isEmpty() && !rlist.contains(listener)) {
                rlist.add(listener);
            }
            // The third list reports urgent data, not errors. Handle it first: a read at the urgent mark destroys the urgent byte.
            for (Selectable member : ready.exceptional()) {
                attempt((Client) member, this::receiveUrgent);
            }
            for (Selectable member : ready.readable()) {
                if (member instanceof Client client) {
                    attempt(client, this::read);
                } else {
                    accept(listener);
                }
            }
            // Only the writable ones, not all of wlist: the others have a full send buffer.
            for (Selectable member : ready.writable()) {
                attempt((Client) member, this::write);
            }
        }
    }

    private void accept(TcpListener listener) {
        try {
            TcpStream stream = listener.accept();
            if (stream != null) { // null: no client is waiting any more
                InetSocketAddress peer = stream.remoteAddress();
                String address = "('" + peer.getAddress().getHostAddress() + "', " + peer.getPort() + ")";
                rlist.add(new Client(stream, address, new ArrayDeque<>()));
                System.out.println(address + ": connected");
            }
        } catch (IOException e) { // probably out of descriptors: retrying at once would spin, so stop watching for now
            System.out.println("cannot accept: " + e.getMessage());
            rlist.remove(listener);
        }
    }

    private void receiveUrgent(Client client) throws IOException {
        System.out.println(client.address + ": urgent data \"" + (char) client.stream.receiveUrgent() + "\"");
    }

    private void read(Client client) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(1024);
        int count = client.stream.read(data); // 0: a spurious event; a reset throws
        if (count > 0) {
            String text = new String(data.array(), 0, count, ISO_8859_1);
            System.out.println(client.address + ": received \"" + text.replaceAll("[^ -~]", "?") + "\"");
            client.replies.add(ByteBuffer.wrap((text + client.address).getBytes(ISO_8859_1)));
            if (!wlist.contains(client)) {
                wlist.add(client); // there is something to send
            }
        }
        if (count < 0 || client.replies.size() == REPLIES_MAX) {
            rlist.remove(client); // at the end of input it stays readable forever; with a full queue the client must read first
        }
        if (count < 0 && client.replies.isEmpty()) {
            close(client, "end of input");
        }
    }

    private void write(Client client) throws IOException {
        ByteBuffer reply = client.replies.element();
        client.stream.write(reply); // may write only a part; the rest stays in the queue
        if (!reply.hasRemaining()) {
            client.replies.remove();
            if (client.replies.size() == REPLIES_MAX - 1 && !rlist.contains(client)) {
                rlist.add(client); // the queue has room again; if the input has ended, the next read reports it again
            }
        }
        if (client.replies.isEmpty()) {
            wlist.remove(client); // nothing to send: the socket would be writable all the time
            if (!rlist.contains(client)) {
                close(client, "end of input"); // all replies are sent
            }
        }
    }

    private interface Step {
        void run(Client client) throws IOException;
    }

    private void attempt(Client client, Step step) {
        try {
            if (client.stream.isOpen()) { // an earlier step of this loop may have closed it
                step.run(client);
            }
        } catch (IOException e) {
            close(client, e.getMessage());
        }
    }

    /** Removes the client from the lists before closing its socket: select fails on a closed socket. */
    private void close(Client client, String reason) {
        System.out.println(client.address + ": disconnected: " + reason);
        rlist.remove(client);
        wlist.remove(client);
        try {
            client.stream.close();
        } catch (IOException e) {
            System.out.println("cannot close: " + e.getMessage());
        }
    }
}
