package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.TcpListener;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import io.trivet.tls.TestCertificates;
import io.trivet.tls.TlsClient;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** TLS on the simulated network: a run depends on its seed alone, down to the sizes of the records and the time of each event. */
final class SimulatedTlsTest {
    private static final int CLIENTS = 4;
    private static final int MESSAGES = 10;
    private static final int SEEDS = 5;

    /** Runs a server and clients with TLS, and returns the trace. */
    private static List<String> trace(long seed) throws IOException {
        SimNetwork network = SimNetwork.of(seed, FaultPlan.of(seed));
        List<String> trace = new ArrayList<>();
        network.trace((nanos, event) -> trace.add(nanos + " " + event));
        TlsServer tls = TlsServer.builder()
                .certificate(TestCertificates.file("ed25519.pem"), TestCertificates.file("ed25519.key"))
                .secureRandom(network.secureRandom()).build();
        InetAddress address = InetAddress.ofLiteral("10.0.0.1");
        Server server = Server.builder().network(network.host(address)).listen(new InetSocketAddress(address, 443))
                .framing(Framing.lines()).tls(tls).onMessage((connection, message) -> connection.send(message)).open();
        Server clients = Server.builder().network(network.host(InetAddress.ofLiteral("10.0.0.2"))).enableTls().open();
        for (int i = 0; i < CLIENTS; i++) {
            TlsClient client = TlsClient.builder().authorities(TestCertificates.file("ca.pem"))
                    .secureRandom(network.secureRandom()).build().withServerName("localhost");
            Protocol protocol = Protocol.of(Framing.lines(), new Asker(trace)).withTls(client);
            clients.connect(server.address(), protocol, null);
        }
        network.run(Duration.ofSeconds(30));
        network.stopFaults();
        network.run(Duration.ofMinutes(3));
        assertThat(clients.stats().total().connections()).isZero();
        clients.close();
        server.close();
        network.run(Duration.ofSeconds(1));
        return trace;
    }

    /** The peer accepts, and sends nothing. */
    @Test
    void outgoingConnectionHasTheHandshakeTimeoutOfItsTls() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        InetAddress silent = InetAddress.ofLiteral("10.0.0.1");
        TcpListener listener = network.host(silent).listen(new InetSocketAddress(silent, 443), 4);
        Server clients = Server.builder().network(network.host(InetAddress.ofLiteral("10.0.0.2"))).enableTls()
                .limits(Limits.defaults().withConnectTimeout(Duration.ofSeconds(1))).open();
        TlsClient tls = TlsClient.builder().authorities(TestCertificates.file("ca.pem")).handshakeTimeout(Duration.ofSeconds(3))
                .secureRandom(network.secureRandom()).build().withServerName("localhost");
        clients.connect(listener.localAddress(), Protocol.of(Framing.lines(), new Asker(new ArrayList<>())).withTls(tls), null);
        network.run(Duration.ofMillis(2_900));
        assertThat(clients.stats().total().connections()).isEqualTo(1);
        network.run(Duration.ofMillis(200));
        assertThat(clients.recentlyClosed()).singleElement().extracting(ClosedConnection::reason)
                .isEqualTo(CloseReason.HANDSHAKE_TIMEOUT);
        clients.close();
        listener.close();
    }

    /** Sends messages one by one, and finishes after the last reply. */
    private static final class Asker implements Handler {
        private final List<String> trace;
        private int asked;

        Asker(List<String> trace) {
            this.trace = trace;
        }

        private void ask(Connection connection) {
            if (asked == MESSAGES) {
                connection.finish();
            } else {
                connection.send("m".repeat(1 + 700 * asked++));
            }
        }

        @Override
        public void onOpen(Connection connection) {
            ask(connection);
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            ask(connection);
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            trace.add(asked + " messages, " + reason);
        }
    }

    @Test
    void sameSeedGivesTheSameTrace() throws IOException {
        int complete = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            List<String> first = trace(seed);
            assertThat(trace(seed)).as("seed %s", seed).isEqualTo(first);
            complete += (int) first.stream().filter(line -> line.equals(MESSAGES + " messages, FINISHED")
                    || line.equals(MESSAGES + " messages, PEER_FINISHED")).count();
        }
        assertThat(complete).as("clients that were served completely").isGreaterThan(SEEDS);
    }
}
