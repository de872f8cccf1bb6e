package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Loop;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Bugs of the server that simulation has found, each in a minimal setting that reproduces it. */
final class FoundBySimulationTest {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 8080);

    private final List<CloseReason> reasons = new ArrayList<>();
    private int open;
    private int openMax;
    private Connection last;

    /** Echoes, and counts open connections. */
    private final class Counting implements Handler {
        @Override
        public void onOpen(Connection connection) {
            last = connection;
            open++;
            openMax = Math.max(openMax, open);
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            connection.send(message);
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            open--;
            reasons.add(reason);
        }
    }

    @Test
    void drainingAdmitsNoMoreConnectionsThanTheLimit() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        try (Server server = server(network, Limits.defaults().withConnectionsMax(2))) {
            for (int i = 0; i < 5; i++) {
                clients.connect(server.address());
            }
            network.run(Duration.ofMillis(10));
            assertThat(open).isEqualTo(2);
            server.drain(Duration.ofSeconds(1));
            network.run(Duration.ofSeconds(2));
            assertThat(server.isClosed()).isTrue();
        }
        assertThat(openMax).isEqualTo(2);
    }

    @Test
    void sendAttemptsWithoutProgressDoNotResetTheIdleTimeout() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(Fault.WRITE_WOULD_BLOCK, 1), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"), SimEngine.EPOLL, FaultPlan.none());
        Limits limits = Limits.defaults().withIdleTimeout(Duration.ofMillis(20)).withWriteTimeout(Duration.ZERO)
                .withLingerTimeout(Duration.ofMillis(5));
        try (Server server = server(network, limits)) {
            TcpStream client = clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            client.write(ByteBuffer.wrap("echo".getBytes(StandardCharsets.US_ASCII)));
            network.run(Duration.ofMillis(30)); // the socket is reported as writable all the time, and accepts nothing
            assertThat(reasons).containsExactly(CloseReason.IDLE_TIMEOUT);
            client.close();
        }
    }

    @Test
    void idleDeadlineIsCheckedOnceAndDoesNotDrift() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        Duration odd = Duration.ofNanos((16L << 20) + 7); // so that repeated checks would shift the deadline by 7 ns each
        Duration linger = Duration.ofMillis(1);
        try (Server server = server(network, Limits.defaults().withIdleTimeout(odd).withLingerTimeout(linger))) {
            clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            long before = network.rounds();
            network.run(odd.plus(linger).plusMillis(3));
            assertThat(reasons).containsExactly(CloseReason.IDLE_TIMEOUT);
            assertThat(network.rounds() - before).isLessThan(20);
        }
    }

    @Test
    void onDrainedIsCalledWhenBothMarksAreEqual() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.URING); // bytes of a pending send still count as queued
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        Handler producer = new Handler() {
            private int left = 10;

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                onDrained(connection);
            }

            @Override
            public void onDrained(Connection connection) {
                while (left > 0 && !connection.queue().isHigh()) {
                    left--;
                    connection.offer(new byte[8]);
                }
            }
        };
        try (Server server = Server.builder().network(network).listen(ADDRESS).limits(Limits.defaults().withQueueMarks(16, 16))
                .handler(producer).open()) {
            TcpStream client = clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            client.write(ByteBuffer.allocate(1));
            network.run(Duration.ofMillis(10));
            ByteBuffer answer = ByteBuffer.allocate(1000);
            client.read(answer);
            assertThat(answer.position()).isEqualTo(80);
        }
    }

    @Test
    void occasionalSpuriousReadinessIsNotASpin() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(Fault.READY_SPURIOUS, 0.02), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"), SimEngine.EPOLL, FaultPlan.none());
        try (Server server = server(network, Limits.defaults())) {
            clients.connect(server.address());
            TcpStream busy = clients.connect(server.address());
            ByteBuffer bytes = ByteBuffer.allocate(1);
            for (int i = 0; i < 200_000; i++) { // one turn of the loop for each byte exchanged, while the other connection is idle
                busy.write(bytes.clear());
                network.run(Duration.ofNanos(1_000));
                busy.read(bytes.clear());
            }
            assertThat(network.faultCounts().get(Fault.READY_SPURIOUS)).isGreaterThan(2L * 1024);
            assertThat(reasons).isEmpty();
        }
    }

    @Test
    void writeTimeoutOfAMessageSentBetweenTurnsStartsAtTheSend() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(Fault.CLOCK_JUMP, 1), SimEngine.EPOLL);
        network.buffers(1024, 1024);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        try (Server server = server(network, Limits.defaults().withWriteTimeout(Duration.ofMillis(1)))) {
            clients.connect(server.address());
            while (last == null) {
                network.run(Duration.ofNanos(1)); // one turn, then at least a millisecond without a turn
            }
            network.stopFaults();
            last.send(new byte[100_000]);
            network.run(Duration.ofNanos(900_000));
            assertThat(reasons).isEmpty();
            network.run(Duration.ofMillis(1));
            assertThat(reasons).containsExactly(CloseReason.WRITE_TIMEOUT);
        }
    }

    @Test
    void writeTimeoutRestartsWhenAPendingSendCompletes() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.URING);
        network.buffers(1024, 1024);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        try (Server server = server(network, Limits.defaults().withWriteTimeout(Duration.ofSeconds(2)))) {
            TcpStream client = clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            for (int i = 0; i < 2; i++) { // the second answer waits until the first one is sent
                client.write(ByteBuffer.allocate(1000));
                network.run(Duration.ofMillis(1));
                last.send(new byte[6_000]);
                network.run(Duration.ofMillis(1));
            }
            ByteBuffer answers = ByteBuffer.allocate(20_000);
            for (int i = 0; i < 30 && answers.position() < 14_000; i++) { // each answer takes more than one second, both together more than two
                network.run(Duration.ofMillis(150));
                client.read(answers.limit(Math.min(answers.capacity(), answers.position() + 700)));
            }
            assertThat(reasons).isEmpty();
            assertThat(answers.position()).isEqualTo(14_000);
        }
    }

    @Test
    void writeTimeoutOfAMessageSentWhileConnectingStartsAtOnOpen() throws IOException {
        FaultPlan late = FaultPlan.none().with(Fault.LATENCY, 1).with(Fault.SEND_LATE, 1);
        for (int seed = 1; seed <= 20; seed++) { // the connect takes up to 100 ms, the send up to 10 ms
            SimNetwork network = SimNetwork.of(seed, late, SimEngine.URING);
            InetAddress host = InetAddress.ofLiteral("10.0.0.1");
            SimHost peers = network.host(host);
            try (TcpListener listener = peers.listen(new InetSocketAddress(host, 7), 8);
                    Server server = server(network, Limits.defaults().withWriteTimeout(Duration.ofMillis(20)))) {
                server.connect(listener.localAddress(), new Counting()).send(new byte[100]);
                network.run(Duration.ofMillis(300));
                assertThat(reasons).as("seed %d", seed).isEmpty();
                assertThat(last.queue().bytes()).isZero();
            }
            reasons.clear();
        }
    }

    @Test
    void taskDueAtTheNoDeadlineValueRuns() throws IOException {
        for (int seed = 1; seed <= 100; seed++) { // on some of these networks the clock is about to overflow to negative values
            SimNetwork network = SimNetwork.of(seed, FaultPlan.none(), SimEngine.EPOLL);
            SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
            try (Server server = server(network, Limits.defaults().withIdleTimeout(Duration.ZERO))) {
                clients.connect(server.address());
                network.run(Duration.ofNanos(1));
                List<String> run = new ArrayList<>();
                Duration delay = Duration.ofNanos(Loop.NO_DEADLINE - network.clock().nanoTime());
                if (!delay.isNegative() && delay.compareTo(Duration.ofMinutes(1)) < 0) {
                    last.schedule(delay, () -> run.add("the task"));
                    network.run(delay.plusMillis(1));
                    assertThat(run).as("seed %d", seed).containsExactly("the task");
                    return;
                }
            }
        }
        throw new AssertionError("no clock is about to overflow");
    }

    @Test
    void lateEndOfInputIsHeldBackWhileReadingIsPaused() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(Fault.CANCEL_LOSES, 1), SimEngine.URING);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        List<String> events = new ArrayList<>();
        Handler pausing = new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                events.add("message");
                connection.pauseReading();
                last = connection;
            }

            @Override
            public void onEndOfInput(Connection connection) {
                events.add("end");
            }
        };
        try (Server server = Server.builder().network(network).listen(ADDRESS).handler(pausing).open()) {
            TcpStream client = clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            client.write(ByteBuffer.allocate(1));
            client.shutdownOutput();
            network.run(Duration.ofMillis(10));
            assertThat(events).containsExactly("message");
            last.resumeReading();
            network.run(Duration.ofMillis(10));
            assertThat(events).containsExactly("message", "end");
        }
    }

    @Test
    void emptyRawMessageLeavesNothingInTheQueue() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        Handler handler = (connection, message) -> {
            last = connection;
            connection.send(new byte[0]);
            connection.sendFirst("before what was collected");
            connection.finish();
        };
        try (Server server = Server.builder().network(network).listen(ADDRESS).handler(handler).open()) {
            TcpStream client = clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            client.write(ByteBuffer.wrap("a".getBytes(StandardCharsets.US_ASCII)));
            client.shutdownOutput();
            network.run(Duration.ofMillis(10));
            assertThat(last.queue().messages()).isZero();
            assertThat(last.isClosed()).isTrue();
            client.close();
        }
    }

    @Test
    void latestDrainAppliesToEveryLoop() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        Handler handler = (connection, message) -> connection.server().drain(Duration.ofMillis(1));
        try (Server server = Server.builder().network(network).listen(ADDRESS).loops(2).handler(handler).open()) {
            TcpStream one = clients.connect(server.address());
            clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            one.write(ByteBuffer.wrap("now".getBytes(StandardCharsets.US_ASCII)));
            server.drain(Duration.ofSeconds(10)); // a loop runs this task after the handler of the pending message
            network.run(Duration.ofMillis(10));
            assertThat(server.isClosed()).isTrue();
        }
    }

    private Server server(SimNetwork network, Limits limits) throws IOException {
        return Server.builder().network(network).listen(ADDRESS).limits(limits).handler(new Counting()).open();
    }
}
