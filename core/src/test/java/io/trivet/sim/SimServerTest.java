package io.trivet.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.TcpStream;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A server on the simulated network. */
final class SimServerTest {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    @ParameterizedTest
    @EnumSource(SimEngine.class)
    void anEchoServerAnswersWhileTheNetworkRuns(SimEngine engine) throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), engine);
        try (Server server = Server.builder().network(network).listen(FREE_PORT)
                .onMessage((connection, message) -> connection.send(message)).open()) {
            SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
            TcpStream client = clients.connect(server.address());
            client.write(ByteBuffer.wrap("hello".getBytes(StandardCharsets.US_ASCII)));
            network.run(Duration.ofSeconds(1));

            ByteBuffer answer = ByteBuffer.allocate(16);
            assertThat(client.read(answer)).isEqualTo(5);
            assertThat(new String(answer.array(), 0, 5, StandardCharsets.US_ASCII)).isEqualTo("hello");
            assertThat(network.clock().elapsed()).isEqualTo(Duration.ofSeconds(1));
            client.close();
            network.run(Duration.ofSeconds(1));
        }
        assertThat(network.describeDescriptors()).isEmpty();
    }
}
