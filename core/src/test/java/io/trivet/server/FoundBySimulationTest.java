package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimFault;
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

/** Faults of the server that simulated worlds have found, each in the smallest setting that shows it. */
final class FoundBySimulationTest {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 8080);

    private final List<CloseReason> reasons = new ArrayList<>();
    private int open;
    private int mostOpen;

    /** Echoes, and counts who is there. */
    private final class Counting implements Handler {
        @Override
        public void onOpen(Connection connection) {
            open++;
            mostOpen = Math.max(mostOpen, open);
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
        assertThat(mostOpen).isEqualTo(2);
    }

    @Test
    void sendingInVainIsNoSignOfLife() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(SimFault.WRITE_WOULD_BLOCK, 1), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"), SimEngine.EPOLL, FaultPlan.none());
        Limits limits = Limits.defaults().withIdleTimeout(Duration.ofMillis(20)).withWriteTimeout(Duration.ZERO);
        try (Server server = server(network, limits)) {
            TcpStream client = clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            client.write(ByteBuffer.wrap("echo".getBytes(StandardCharsets.US_ASCII)));
            network.run(Duration.ofMillis(30)); // all the while the socket is said to be writable, and takes nothing
            assertThat(reasons).containsExactly(CloseReason.IDLE_TIMEOUT);
            client.close();
        }
    }

    @Test
    void idleDeadlineIsLookedAtOnceAndDoesNotMoveWithTheLooking() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
        Duration odd = Duration.ofNanos((16L << 20) + 7); // so that looking again and again would get 7 ns further each time
        try (Server server = server(network, Limits.defaults().withIdleTimeout(odd))) {
            clients.connect(server.address());
            network.run(Duration.ofMillis(1));
            long before = network.rounds();
            network.run(odd.plusMillis(3));
            assertThat(reasons).containsExactly(CloseReason.IDLE_TIMEOUT);
            assertThat(network.rounds() - before).isLessThan(20);
        }
    }

    @Test
    void readinessWithoutAReasonNowAndThenIsNoSpin() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none().with(SimFault.READY_SPURIOUS, 0.02), SimEngine.EPOLL);
        SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"), SimEngine.EPOLL, FaultPlan.none());
        try (Server server = server(network, Limits.defaults())) {
            clients.connect(server.address());
            TcpStream busy = clients.connect(server.address());
            ByteBuffer bytes = ByteBuffer.allocate(1);
            for (int i = 0; i < 200_000; i++) { // one turn of the loop for each byte that goes to and fro, while the other does nothing
                busy.write(bytes.clear());
                network.run(Duration.ofNanos(1_000));
                busy.read(bytes.clear());
            }
            assertThat(network.faultsFired().get(SimFault.READY_SPURIOUS)).isGreaterThan(2L * 1024);
            assertThat(reasons).isEmpty();
        }
    }

    private Server server(SimNetwork network, Limits limits) throws IOException {
        return Server.builder().network(network).listen(ADDRESS).limits(limits).handler(new Counting()).open();
    }
}
