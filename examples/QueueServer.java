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
 * An echo server with one message queue per connection, to use with TwoSocketClient.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/QueueServer.java [HOST PORT [ENGINE]]
 */
public final class QueueServer {
    private static final int QUEUED_MAX = 16;

    /** Sockets to read from, and sockets to write to. */
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
            System.out.println("urgent data is not watched: " + network.name() + " does not support it");
        }
        inputs.add(server);
        while (true) {
            System.out.println("waiting for the next event");
            Ready<Socket> ready = Select.on(network).select(inputs, outputs, urgent ? inputs : List.of(), null);
            for (Socket socket : ready.exceptional()) { // before reading: a read at the urgent mark destroys the urgent byte
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
        } catch (IOException e) { // out of descriptors: stop accepting until a connection is closed
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
            inputs.remove(connection); // end of input: only replies are left to send; full queue: the client must read first
        }
        if (count < 0 && queue.isEmpty()) {
            close(connection, "end of input");
        }
    }

    private void send(TcpStream connection) throws IOException {
        Queue<ByteBuffer> queue = messageQueues.get(connection);
        connection.write(queue.element()); // may write only a part
        if (!queue.element().hasRemaining()) {
            queue.remove();
            if (queue.size() == QUEUED_MAX - 1 && !inputs.contains(connection)) {
                inputs.add(connection);
            }
        }
        if (queue.isEmpty()) {
            outputs.remove(connection);
            if (!inputs.contains(connection)) {
                close(connection, "end of input");
            }
        }
    }

    private interface Step {
        void run(TcpStream connection) throws IOException;
    }

    private void handle(TcpStream connection, Step step) {
        try {
            if (connection.isOpen()) { // an earlier step of this loop may have closed it
                step.run(connection);
            }
        } catch (IOException e) {
            close(connection, e.getMessage()); // for example a reset, which makes a socket readable, not exceptional
        }
    }

    /** Removes the connection from all lists before closing it: select fails on a closed socket. */
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
            System.out.println("cannot close: " + e.getMessage());
        }
    }
}
