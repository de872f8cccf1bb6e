package io.trivet.nats;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long a drain takes while the bus is away. */
final class RelayDrainTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final RelayOptions OPTIONS = RelayOptions.of();

    private final SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
    private final SimBus bus = new SimBus(network.clock(), 1, false);
    private ChatServer leaving;
    private ChatServer other;

    @BeforeEach
    void start() throws IOException {
        network.attach(bus);
        leaving = server(0);
        other = server(1);
        network.run(Duration.ofSeconds(3));
        assertThat(other.relay.stats().peers()).hasSize(1);
    }

    private ChatServer server(int index) throws IOException {
        SimHost host = network.host(InetAddress.ofLiteral("10.0.0." + (index + 1)));
        return new ChatServer(host, new InetSocketAddress(host.address(), 0), bus.of(index), OPTIONS, index);
    }

    @AfterEach
    void end() {
        leaving.server.close();
        other.server.close();
    }

    private void publish() {
        leaving.relay.publish("news", UTF_8.encode("hello"));
    }

    @Test
    void withNothingToSendItDoesNotWaitForTheBus() throws IOException {
        bus.die();
        network.run(Duration.ofSeconds(1));
        leaving.relay.drain(TIMEOUT);
        network.run(Duration.ofMillis(1));
        assertThat(leaving.relay.isClosed()).isTrue();
    }

    @Test
    void itWaitsForTheBusAsLongAsABusThatIsBackMayGoUnnoticed() throws IOException {
        bus.die();
        network.run(Duration.ofSeconds(1));
        publish();
        leaving.relay.drain(TIMEOUT);
        network.run(OPTIONS.backoffMax().minusMillis(10));
        assertThat(leaving.relay.isClosed()).isFalse();
        network.run(Duration.ofMillis(20));
        assertThat(leaving.relay.isClosed()).isTrue();
        assertThat(leaving.dropped).hasValue(1);
    }

    @Test
    void aBusThatIsBackMeanwhileGetsEverything() throws IOException {
        bus.separate(0);
        network.run(Duration.ofMillis(500));
        publish();
        leaving.relay.drain(TIMEOUT);
        network.run(Duration.ofMillis(100));
        bus.join(0);
        network.run(Duration.ofSeconds(3));
        assertThat(leaving.relay.isClosed()).isTrue();
        assertThat(leaving.dropped).hasValue(0);
        assertThat(leaving.relay.stats().sent()).isEqualTo(1);
        assertThat(other.relay.stats().peers()).isEmpty(); // it has left, and is not lost
    }

    @Test
    void aTimeoutOfNoTimeDropsAtOnce() throws IOException {
        bus.die();
        network.run(Duration.ofSeconds(1));
        publish();
        leaving.relay.drain(Duration.ofSeconds(-1));
        network.run(Duration.ofMillis(1));
        assertThat(leaving.relay.isClosed()).isTrue();
        assertThat(leaving.dropped).hasValue(1);
    }
}
