import io.trivet.net.Capability;
import io.trivet.net.Network;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

/**
 * A server with one message queue per connection, which sends back what it received. TwoSocketClient talks to it.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/QueueServer.java [HOST PORT [ENGINE]]
 */
public final class QueueServer {
    private static final int QUEUED_MAX = 16;

    /** Sockets from which we expect to read, and to which we expect to write. */
    private final List<Socket> inputs = new ArrayList<>();
    private final List<Socket> outputs = new ArrayList<>();
    private final Map<Socket, Queue<ByteBuffer>> messageQueues = new HashMap<>();
    private final TcpListener server;

    private QueueServer(TcpListener server) {
        this.server = server;
    }

    public static void main(String[] args) {
        InetSocketAddress address = args.length < 2
                ? new InetSocketAddress("localhost", 8090)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        Network network = args.length < 3 ? Network.system() : Network.named(args[2]);
        try (TcpListener server = network.listen(address, 10)) {
            System.out.println("starting up on port " + server.localAddress().getPort());
            new QueueServer(server).serve(network);
        } catch (IOException e) {
            System.out.println("cannot serve: " + e.getMessage());
            System.exit(1);
        }
    }

    private void serve(Network network) throws IOException {
        boolean urgent = network.supports(Capability.URGENT_DATA);
        if (!urgent) {
            System.out.println("the third list is not watched: " + network.name() + " does not see urgent data");
        }
        inputs.add(server);
        while (true) {
            System.out.println("waiting for the next event");
            Ready<Socket> ready = Select.on(network).select(inputs, outputs, urgent ? inputs : List.of(), null);
            for (Socket socket : ready.exceptional()) { // before reading: a read at the mark destroys the urgent byte
                handle((TcpStream) socket, stream -> System.out.println("urgent: " + (char) stream.receiveUrgent()));
            }
            for (Socket socket : ready.readable()) {
                if (socket instanceof TcpStream stream) {
                    handle(stream, this::receive);
                } else {
                    accept();
                }
            }
            for (Socket socket : ready.writable()) {
                handle((TcpStream) socket, this::send);
            }
        }
    }

    private void accept() {
        try {
            TcpStream connection = server.accept();
            if (connection != null) {
                System.out.println("connection from " + connection.remoteAddress());
                inputs.add(connection);
                messageQueues.put(connection, new ArrayDeque<>());
            }
        } catch (IOException e) { // out of descriptors: until one is closed it would only fail again
            System.out.println("cannot accept: " + e.getMessage());
            inputs.remove(server);
        }
    }

    private void receive(TcpStream connection) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(1024);
        int count = connection.read(data);
        Queue<ByteBuffer> queue = messageQueues.get(connection);
        if (count > 0) {
            System.out.println("received " + count + " bytes from " + connection.remoteAddress());
            queue.add(data.flip());
            if (!outputs.contains(connection)) {
                outputs.add(connection);
            }
        }
        if (count < 0 || queue.size() == QUEUED_MAX) {
            inputs.remove(connection); // it has finished, and may still read; or it should read first what waits for it
        }
        if (count < 0 && queue.isEmpty()) {
            close(connection, "it has finished");
        }
    }

    private void send(TcpStream connection) throws IOException {
        Queue<ByteBuffer> queue = messageQueues.get(connection);
        connection.write(queue.element()); // a part of it, when there is little room
        if (!queue.element().hasRemaining()) {
            queue.remove();
            if (queue.size() == QUEUED_MAX - 1 && !inputs.contains(connection)) {
                inputs.add(connection);
            }
        }
        if (queue.isEmpty()) {
            outputs.remove(connection);
            if (!inputs.contains(connection)) {
                close(connection, "it has finished");
            }
        }
    }

    private interface Step {
        void of(TcpStream connection) throws IOException;
    }

    private void handle(TcpStream connection, Step step) {
        try {
            if (connection.isOpen()) { // an earlier step of this round may have closed it
                step.of(connection);
            }
        } catch (IOException e) {
            close(connection, e.getMessage()); // a reset: it makes a socket readable, never exceptional
        }
    }

    /** After this every use of the socket fails, whichever list still holds it: so it leaves all of them. */
    private void close(TcpStream connection, String reason) {
        System.out.println("closing " + connection + ": " + reason);
        inputs.remove(connection);
        outputs.remove(connection);
        messageQueues.remove(connection);
        if (!inputs.contains(server)) {
            inputs.add(server);
        }
        try {
            connection.close();
        } catch (IOException e) {
            System.out.println("closing: " + e.getMessage());
        }
    }
}
