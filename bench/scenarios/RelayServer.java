import static java.nio.charset.StandardCharsets.UTF_8;

import io.trivet.nats.BusOverflow;
import io.trivet.nats.BusState;
import io.trivet.nats.Relay;
import io.trivet.nats.RelayListener;
import io.trivet.nats.RelayOptions;
import io.trivet.nats.RelayStats;
import io.trivet.net.Network;
import io.trivet.net.UnixAddress;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Handover;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/**
 * The server of the scenario relay: a chat with topics. It numbers the messages that it accepts for each topic, so that clients can check that
 * no loss goes unreported. These numbers are independent of those that the relay itself uses.
 *
 * <p>Arguments: port, URL of NATS, bytes of the relay's queue, path for the handover.
 *
 * <p>Lines from a client: {@code I ID} registers an id, {@code J TOPIC} joins, {@code P TOPIC TEXT} publishes. Lines to a client:
 * {@code H SERVER} at the start, {@code J TOPIC} as the answer to a join, {@code M TOPIC SERVER NUMBER TEXT}, {@code G TOPIC SERVER MISSED} for a
 * gap, {@code L SERVER} for a lost server, {@code B} when a successor has taken over: the client should connect again.
 *
 * <p>Standard input takes commands, each of which is answered by one line: {@code accepted}, {@code presence}, {@code stats}, and
 * {@code flood MESSAGES}, which publishes that number of long messages per second to a topic without members.
 */
public final class RelayServer implements Handler, RelayListener {
    private static final int MESSAGE_BYTES_MAX = 4096;
    private static final int INBOUND_BYTES_MAX = 16 << 20;
    private static final int TOPICS_MAX = 1000;
    private static final Duration QUEUE_AGE_MAX = Duration.ofSeconds(30);
    private static final Duration GRACE = Duration.ofSeconds(20);
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);
    private static final int FLOOD_TURNS_PER_SECOND = 50;

    private final CountDownLatch isRelaySet = new CountDownLatch(1);
    /** The number of accepted messages by topic. Loop thread only. */
    private final Map<String, Long> accepted = new TreeMap<>();
    private volatile Server server;
    private volatile Relay relay;
    private volatile long reportedDrops;
    private int floodRate;

    public static void main(String[] args) throws Exception {
        new RelayServer().serve(Integer.parseInt(args[0]), args[1], Integer.parseInt(args[2]), args[3]);
    }

    private void serve(int port, String url, int queueBytes, String path) throws IOException, InterruptedException {
        RelayOptions options = RelayOptions.of(url).withLimits(INBOUND_BYTES_MAX, MESSAGE_BYTES_MAX, TOPICS_MAX)
                .withQueue(queueBytes, 1 << 16, QUEUE_AGE_MAX, BusOverflow.DROP_OLDEST);
        Network network = Network.system();
        try (Handover handover = Handover.open(network, UnixAddress.ofPath(path))) {
            ServerBuilder builder = Server.builder().network(network).framing(Framing.lines()).overflow(Overflow.DISCONNECT).handler(this);
            if (handover.isTaken()) {
                builder.listen(handover);
            } else {
                builder.listen(new InetSocketAddress(port));
            }
            try (Server started = builder.start(); Relay connected = Relay.connect(started, options, this)) {
                server = started;
                relay = connected;
                isRelaySet.countDown();
                handover.beforeDrain(this::leaveOthers);
                handover.complete(started, GRACE, DRAIN_TIMEOUT, successor -> started.broadcast(bytes("B")));
                print("ready " + connected.id());
                Thread.ofPlatform().daemon().start(this::readCommands);
                started.join();
            }
        }
        print("ended " + accepted());
    }

    private void leaveOthers() {
        relay.drain(DRAIN_TIMEOUT);
        try {
            if (!relay.awaitClosed(DRAIN_TIMEOUT.multipliedBy(2))) {
                log("the relay has not ended");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- clients

    @Override
    public void onOpen(Connection connection) {
        connection.send(bytes("H " + relay().id()));
    }

    /** Returns the relay. Waits for the moment between the start of the server and that of the relay. */
    private Relay relay() {
        try {
            isRelaySet.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return relay;
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) {
        String[] words = UTF_8.decode(message).toString().split(" ", 3);
        switch (words[0]) {
            case "I" -> relay.register(connection, words[1]);
            case "J" -> {
                relay.join(connection, words[1]);
                connection.send(bytes("J " + words[1])); // whatever the client publishes from now on, it receives
            }
            case "P" -> publish(connection, words[1], words[2]);
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private void publish(Connection connection, String topic, String text) {
        long number = accepted.getOrDefault(topic, 0L) + 1;
        SendResult result = relay.publish(topic, bytes("M " + topic + " " + relay.id() + " " + number + " " + text));
        if (result == SendResult.QUEUED) {
            accepted.put(topic, number);
        } else {
            connection.send(bytes("F " + topic + " " + text));
        }
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) {
        relay.forget(connection);
    }

    private static ByteBuffer bytes(String text) {
        return UTF_8.encode(text);
    }

    // ---- the other servers

    @Override
    public void onGap(String topic, String from, long missed) {
        relay().publishHere(topic, bytes("G " + topic + " " + from + " " + missed));
    }

    @Override
    public void onServer(String other, ServerChange change) {
        log("server " + other + " " + change);
        if (change == ServerChange.LOST) {
            server.broadcast(bytes("L " + other));
        }
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // only the loop writes
    public void onDropped(long messages, long bytes) {
        reportedDrops += messages;
    }

    @Override
    public void onBus(BusState state, String reason) {
        log("bus " + state + " " + reason);
    }

    private static void log(String text) {
        System.err.println(LocalTime.now() + " " + text);
    }

    // ---- the scenario

    private void readCommands() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ");
                switch (words[0]) {
                    case "accepted" -> server.execute(() -> print("accepted " + accepted()));
                    case "presence" -> print("presence " + presence());
                    case "stats" -> print("stats " + stats());
                    case "flood" -> server.execute(() -> startFlood(Integer.parseInt(words[1])));
                    default -> log("unknown command " + line);
                }
            }
        } catch (IOException e) {
            log("standard input: " + e.getMessage());
        }
    }

    private void startFlood(int messagesPerSecond) {
        boolean isRunning = floodRate > 0;
        floodRate = messagesPerSecond;
        if (!isRunning) {
            flood();
        }
        print("flood");
    }

    private void flood() {
        for (int i = 0; i < floodRate / FLOOD_TURNS_PER_SECOND; i++) {
            relay.publish("flood", ByteBuffer.allocate(MESSAGE_BYTES_MAX));
        }
        if (floodRate > 0) {
            server.schedule(Duration.ofSeconds(1).dividedBy(FLOOD_TURNS_PER_SECOND), this::flood);
        }
    }

    private String accepted() {
        return relay.id() + accepted.entrySet().stream().map(each -> " " + each.getKey() + "=" + each.getValue())
                .collect(Collectors.joining());
    }

    /** Returns the number of clients by server. */
    private String presence() {
        Map<String, Long> clients = relay.presence().values().stream().flatMap(List::stream)
                .collect(Collectors.groupingBy(each -> each, TreeMap::new, Collectors.counting()));
        return clients.entrySet().stream().map(each -> each.getKey() + "=" + each.getValue()).collect(Collectors.joining(" "));
    }

    private String stats() {
        RelayStats stats = relay.stats();
        return "connects=" + stats.connects() + " queuedBytes=" + stats.queuedBytes() + " dropped=" + stats.dropped() + " reportedDrops="
                + reportedDrops + " missed=" + stats.missed() + " duplicates=" + stats.duplicates() + " overruns=" + stats.overruns()
                + " slow=" + stats.slow();
    }

    private static synchronized void print(String line) {
        System.out.println(line);
    }
}
