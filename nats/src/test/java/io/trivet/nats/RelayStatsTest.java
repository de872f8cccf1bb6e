package io.trivet.nats;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.nats.RelayStats.PeerStats;
import io.trivet.nats.RelayStats.TopicStats;
import io.trivet.server.Connection;
import io.trivet.server.Server;
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

/** What a relay says about itself, on a simulated bus. */
final class RelayStatsTest {
    private final SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
    private final SimBus bus = new SimBus(network.clock(), 1, false);
    private ChatServer first;
    private ChatServer second;
    /** The clients' side, which ignores what it receives. */
    private Server clients;

    @BeforeEach
    void start() throws IOException {
        network.attach(bus);
        first = server(0);
        second = server(1);
        SimHost host = network.host(InetAddress.ofLiteral("10.0.0.3"));
        clients = Server.builder().network(host).listen(new InetSocketAddress(host.address(), 0)).onMessage((_, _) -> {}).open();
        network.run(Duration.ofSeconds(3));
    }

    private ChatServer server(int index) throws IOException {
        SimHost host = network.host(InetAddress.ofLiteral("10.0.0." + (index + 1)));
        return new ChatServer(host, new InetSocketAddress(host.address(), 0), bus.of(index), RelayOptions.of(), index);
    }

    @AfterEach
    void end() {
        first.server.close();
        second.server.close();
        clients.close();
    }

    private void publish(ChatServer from, String topic, int times) {
        for (int i = 0; i < times; i++) {
            from.relay.publish(topic, UTF_8.encode("hello"));
        }
    }

    /** Returns a connection of the second server, as a member of a topic. */
    private Connection member(String topic) throws IOException {
        Connection member = second.server.connect(clients.address(), (_, _) -> {});
        second.relay.join(member, topic);
        network.run(Duration.ofSeconds(2));
        return member;
    }

    @Test
    void manyTopicsDoNotMakeAHeartbeatTooLongForTheBus() throws IOException {
        for (int i = 0; i < 150; i++) {
            publish(first, "topic number " + i, 1);
        }
        Connection member = member("last");
        publish(first, "last", 3);
        network.run(Duration.ofSeconds(20));
        assertThat(first.relay.stats().sent()).isEqualTo(153);
        assertThat(second.relay.stats().peers()).allMatch(RelayStats.PeerStats::isPresent).hasSize(1);
        assertThat(second.relay.stats().delivered()).isEqualTo(3);
        member.close();
    }

    @Test
    void theLinkIsUpOrAwaySinceItHasChanged() throws IOException {
        assertThat(first.relay.stats().state()).isEqualTo(BusState.UP);
        assertThat(first.relay.stats().reason()).isEmpty();
        assertThat(first.relay.stats().stateMillis()).isBetween(1500L, 3000L);
        bus.die();
        network.run(Duration.ofSeconds(20)); // many attempts
        RelayStats away = first.relay.stats();
        assertThat(away.state()).isNotEqualTo(BusState.UP);
        assertThat(away.reason()).isNotEmpty();
        assertThat(away.stateMillis()).as("since the link was lost, not since the last attempt").isBetween(18_000L, 20_000L);
        bus.revive();
        network.run(Duration.ofSeconds(5));
        assertThat(first.relay.stats().state()).isEqualTo(BusState.UP);
        assertThat(first.relay.stats().reason()).isEmpty();
        assertThat(first.relay.stats().stateMillis()).isLessThan(5000);
        assertThat(first.relay.stats().connects()).isEqualTo(2);
    }

    @Test
    void aTopicHasItsMembersAndMessages() throws IOException {
        Connection member = member("news");
        publish(first, "news", 3);
        publish(second, "news", 2);
        network.run(Duration.ofSeconds(2));
        assertThat(second.relay.stats().busiest()).containsExactly(new TopicStats("news", 1, 2, 3, 0));
        assertThat(first.relay.stats().busiest()).as("it has no members").containsExactly(new TopicStats("news", 0, 3, 0, 0));
        second.relay.leave(member, "news");
        network.run(Duration.ofSeconds(2));
        assertThat(second.relay.stats().busiest()).containsExactly(new TopicStats("news", 0, 2, 0, 0));
    }

    @Test
    void whatIsMissedBelongsToItsTopicAndItsServer() throws IOException {
        member("news");
        publish(first, "news", 1);
        network.run(Duration.ofSeconds(2));
        bus.separate(1);
        network.run(Duration.ofMillis(100));
        publish(first, "news", 5);
        network.run(Duration.ofMillis(500));
        bus.join(1);
        network.run(Duration.ofSeconds(10));
        RelayStats stats = second.relay.stats();
        assertThat(stats.missed()).isEqualTo(5);
        assertThat(stats.busiest()).containsExactly(new TopicStats("news", 1, 0, 1, 5));
        assertThat(stats.peers()).singleElement().extracting(PeerStats::missed).isEqualTo(5L);
    }

    @Test
    void theBusiestTopicsAreKeptAndTheOthersCounted() throws IOException {
        Connection member = member("elsewhere");
        Members members = new Members();
        members.join(member, "quiet");
        Outbox outbox = new Outbox(RelayOptions.of(), new Streams("test"));
        for (int i = 0; i < 150; i++) {
            for (int j = 0; j <= i; j++) {
                String stream = Streams.ofTopic("topic " + i);
                outbox.add(stream, Wire.message(1, stream, "", UTF_8.encode("hello")), 0);
            }
        }
        String direct = Streams.ofServer(7);
        outbox.add(direct, Wire.message(1, direct, "bob", UTF_8.encode("hello")), 0);
        Busiest busiest = Busiest.of(members, outbox, new Peers(1, RelayOptions.of(), null));
        assertThat(busiest.count()).isEqualTo(151);
        assertThat(busiest.topics()).hasSize(Busiest.MAX);
        assertThat(busiest.topics().getFirst()).isEqualTo(new TopicStats("topic 149", 0, 150, 0, 0));
        assertThat(busiest.topics().getLast()).isEqualTo(new TopicStats("topic 50", 0, 51, 0, 0));
    }

    @Test
    void aServerThatIsNotHeardHasLastBeenHeard() throws IOException {
        assertThat(first.relay.stats().peers()).singleElement().satisfies(peer -> {
            assertThat(peer.isPresent()).isTrue();
            assertThat(peer.silentMillis()).isLessThan(1200);
            assertThat(peer.lagNanos()).as("the bus delays by up to 2 ms each way").isBetween(0L, 4_100_000L);
        });
        bus.delay(Duration.ofSeconds(2).toNanos());
        network.run(Duration.ofSeconds(10));
        assertThat(first.relay.stats().peers().getFirst().lagNanos()).isGreaterThan(Duration.ofMillis(100).toNanos());
        second.server.close();
        network.run(Duration.ofSeconds(20));
        assertThat(first.relay.stats().peers()).singleElement().satisfies(peer -> {
            assertThat(peer.isPresent()).isFalse();
            assertThat(peer.silentMillis()).isBetween(14_000L, 20_000L);
        });
    }
}
