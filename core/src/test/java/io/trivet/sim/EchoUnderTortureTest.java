package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Engine;
import io.trivet.contract.Lab;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.TcpStream;
import io.trivet.net.UnavailableException;
import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The ten-line echo server with each framing, with faults on both sides: what many clients send comes back, compared byte for
 * byte. Two seeds are fixed, the third is new in every run; a failure names its seed.
 */
final class EchoUnderTortureTest {
    private static final int CLIENTS = 20;
    private static final int BYTES = 64 * 1024;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final List<Long> SEEDS = List.of(1L, 20_260_117L, System.nanoTime());
    private static final List<String> FRAMINGS = List.of("raw", "lines", "crlf", "delimited", "length1", "length2", "length4");
    /** Accepting fails often enough to be seen in every run of the test. */
    private static final FaultPlan PLAN = TortureNetwork.defaults().with(Fault.ACCEPT_NO_DESCRIPTOR, 0.03);
    private static final Map<Fault, Long> OCCURRED = new LinkedHashMap<>();
    private static int runs;

    /** Each engine with each framing, and with all seeds. */
    static Stream<Arguments> everyEngineAndFraming() {
        List<Arguments> runs = new ArrayList<>();
        for (Engine engine : Engine.REAL) {
            for (String framing : FRAMINGS) {
                runs.add(Arguments.of(engine.name(), framing, SEEDS.get(runs.size() % SEEDS.size())));
            }
        }
        return runs.stream();
    }

    static Stream<String> everyEngine() {
        return Engine.REAL.stream().map(Engine::name);
    }

    static Stream<Arguments> everyEngineAndSeed() {
        return everyEngine().flatMap(engine -> SEEDS.stream().map(seed -> Arguments.of(engine, seed)));
    }

    @ParameterizedTest(name = "{0}, {1}, seed {2}")
    @MethodSource("everyEngineAndFraming")
    void whatIsSentComesBack(String engine, String framing, long seed) throws IOException {
        echo(network(engine, seed, PLAN), framing, seed);
    }

    @ParameterizedTest
    @MethodSource("everyEngine")
    void whatIsSentComesBackAlthoughEveryFaultOccursAtEveryOpportunity(String engine) throws IOException {
        long seed = SEEDS.getLast();
        FaultPlan plan = FaultPlan.none();
        for (Fault fault : TortureNetwork.faults()) {
            plan = plan.with(fault, 1);
        }
        // A server that cannot accept pauses accepting, longer each time.
        echo(network(engine, seed, plan.with(Fault.ACCEPT_NO_DESCRIPTOR, 0)), "lines", seed);
    }

    private static void echo(TortureNetwork network, String framing, long seed) throws IOException {
        try (Server server = echoServer(network, framing, 1); Poller poller = network.poller()) {
            Random random = new Random(seed);
            List<Client> clients = new ArrayList<>();
            try {
                for (int i = 0; i < CLIENTS; i++) {
                    clients.add(new Client(network, server.address(), frames(framing, random), random.nextLong()));
                    poller.register(clients.get(i).stream, Interest.READ | Interest.WRITE, i);
                }
                talk(poller, clients, server, network);
            } finally {
                for (Client client : clients) {
                    client.stream.close();
                }
            }
        }
        remember(network);
    }

    @ParameterizedTest(name = "{0}, seed {1}")
    @MethodSource("everyEngineAndSeed")
    void outgoingConnectionsOfAServerMeetTheSameFaults(String engine, long seed) throws InterruptedException, IOException {
        TortureNetwork network = network(engine, seed, PLAN);
        try (Server server = echoServer(network, "length2", 2);
                Server clients = Server.builder().network(network).framing(Framing.lengthPrefixed(2)).loops(2)
                        .handler((connection, message) -> connection.close()).start()) {
            BlockingQueue<String> outcomes = new LinkedBlockingQueue<>();
            Random random = new Random(seed);
            for (int i = 0; i < CLIENTS; i++) {
                clients.connect(server.address(), new Caller(random.nextLong(), outcomes));
            }
            for (int i = 0; i < CLIENTS; i++) {
                String outcome = outcomes.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                assertThat(outcome).as("outcome %d, %s", i, network).isEqualTo("all came back, then FINISHED");
            }
        }
        remember(network);
    }

    @AfterAll
    static void everyFaultHasOccurred() {
        if (runs < 40) {
            return; // a few runs need not have met them all
        }
        for (Fault fault : TortureNetwork.faults()) {
            assertThat(OCCURRED.getOrDefault(fault, 0L)).as("%s in %s", fault, OCCURRED).isPositive();
        }
    }

    private static void remember(TortureNetwork network) {
        runs++;
        network.faultCounts().forEach((fault, count) -> OCCURRED.merge(fault, count, Long::sum));
    }

    private static TortureNetwork network(String engine, long seed, FaultPlan plan) {
        try {
            return TortureNetwork.of(Network.named(engine), seed, plan);
        } catch (UnavailableException e) {
            Assumptions.abort(e.reason());
            throw e;
        }
    }

    private static Server echoServer(Network network, String framing, int loops) throws IOException {
        return Server.builder()
                .listen(Lab.FREE_PORT)
                .network(network)
                .framing(framing(framing))
                .loops(loops)
                .onMessage((connection, message) -> connection.send(message))
                .start();
    }

    private static Framing framing(String name) {
        return switch (name) {
            case "raw" -> Framing.raw();
            case "lines" -> Framing.lines();
            case "crlf" -> Framing.lines("\r\n");
            case "delimited" -> Framing.delimited((byte) 0, (byte) 0xff, (byte) 0);
            default -> Framing.lengthPrefixed(name.charAt(6) - '0');
        };
    }

    /** Returns whole frames of random lengths, 64 KiB or a little less. Their payloads contain no byte that could end a frame. */
    private static byte[] frames(String framing, Random random) {
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        while (frames.size() < BYTES - 4100) {
            int lengthMax = framing.equals("length1") ? 255 : random.nextInt(8) == 0 ? 4000 : 100;
            byte[] payload = new byte[random.nextInt(lengthMax + 1)];
            for (int i = 0; i < payload.length; i++) {
                payload[i] = (byte) ('a' + random.nextInt(26));
            }
            byte[] head = new byte[framing.startsWith("length") ? framing.charAt(6) - '0' : 0];
            for (int i = 0; i < head.length; i++) {
                head[i] = (byte) (payload.length >>> (8 * (head.length - 1 - i)));
            }
            frames.writeBytes(head);
            frames.writeBytes(payload);
            frames.writeBytes(switch (framing) {
                case "lines" -> new byte[]{'\n'};
                case "crlf" -> new byte[]{'\r', '\n'};
                case "delimited" -> new byte[]{0, (byte) 0xff, 0};
                default -> new byte[0];
            });
        }
        return frames.toByteArray();
    }

    private static void talk(Poller poller, List<Client> clients, Server server, TortureNetwork network) throws IOException {
        ReadyEvents ready = new ReadyEvents(64);
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        int finished = 0;
        while (finished < clients.size()) {
            assertThat(System.nanoTime()).as(() -> "in time: %s, %s, %s".formatted(clients, server.connections(), network))
                    .isLessThan(deadline);
            poller.poll(ready, Duration.ofSeconds(1).toNanos());
            for (int i = 0; i < ready.size(); i++) {
                int index = (int) ready.token(i);
                Client client = clients.get(index);
                int interest;
                try {
                    interest = client.advance(ready.events(i));
                } catch (NetworkException e) {
                    throw new AssertionError("client %d, %s, %s".formatted(index, client, network), e);
                }
                poller.modify(client.stream, interest, index);
                finished += interest == 0 ? 1 : 0;
            }
        }
    }

    /** Writes its bytes as the socket accepts them, ends its output, and compares what comes back until the end. */
    private static final class Client {
        final TcpStream stream;
        private final ByteBuffer out;
        private final ByteBuffer expected;
        private final ByteBuffer in = ByteBuffer.allocateDirect(16 * 1024);
        private final Random random;
        private boolean connected;
        private boolean ended;

        Client(TortureNetwork network, InetSocketAddress address, byte[] bytes, long seed) throws IOException {
            stream = network.connect(address);
            out = ByteBuffer.wrap(bytes);
            expected = ByteBuffer.wrap(bytes);
            random = new Random(seed);
        }

        /** Does what its events allow. Returns its next interest; 0: it has finished. */
        int advance(int events) throws IOException {
            if (!connected) {
                connected = stream.finishConnect();
                if (connected) {
                    stream.setOption(StandardSocketOptions.SO_SNDBUF, 4096); // so that it is full sometimes
                }
                return Interest.READ | Interest.WRITE;
            }
            if ((events & Interest.READ) != 0 && read()) {
                return 0;
            }
            if ((events & Interest.WRITE) != 0 && !ended) {
                write();
            }
            return ended ? Interest.READ : Interest.READ | Interest.WRITE;
        }

        private boolean read() throws IOException {
            int count = stream.read(in.clear());
            if (count < 0) {
                assertThat(expected.remaining()).as("bytes that did not come back before the end").isZero();
                return true;
            }
            in.flip();
            assertThat(count).as("bytes that come back").isLessThanOrEqualTo(expected.remaining());
            ByteBuffer same = expected.slice(expected.position(), count);
            assertThat(in.mismatch(same)).as("place in the %d bytes behind %d", count, expected.position()).isEqualTo(-1);
            expected.position(expected.position() + count);
            return false;
        }

        private void write() throws IOException {
            int chunk = Math.min(out.remaining(), 1 + random.nextInt(1 << random.nextInt(15)));
            ByteBuffer part = out.slice(out.position(), chunk);
            out.position(out.position() + stream.write(part));
            if (!out.hasRemaining()) {
                stream.shutdownOutput();
                ended = true;
            }
        }

        @Override
        public String toString() {
            return stream + (connected ? " has written " + out.position() + ", read " + expected.position() : " connecting");
        }
    }

    /** Sends its messages in batches, and expects each of them back. */
    private static final class Caller implements Handler {
        private static final int MESSAGES = 200;

        private final Random sending;
        private final Random expecting;
        private final BlockingQueue<String> outcomes;
        private int sent;
        private int received;
        private String failure = "";

        Caller(long seed, BlockingQueue<String> outcomes) {
            sending = new Random(seed);
            expecting = new Random(seed);
            this.outcomes = outcomes;
        }

        @Override
        public void onOpen(Connection connection) {
            sendSome(connection);
        }

        private void sendSome(Connection connection) {
            for (int i = 0; i < 10 && sent < MESSAGES; i++) {
                connection.send(ByteBuffer.wrap(message(sending)));
                sent++;
            }
        }

        private static byte[] message(Random random) {
            byte[] message = new byte[random.nextInt(random.nextInt(8) == 0 ? 2000 : 100)];
            random.nextBytes(message);
            return message;
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            byte[] bytes = new byte[message.remaining()];
            message.get(bytes);
            if (!Arrays.equals(bytes, message(expecting))) {
                failure = "message " + received + " differs";
                connection.close();
            } else if (++received == MESSAGES) {
                connection.finish();
            } else if (received % 10 == 0) {
                sendSome(connection);
            }
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            String all = received == MESSAGES ? "all came back" : received + " came back";
            outcomes.add((failure.isEmpty() ? all : failure) + ", then " + reason);
        }
    }
}
