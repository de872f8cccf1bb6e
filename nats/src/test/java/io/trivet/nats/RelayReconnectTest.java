package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How soon a relay is connected again. */
final class RelayReconnectTest {
    private static final RelayOptions OPTIONS = RelayOptions.of();
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration STEP = Duration.ofMillis(10);

    /** During a partition, attempts fail by a timeout. The wait after it must not add to it. */
    @ParameterizedTest
    @ValueSource(ints = {5000, 5300, 5600, 5900, 6200, 6500, 6800, 7100})
    void afterAPartitionItWaitsNoLongerThanAnAttemptTakes(int partitionMillis) throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
        SimBus bus = new SimBus(network.clock(), 1, false);
        bus.connectTimeout(CONNECT_TIMEOUT);
        network.attach(bus);
        SimHost host = network.host(InetAddress.ofLiteral("10.0.0.1"));
        ChatServer chat = new ChatServer(host, new InetSocketAddress(host.address(), 0), bus.of(0), OPTIONS, 1);
        network.run(Duration.ofSeconds(3));
        assertThat(chat.relay.stats().state()).isEqualTo(BusState.UP);

        bus.separate(0);
        network.run(Duration.ofMillis(partitionMillis));
        assertThat(chat.relay.stats().state()).isNotEqualTo(BusState.UP);
        bus.join(0);
        Duration waited = Duration.ZERO;
        while (chat.relay.stats().state() != BusState.UP && waited.toSeconds() < 10) {
            network.run(STEP);
            waited = waited.plus(STEP);
        }
        assertThat(waited).isLessThan(CONNECT_TIMEOUT.plus(OPTIONS.backoffMin()).plus(Duration.ofMillis(50)));
        chat.server.close();
    }

    /** The first server to be connected again must not send before the other one has subscribed again. */
    @ParameterizedTest
    @ValueSource(ints = {100, 1000, 3000, 8000})
    void whatWaitsDuringAnOutageReachesAServerThatIsBackLater(int outageMillis) throws IOException {
        for (int seed = 0; seed < 20; seed++) {
            SimNetwork network = SimNetwork.of(seed, FaultPlan.none(), SimEngine.EPOLL);
            SimBus bus = new SimBus(network.clock(), seed, false);
            network.attach(bus);
            ChatServer[] servers = {start(network, bus, 0), start(network, bus, 1)};
            SimClient member = SimClient.connect(network, servers[0].server.address(), "member");
            member.send("J news\n");
            SimClient publisher = SimClient.connect(network, servers[1].server.address(), "publisher");
            network.run(Duration.ofSeconds(3));

            bus.die();
            network.run(Duration.ofMillis(outageMillis / 2));
            publisher.send("P news x\n".repeat(5));
            network.run(Duration.ofMillis(outageMillis / 2));
            bus.revive();
            network.run(Duration.ofSeconds(5));
            assertThat(member.receivedLines()).as("seed %s", seed).hasSize(6).noneMatch(line -> line.startsWith("G "));
            assertThat(servers[1].relay.stats().queuedMessages()).isZero();
            for (ChatServer each : servers) {
                each.server.close();
            }
        }
    }

    @Test
    void aServerThatDoesNotComeBackDelaysTheOthersForATimeOnly() throws IOException {
        SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
        SimBus bus = new SimBus(network.clock(), 1, false);
        network.attach(bus);
        ChatServer[] servers = {start(network, bus, 0), start(network, bus, 1), start(network, bus, 2)};
        SimClient member = SimClient.connect(network, servers[0].server.address(), "member");
        member.send("J news\n");
        SimClient publisher = SimClient.connect(network, servers[1].server.address(), "publisher");
        network.run(Duration.ofSeconds(3));

        bus.kill(2);
        bus.die();
        publisher.send("P news x\n");
        network.run(Duration.ofMillis(50));
        bus.revive();
        network.run(OPTIONS.backoffMax());
        assertThat(member.receivedLines()).as("the third server may be back any moment").hasSize(1);
        network.run(Duration.ofMillis(600));
        assertThat(member.receivedLines()).hasSize(2);
        publisher.send("P news x\n");
        network.run(Duration.ofMillis(50));
        assertThat(member.receivedLines()).hasSize(3);
        for (ChatServer each : servers) {
            each.server.close();
        }
    }

    /** Three servers, of which the last one has just been killed in an outage; the second one has a publisher. */
    private static final class Outage {
        final SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
        final SimBus bus = new SimBus(network.clock(), 1, false);
        final ChatServer[] servers = new ChatServer[3];
        final SimClient member;
        final SimClient publisher;

        Outage(RelayOptions options) throws IOException {
            network.attach(bus);
            for (int i = 0; i < servers.length; i++) {
                servers[i] = start(network, bus, i, options);
            }
            member = SimClient.connect(network, servers[0].server.address(), "member");
            member.send("J news\n");
            publisher = SimClient.connect(network, servers[1].server.address(), "publisher");
            network.run(Duration.ofSeconds(3));
            bus.kill(2);
            bus.die();
        }

        void close() {
            for (ChatServer each : servers) {
                each.server.close();
            }
        }
    }

    @Test
    void queueThatFillsIsSentAlthoughAServerIsMissing() throws IOException {
        Outage outage = new Outage(OPTIONS.withQueue(4 << 20, 100, Duration.ZERO, BusOverflow.DROP_OLDEST));
        outage.network.run(Duration.ofMillis(50));
        outage.bus.revive();
        outage.network.run(Duration.ofMillis(500)); // the first server has answered
        for (int i = 0; i < 40; i++) {
            outage.publisher.send("P news x\n".repeat(10));
            outage.network.run(Duration.ofMillis(10));
        }
        outage.network.run(Duration.ofSeconds(3));
        assertThat(outage.member.receivedLines()).hasSize(401).noneMatch(line -> line.startsWith("G "));
        assertThat(outage.servers[1].dropped).hasValue(0);
        outage.close();
    }

    @Test
    void drainSendsWhatWaitsAlthoughAServerIsMissing() throws IOException {
        Outage outage = new Outage(OPTIONS);
        outage.publisher.send("P news x\n".repeat(5));
        outage.network.run(Duration.ofMillis(50));
        outage.bus.revive();
        outage.network.run(Duration.ofMillis(500));
        assertThat(outage.member.receivedLines()).hasSize(1);
        outage.servers[1].relay.drain(Duration.ofMillis(500));
        outage.network.run(Duration.ofMillis(600));
        assertThat(outage.member.receivedLines()).hasSize(6);
        assertThat(outage.servers[1].relay.isClosed()).isTrue();
        outage.close();
    }

    @Test
    void repeatedOutagesDoNotProlongTheWait() throws IOException {
        Outage outage = new Outage(OPTIONS);
        outage.publisher.send("P news x\n".repeat(5));
        for (int i = 0; i < 8; i++) {
            outage.network.run(Duration.ofMillis(50));
            outage.bus.revive();
            outage.network.run(Duration.ofSeconds(1));
            outage.bus.die();
        }
        assertThat(outage.member.receivedLines()).hasSize(6);
        outage.close();
    }

    @Test
    void waitIsShortWhereAttemptsToConnectAreRareOrMessagesAgeSoon() throws IOException {
        for (RelayOptions options : List.of(OPTIONS.withBackoff(Duration.ofMillis(100), Duration.ofSeconds(30)),
                OPTIONS.withQueue(4 << 20, 100, Duration.ofSeconds(2), BusOverflow.DROP_OLDEST))) {
            Outage outage = new Outage(options);
            outage.publisher.send("P news x\n".repeat(5));
            outage.network.run(Duration.ofMillis(50));
            outage.bus.revive();
            outage.network.run(Duration.ofSeconds(4));
            assertThat(outage.member.receivedLines()).hasSize(6);
            assertThat(outage.servers[1].dropped).hasValue(0);
            outage.close();
        }
    }

    private static ChatServer start(SimNetwork network, SimBus bus, int index) throws IOException {
        return start(network, bus, index, OPTIONS);
    }

    private static ChatServer start(SimNetwork network, SimBus bus, int index, RelayOptions options) throws IOException {
        SimHost host = network.host(InetAddress.ofLiteral("10.0.0." + (index + 1)));
        return new ChatServer(host, new InetSocketAddress(host.address(), 0), bus.of(index), options, index);
    }
}
