package io.trivet.nats;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.trivet.server.SendResult;
import io.trivet.server.Server;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server that is closed before its relay. */
final class RelayEndTest {
    private static final Logger LOGGER = Logger.getLogger("io.trivet");
    private static final RelayOptions OPTIONS = RelayOptions.of();
    private static final Duration SOON = Duration.ofMillis(500);

    private final SimNetwork network = SimNetwork.of(1, FaultPlan.none(), SimEngine.EPOLL);
    private final SimBus bus = new SimBus(network.clock(), 1, false);
    private final List<String> logged = new CopyOnWriteArrayList<>();
    private final Handler log = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            logged.add(entry.getMessage() + " " + entry.getThrown());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void watch() {
        LOGGER.addHandler(log);
        network.attach(bus);
    }

    @AfterEach
    void unwatch() {
        LOGGER.removeHandler(log);
    }

    private Server server() throws IOException {
        SimHost host = network.host(InetAddress.ofLiteral("10.0.0.1"));
        return Server.builder().network(host).listen(new InetSocketAddress(host.address(), 0)).onMessage((_, _) -> {}).open();
    }

    /** Connects a relay whose intervals are exactly as long as they are set. */
    private Relay connect(Server server) {
        return Relay.connect(server, bus.of(0), OPTIONS, new RelayListener() {}, new Random(1) {
            @Override
            public double nextDouble() {
                return 0.5;
            }
        });
    }

    private void expectEnd(Relay relay) throws InterruptedException {
        assertThat(relay.awaitClosed(Duration.ZERO)).isTrue();
        assertThat(relay.isClosed()).isTrue();
        assertThat(bus.isLinked(0)).isFalse();
        assertThat(relay.publish("news", UTF_8.encode("late"))).isEqualTo(SendResult.CLOSED);
        assertThat(logged).isEmpty();
    }

    @Test
    void aHeartbeatThatIsDueWhenTheServerClosesEndsTheRelay() throws Exception {
        Server server = server();
        server.execute(() -> server.schedule(OPTIONS.heartbeat(), server::close));
        Relay relay = connect(server);
        network.run(SOON);
        assertThat(bus.isLinked(0)).isTrue();
        network.run(OPTIONS.heartbeat());
        assertThat(server.isClosed()).isTrue();
        assertThat(relay.isClosed()).isTrue();
        expectEnd(relay);
    }

    @Test
    void aRelayThatIsAwaitedAfterItsServerEndsAtOnce() throws Exception {
        Server server = server();
        Relay relay = connect(server);
        network.run(SOON);
        assertThat(relay.awaitClosed(Duration.ZERO)).isFalse();
        server.close();
        expectEnd(relay);
    }

    @Test
    void aDrainAfterTheServerHasClosedEndsTheRelay() throws Exception {
        expectEndAfter(node -> node.drain(Duration.ofSeconds(10)));
    }

    @Test
    void anAnswerToOthersAfterTheServerHasClosedEndsTheRelay() throws Exception {
        expectEndAfter(RelayNode::heartbeatSoon);
    }

    /** What the relay does on the loop after the server was closed there ends it. */
    private void expectEndAfter(Consumer<RelayNode> action) throws Exception {
        Server server = server();
        Relay relay = connect(server);
        network.run(SOON);
        server.execute(() -> {
            server.close();
            action.accept(relay.node());
        });
        network.run(SOON);
        assertThat(relay.isClosed()).isTrue();
        expectEnd(relay);
    }

    /** On the threads of a server, and over a bus that delivers nothing. */
    @Test
    void aRelayEndsWithAStartedServer() throws Exception {
        Server server = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .onMessage((_, _) -> {})
                .start();
        AtomicInteger closed = new AtomicInteger();
        Relay relay = Relay.connect(server, events -> {
            events.onConnected();
            return new SilentLink(closed);
        }, OPTIONS, new RelayListener() {}, new Random(1));
        relay.endWithServer();
        await().until(() -> relay.stats().state() == BusState.UP);
        assertThat(relay.isClosed()).isFalse();
        server.close();
        await().until(relay::isClosed);
        assertThat(closed.get()).isPositive();
        assertThat(logged).isEmpty();
    }

    /** Accepts everything and delivers nothing. */
    private record SilentLink(AtomicInteger closed) implements Bus.Link {
        @Override
        public boolean publish(String subject, byte[] message) {
            return true;
        }

        @Override
        public long messageBytesMax() {
            return 1 << 20;
        }

        @Override
        public void subscribe(String subject) {}

        @Override
        public void unsubscribe(String subject) {}

        @Override
        public void finish() {}

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }
}
