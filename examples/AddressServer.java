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
 * Many clients on one thread: each message is answered with itself and the client's address, hello('127.0.0.1', 54321).
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/AddressServer.java [HOST PORT [ENGINE]]
 */
public final class AddressServer {
    /** A queue must have a limit: a client that reads none of its replies would fill the memory. */
    private static final int REPLIES_MAX = 16;

    /** A client as it stands in the lists: its socket, its address as Python prints it, and the replies that wait for it. */
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
        // Sets SO_REUSEADDR, binds, listens. Every socket of Trivet is non-blocking.
        try (TcpListener listener = network.listen(address, 10)) {
            System.out.println("listening on port " + listener.localAddress().getPort());
            new AddressServer().serve(network, listener);
        } catch (IOException e) {
            System.out.println("server error, reason = " + e.getMessage());
            System.exit(1);
        }
    }

    private void serve(Network network, TcpListener listener) throws IOException {
        boolean urgent = network.supports(Capability.URGENT_DATA);
        if (!urgent) {
            System.out.println("the third list is not watched: " + network.name() + " does not see urgent data");
        }
        rlist.add(listener);
        while (true) {
            Ready<Selectable> ready = Select.on(network).select(rlist, wlist, urgent ? rlist : List.of(), Duration.ofSeconds(3));
            System.out.println("select again");
            if (ready.isEmpty() && !rlist.contains(listener)) {
                rlist.add(listener);
            }
            // The third list is urgent data, not errors. It goes first: a read at its mark would destroy the urgent byte.
            for (Selectable member : ready.exceptional()) {
                attempt((Client) member, this::takeUrgent);
            }
            for (Selectable member : ready.readable()) {
                if (member instanceof Client client) {
                    attempt(client, this::read);
                } else {
                    accept(listener);
                }
            }
            // No copy of wlist: a socket whose send buffer is full is not in it.
            for (Selectable member : ready.writable()) {
                attempt((Client) member, this::write);
            }
        }
    }

    private void accept(TcpListener listener) {
        try {
            TcpStream stream = listener.accept();
            if (stream != null) { // null: it was gone before we asked
                InetSocketAddress peer = stream.remoteAddress();
                String address = "('" + peer.getAddress().getHostAddress() + "', " + peer.getPort() + ")";
                rlist.add(new Client(stream, address, new ArrayDeque<>()));
                System.out.println("new client is connecting, client is " + address);
            }
        } catch (IOException e) { // no descriptor is left, likely: asking again at once would spin, so it sits out a while
            System.out.println("accept error, reason = " + e.getMessage());
            rlist.remove(listener);
        }
    }

    private void takeUrgent(Client client) throws IOException {
        System.out.println(client.address + " urgent data, data = " + (char) client.stream.receiveUrgent());
    }

    private void read(Client client) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(1024);
        int count = client.stream.read(data); // 0: nothing was there after all; a reset shows here, as an exception
        if (count > 0) {
            String text = new String(data.array(), 0, count, ISO_8859_1);
            System.out.println(client.address + " coming data, data = " + text.replaceAll("[^ -~]", "?"));
            client.replies.add(ByteBuffer.wrap((text + client.address).getBytes(ISO_8859_1)));
            if (!wlist.contains(client)) {
                wlist.add(client); // now it has something to be sent
            }
        }
        if (count < 0 || client.replies.size() == REPLIES_MAX) {
            rlist.remove(client); // the end of its input, which would be readable for ever; or it does not read its replies
        }
        if (count < 0 && client.replies.isEmpty()) {
            forget(client, "it has finished");
        }
    }

    private void write(Client client) throws IOException {
        ByteBuffer reply = client.replies.element();
        client.stream.write(reply); // takes what there is room for; the rest stays in the queue
        if (!reply.hasRemaining()) {
            client.replies.remove();
            if (client.replies.size() == REPLIES_MAX - 1 && !rlist.contains(client)) {
                rlist.add(client); // its queue has room again; if it had finished, the next read says so again
            }
        }
        if (client.replies.isEmpty()) {
            wlist.remove(client); // nothing to be sent: it would be writable all the time
            if (!rlist.contains(client)) {
                forget(client, "it has finished"); // and now has all its replies
            }
        }
    }

    private interface Step {
        void of(Client client) throws IOException;
    }

    private void attempt(Client client, Step step) {
        try {
            if (client.stream.isOpen()) { // an earlier step of this round may have closed it
                step.of(client);
            }
        } catch (IOException e) {
            forget(client, e.getMessage());
        }
    }

    /** Out of the lists first: one closed socket in them would fail the next call. */
    private void forget(Client client, String reason) {
        System.out.println("a client is disconnected " + client.address + ", reason = " + reason);
        rlist.remove(client);
        wlist.remove(client);
        try {
            client.stream.close();
        } catch (IOException e) {
            System.out.println("close error, reason = " + e.getMessage());
        }
    }
}
