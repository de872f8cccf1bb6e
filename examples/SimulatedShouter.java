import static java.nio.charset.StandardCharsets.US_ASCII;

import io.trivet.net.TcpStream;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.Fault;
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
 * A handler with a bug, and the simulated network that finds it: runs seed after seed, and stops at the first that goes wrong.
 *
 *     java -cp app/target/trivet.jar examples/SimulatedShouter.java               finds the bug
 *     java -cp app/target/trivet.jar examples/SimulatedShouter.java --seed 4      shows a seed, event by event
 *     java -cp app/target/trivet.jar examples/SimulatedShouter.java --mended      finds nothing
 */
public final class SimulatedShouter {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 8080);
    private static final int SEEDS = 1000;
    private static final List<String> LINES = List.of("one", "two", "three");

    /** Answers every line in capitals. */
    static class Shouter implements Handler {
        /** The bug: the beginning of a line is kept in one place for all connections. Who tries it with a single client sees nothing. */
        private final StringBuilder beginning = new StringBuilder();

        StringBuilder beginning(Connection connection) {
            return beginning;
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer bytes) {
            StringBuilder text = beginning(connection).append(US_ASCII.decode(bytes));
            for (int end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
                connection.send(text.substring(0, end + 1).toUpperCase(Locale.ROOT));
                text.delete(0, end + 1);
            }
        }
    }

    /** The same with a place for each connection. */
    static final class MendedShouter extends Shouter {
        @Override
        public void onOpen(Connection connection) {
            connection.attachment(new StringBuilder());
        }

        @Override
        StringBuilder beginning(Connection connection) {
            return (StringBuilder) connection.attachment();
        }
    }

    public static void main(String[] args) throws IOException {
        boolean mended = args.length == 1 && args[0].equals("--mended");
        if (args.length == 2 && args[0].equals("--seed")) {
            System.out.println("the answers: " + run(Long.parseLong(args[1]), new Shouter(), true));
            return;
        }
        List<String> right = LINES.stream().map(line -> line.toUpperCase(Locale.ROOT)).toList();
        for (long seed = 1; seed <= SEEDS; seed++) {
            List<String> answers = run(seed, mended ? new MendedShouter() : new Shouter(), false);
            if (!answers.equals(right)) {
                System.out.println("seed " + seed + ": the answers are " + answers + " instead of " + right
                        + "; to see how: --seed " + seed);
                System.exit(1);
            }
        }
        System.out.println(SEEDS + " seeds, and all answers are right");
    }

    /** Three clients speak at once, on a net that brings what they say in pieces, some of them late; what they are answered. */
    private static List<String> run(long seed, Handler handler, boolean tell) throws IOException {
        FaultPlan plan = FaultPlan.none().with(Fault.LATENCY, 0.5).with(Fault.DRIBBLE, 0.3).with(Fault.SHORT_READ, 0.3);
        SimNetwork network = SimNetwork.of(seed, plan);
        if (tell) {
            network.trace((nanos, event) -> System.out.printf("%10.6f s  %s%n", nanos / 1e9, event));
        }
        List<String> answers = new ArrayList<>();
        try (Server server = Server.builder().network(network).listen(ADDRESS).framing(Framing.raw()).handler(handler).open()) {
            List<TcpStream> clients = new ArrayList<>();
            for (int i = 0; i < LINES.size(); i++) {
                clients.add(network.connect(server.address()));
            }
            network.run(Duration.ofSeconds(1));
            for (int i = 0; i < LINES.size(); i++) {
                clients.get(i).write(US_ASCII.encode(LINES.get(i) + "\n"));
            }
            network.run(Duration.ofSeconds(10)); // of simulated time, which takes less than a millisecond of ours
            for (TcpStream client : clients) {
                ByteBuffer answer = ByteBuffer.allocate(100);
                boolean more = true;
                while (more) {
                    more = client.read(answer) > 0;
                }
                answers.add(US_ASCII.decode(answer.flip()).toString().strip());
                client.close();
            }
        }
        return answers;
    }

    private SimulatedShouter() {}
}
