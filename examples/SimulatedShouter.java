import static java.nio.charset.StandardCharsets.US_ASCII;

import io.trivet.net.TcpStream;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A handler with a bug, and the simulated network that finds it. Runs one seed after the other, and stops at the first failure.
 *
 *     java -cp app/target/trivet.jar examples/SimulatedShouter.java               finds the bug
 *     java -cp app/target/trivet.jar examples/SimulatedShouter.java --seed 4      prints the events of one seed
 *     java -cp app/target/trivet.jar examples/SimulatedShouter.java --fixed       runs the fixed handler, which passes
 */
public final class SimulatedShouter {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 8080);
    private static final int SEEDS = 1000;
    private static final List<String> LINES = List.of("one", "two", "three");

    /** Replies to every line in capitals. */
    static class Shouter implements Handler {
        /** The bug: one buffer of incomplete lines for all connections. A test with a single client does not find it. */
        private final StringBuilder incomplete = new StringBuilder();

        StringBuilder incomplete(Connection connection) {
            return incomplete;
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer bytes) {
            StringBuilder text = incomplete(connection).append(US_ASCII.decode(bytes));
            for (int end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
                connection.send(text.substring(0, end + 1).toUpperCase(Locale.ROOT));
                text.delete(0, end + 1);
            }
        }
    }

    /** Has a buffer for each connection. */
    static final class FixedShouter extends Shouter {
        @Override
        public void onOpen(Connection connection) {
            connection.attachment(new StringBuilder());
        }

        @Override
        StringBuilder incomplete(Connection connection) {
            return (StringBuilder) connection.attachment();
        }
    }

    public static void main(String[] args) throws IOException {
        boolean fixed = args.length == 1 && args[0].equals("--fixed");
        if (args.length == 2 && args[0].equals("--seed")) {
            System.out.println("replies: " + run(Long.parseLong(args[1]), new Shouter(), true));
            return;
        }
        List<String> expected = LINES.stream().map(line -> line.toUpperCase(Locale.ROOT)).toList();
        for (long seed = 1; seed <= SEEDS; seed++) {
            List<String> replies = run(seed, fixed ? new FixedShouter() : new Shouter(), false);
            if (!replies.equals(expected)) {
                System.out.println("seed " + seed + ": the replies are " + replies + " instead of " + expected
                        + "; for its events: --seed " + seed);
                System.exit(1);
            }
        }
        System.out.println(SEEDS + " seeds, all replies are right");
    }

    /** Runs three clients that send at once, on a network that delivers in pieces, some of them late. Returns the replies. */
    private static List<String> run(long seed, Handler handler, boolean verbose) throws IOException {
        FaultPlan plan = FaultPlan.none().with(Fault.LATENCY, 0.5).with(Fault.DRIBBLE, 0.3).with(Fault.SHORT_READ, 0.3);
        SimNetwork network = SimNetwork.of(seed, plan);
        if (verbose) {
            network.trace((nanos, event) -> System.out.printf("%10.6f s  %s%n", nanos / 1e9, event));
        }
        List<String> replies = new ArrayList<>();
        try (Server server = Server.builder().network(network).listen(ADDRESS).framing(Framing.raw()).handler(handler).open()) {
            List<TcpStream> clients = new ArrayList<>();
            for (int i = 0; i < LINES.size(); i++) {
                clients.add(network.connect(server.address()));
            }
            network.run(Duration.ofSeconds(1));
            for (int i = 0; i < LINES.size(); i++) {
                clients.get(i).write(US_ASCII.encode(LINES.get(i) + "\n"));
            }
            network.run(Duration.ofSeconds(10)); // simulated; in real time less than a millisecond
            for (TcpStream client : clients) {
                ByteBuffer reply = ByteBuffer.allocate(100);
                boolean more = true;
                while (more) {
                    more = client.read(reply) > 0;
                }
                replies.add(US_ASCII.decode(reply.flip()).toString().strip());
                client.close();
            }
        }
        return replies;
    }

    private SimulatedShouter() {}
}
