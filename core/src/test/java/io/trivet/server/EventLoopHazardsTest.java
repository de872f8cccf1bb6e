package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.NotSimulated;
import io.trivet.net.Clock;
import io.trivet.net.TcpListener;
import io.trivet.observe.ConnectionState;
import io.trivet.sim.TortureNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Known hazards of event loops: spinning, confusing connections, starving other connections. */
final class EventLoopHazardsTest {
    private static final Handler SILENT = (connection, message) -> {};

    /** Checks that a loop without work waits, whatever the state of its sockets. A spinning loop would be done at once. */
    private static void assertWaits(Stage stage, Server server) throws IOException {
        int turns = 20;
        Duration wait = Duration.ofMillis(5);
        Clock clock = stage.network().clock();
        long start = clock.nanoTime();
        for (int i = 0; i < turns; i++) {
            server.turn(wait);
        }
        assertThat(clock.nanoTime() - start).as("ns for %d turns of %s", turns, wait).isGreaterThan(wait.toNanos() * turns / 4);
    }

    @EveryNetwork
    void pausedConnectionDoesNotSpinAfterAReset(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        story.connection(0).pauseReading();
        stage.settle();
        client.reset();
        stage.settle();
        assertThat(story.callbacks()).containsExactly("open");
        assertWaits(stage, server);
        story.connection(0).resumeReading();
        stage.until("the reset is reported", () -> story.callbacks().contains("close RESET"));
    }

    @EveryNetwork
    void connectionDoesNotSpinAfterEndOfInput(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onEndOfInput(Connection connection) {
                // The connection stays open for sending.
            }
        });
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("last\n");
        client.finish();
        stage.until("the end is reported", () -> story.callbacks().equals(List.of("open", "message last", "end")));
        stage.settle();
        assertWaits(stage, server);
        story.connection(0).send("answer");
        story.connection(0).finish();
        assertThat(client.restText()).isEqualTo("answer\n");
    }

    @EveryNetwork
    void connectingConnectionDoesNotSpin(Stage stage) throws IOException {
        TcpListener full = stage.keep(stage.network().listen(Stage.FREE_PORT, 1));
        for (int i = 0; i < 8; i++) { // a full backlog drops further connects
            stage.keep(stage.network().connect(full.localAddress()));
        }
        Server server = stage.open(stage.steppedServer(SILENT));
        Connection connection = server.connect(full.localAddress(), stage.story(SILENT));
        stage.settle();
        assertThat(connection.state()).isEqualTo(ConnectionState.CONNECTING);
        assertWaits(stage, server);
    }

    @EveryNetwork
    void connectionClosedByAnEarlierEventOfTheSameTurnGetsNoFurtherCallback(Stage stage) throws IOException {
        List<Connection> open = new ArrayList<>();
        Story story = stage.story(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                open.add(connection);
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                open.removeIf(other -> {
                    if (other.id() != connection.id()) {
                        other.close();
                    }
                    return other.id() != connection.id();
                });
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        for (int round = 1; round <= 5; round++) {
            int clients = open.isEmpty() ? 8 : 7;
            List<Client> others = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                others.add(stage.client(server));
            }
            stage.until("open", () -> open.size() == 8);
            for (Client client : others) {
                client.send("x\n"); // all are ready when the loop polls
            }
            int messages = round;
            stage.until("one is left", () -> open.size() == 1 && story.count("message") == messages);
            stage.settle();
            assertThat(story.count("message")).as("only one of the ready connections gets a callback").isEqualTo(messages);
            assertThat(story.count("close CLOSED")).isEqualTo(7 * round);
        }
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.TIME)
    void noConnectionGetsMoreThanItsShareOfATurn(Stage stage) throws IOException {
        int flood = 20_000;
        int[] flooded = {0};
        int[] floodedBefore = {-1};
        Server server = stage.open(stage.server((connection, message) -> {
            if (message.hasRemaining()) {
                floodedBefore[0] = flooded[0];
            } else {
                flooded[0]++;
            }
        }).framing(Framing.lines()));
        Client flooding = stage.client(server);
        Client other = stage.client(server);
        stage.until("both are open, with TLS after their handshakes", () -> server.connections().stream()
                .filter(connection -> connection.state() == ConnectionState.OPEN).count() == 2);
        flooding.channel().write(ByteBuffer.wrap(Client.bytes("\n".repeat(flood))));
        other.channel().write(ByteBuffer.wrap(Client.bytes("hello\n")));
        while (flooded[0] < flood) {
            int before = flooded[0];
            long completionsBefore = server.stats().total().completions();
            server.turn(Duration.ofMillis(1));
            long completions = server.stats().total().completions() - completionsBefore;
            // One share for each piece just received (one with a poller, up to the number of buffers with a ring), and one for what was left.
            assertThat(flooded[0] - before).isLessThanOrEqualTo((int) (completions + 1) * Delivery.MESSAGES_PER_DELIVERY_MAX);
        }
        stage.until("the other is served", () -> floodedBefore[0] >= 0);
        if (!(stage.network() instanceof TortureNetwork)) { // which may deny that the other is ready, for any number of turns
            assertThat(floodedBefore[0]).as("messages of the flood before the other's").isLessThan(flood);
        }
    }

    @EveryNetwork
    void acceptsPerTurnAreBounded(Stage stage) throws IOException {
        int clients = 150;
        Server server = stage.open(stage.server(SILENT));
        for (int i = 0; i < clients; i++) {
            stage.keep(new Client(stage, server.address(), false));
        }
        long accepted = 0;
        while (accepted < clients) {
            server.turn(Duration.ofMillis(1));
            long before = accepted;
            accepted = server.stats().total().accepted();
            assertThat(accepted - before).as("accepted in one turn").isLessThanOrEqualTo(64);
        }
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void snapshotsAreAvailableWhileALoopIsBusy(Stage stage) throws Exception {
        CountDownLatch snapshotsTaken = new CountDownLatch(1);
        AtomicBoolean answeredInTime = new AtomicBoolean();
        Story story = stage.story(
                (connection, message) -> answeredInTime.set(snapshotsTaken.await(Stage.PATIENCE.toSeconds(), TimeUnit.SECONDS)));
        Server server = stage.start(stage.server(story).limits(Limits.defaults().withHandlerTimeout(Duration.ZERO)));
        Client client = stage.client(server);
        client.send("x");
        stage.until("in the handler", () -> story.count("message") == 1);
        assertThat(server.connections()).hasSize(1);
        assertThat(server.connections().getFirst().bytesIn()).isEqualTo(1);
        assertThat(server.stats().total().connections()).isEqualTo(1);
        assertThat(story.connection(0).queue().bytes()).isZero();
        snapshotsTaken.countDown();
        server.close();
        assertThat(answeredInTime).isTrue();
    }

    @Test
    void snapshotOfTenThousandConnectionsTakesUnderFiftyMilliseconds() throws IOException {
        LateNetwork network = new LateNetwork(new Random(1), false);
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 80);
        try (Server server = Server.builder().network(network).listen(address).handler(SILENT).open()) {
            server.turn(Duration.ZERO);
            for (int i = 0; i < 10_000; i++) {
                network.peer();
                server.loops().getFirst().dispatcher().accepted(0, network.new Stream(network.nextPending()));
            }
            long best = Long.MAX_VALUE;
            for (int i = 0; i < 20; i++) {
                long start = System.nanoTime();
                assertThat(server.connections().size()).isEqualTo(10_000);
                best = Math.min(best, System.nanoTime() - start);
            }
            assertThat(best).as("ns, the best of 20").isLessThan(50_000_000);
        }
    }
}
