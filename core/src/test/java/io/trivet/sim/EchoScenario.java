package io.trivet.sim;

import io.trivet.net.Loop;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.server.Session;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** An echo server with several clients that send lines and read them back, and a socket that sends datagrams to itself. */
final class EchoScenario {
    static final int CLIENTS = 10;
    private static final int LINES = 30;
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private final SimNetwork network;
    private final SimHost host;
    private final List<EchoClient> clients = new ArrayList<>();

    /** Whether a session serves each connection, instead of one handler for all. */
    private final boolean usesSessions;

    EchoScenario(SimNetwork network) {
        this(network, false);
    }

    EchoScenario(SimNetwork network, boolean usesSessions) {
        this.network = network;
        this.usesSessions = usesSessions;
        this.host = network.host(InetAddress.ofLiteral("10.0.0.1"));
    }

    /** A client, as a loop that the network turns. */
    private final class EchoClient implements Loop {
        private final InetSocketAddress address;
        private final byte[] script;
        private TcpStream stream;
        private int sent;
        private int received;
        private boolean ended;
        private final ByteBuffer in = ByteBuffer.allocate(300);

        EchoClient(int number, InetSocketAddress address) {
            this.address = address;
            StringBuilder lines = new StringBuilder();
            for (int i = 0; i < LINES; i++) {
                lines.append("client ").append(number).append(", line ").append(i).append(", ").append("x".repeat(i * 7))
                        .append('\n');
            }
            script = lines.toString().getBytes(StandardCharsets.US_ASCII);
        }

        @Override
        public int turn() {
            if (ended) {
                return 0;
            }
            try {
                return talk();
            } catch (IOException e) {
                return end(); // a fault: a refused or reset client is done
            }
        }

        private int talk() throws IOException {
            if (stream == null) {
                stream = host.connect(address);
            }
            if (!stream.finishConnect()) {
                return 0;
            }
            int done = 0;
            if (sent < script.length) {
                int written = stream.write(ByteBuffer.wrap(script, sent, Math.min(200, script.length - sent)));
                sent += written;
                done += written > 0 ? 1 : 0;
            }
            int read = stream.read(in.clear());
            for (int i = 0; i < read; i++) {
                check(in.get(i) == script[received++], "a byte differs from what was sent");
                done = 1;
            }
            return read < 0 || received == script.length ? end() : done;
        }

        private int end() {
            ended = true;
            if (stream != null) {
                try {
                    stream.close();
                } catch (IOException e) {
                    throw new AssertionError("close never fails here", e);
                }
            }
            return 1;
        }

        @Override
        public long nextDeadline() {
            return ended ? NO_DEADLINE : host.clock().nanoTime() + 1_000_000;
        }
    }

    /** Runs to the end, the last part without faults. Returns how many clients got everything back. */
    int run() throws IOException {
        ServerBuilder builder = Server.builder().network(network).listen(FREE_PORT).framing(Framing.lines())
                .limits(Limits.defaults().withQueueMarks(500, 100));
        if (usesSessions) {
            builder.loops(2).session(EchoScenario::echo);
        } else {
            builder.onMessage((connection, message) -> connection.send(message));
        }
        try (Server server = builder.open()) {
            for (int i = 0; i < CLIENTS; i++) {
                EchoClient client = new EchoClient(i, server.address());
                clients.add(client);
                network.attach(client);
            }
            sendDatagrams();
            network.run(Duration.ofSeconds(5));
            network.stopFaults();
            network.run(Duration.ofMinutes(5));
            check(clients.stream().allMatch(client -> client.ended), "without faults not every client comes to an end");
        }
        check(host.describeDescriptors().isEmpty(), host.describeDescriptors());
        check(network.describeDescriptors().isEmpty(), network.describeDescriptors());
        return (int) clients.stream().filter(client -> client.received == client.script.length).count();
    }

    /** Sleeps now and then, and waits with and without limit. */
    private static void echo(Session session) throws IOException {
        for (int i = 0;; i++) {
            ByteBuffer line;
            try {
                line = i % 3 == 0 ? session.receive() : session.receive(Duration.ofMillis(i));
            } catch (SocketTimeoutException e) {
                session.sleep(Duration.ofMillis(3));
                continue;
            }
            if (line == null) {
                return;
            }
            session.send(line);
        }
    }

    /** Not AssertJ, because this also runs in a process that has only the classes of this module. */
    private void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(network + ": " + otherwise);
        }
    }

    private void sendDatagrams() throws IOException {
        try (UdpSocket socket = network.udp(FREE_PORT)) {
            for (int i = 0; i < 50; i++) {
                socket.send(ByteBuffer.allocate(i), socket.localAddress());
            }
        }
    }
}
