package io.trivet.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.trivet.net.Addresses;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.view.View;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The meters of a server that runs, in a registry whose clock the test steps. */
final class TrivetMetricsTest {
    private final MockClock clock = new MockClock();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock);
    private Server server;
    private TrivetMetrics metrics;

    @BeforeEach
    void start() throws IOException {
        server = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).framing(Framing.lines())
                .limits(Limits.defaults().withQueueBytesMax(32 << 20).withMessageBytesMax(16 << 20)).loops(2)
                .onMessage((connection, message) -> connection.send(message)).start();
        metrics = new TrivetMetrics(server, Tags.of("server", "orders"));
        metrics.bindTo(registry);
    }

    @AfterEach
    void close() {
        metrics.close();
        server.close();
    }

    private Socket client() throws IOException {
        Socket socket = new Socket(server.address().getAddress(), server.address().getPort());
        socket.setSoTimeout(20_000);
        return socket;
    }

    private double value(String name, String... tags) {
        Meter meter = registry.get(name).tags(tags).meter();
        return meter.measure().iterator().next().getValue();
    }

    /** Lets the meters look at the server again. */
    private void later() {
        clock.add(Readings.AGE_MAX);
    }

    @Test
    void metersFollowTheServer() throws Exception {
        try (Socket client = client(); Socket reader = client()) {
            client.getOutputStream().write("hello\nworld\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(client.getInputStream().readNBytes(12)).hasSize(12);
            later();
            assertThat(value("trivet.messages.received")).isEqualTo(2);
            assertThat(value("trivet.received")).isEqualTo(12);
            assertThat(value("trivet.sent")).isEqualTo(12);
            assertThat(value("trivet.connections.accepted")).isEqualTo(2);
            assertThat(value("trivet.connections", "loop", "0") + value("trivet.connections", "loop", "1")).isEqualTo(2);
            assertThat(value("trivet.sockets.watched", "list", "readable")).isEqualTo(2);
            assertThat(value("trivet.listener.accepting", "address", Addresses.toString(server.address()))).isOne();
            assertThat(value("trivet.native.memory", "purpose", "buffers")).isPositive();
            assertThat(value("trivet.queue.budget")).isEqualTo((double) server.stats().queueBytesMax());

            reader.getOutputStream().write((".".repeat((8 << 20) - 1) + "\n").getBytes(StandardCharsets.US_ASCII));
            await().untilAsserted(() -> {
                later();
                assertThat(value("trivet.connections.queueing")).isOne();
                assertThat(value("trivet.sockets.watched", "list", "writable")).isOne();
            });
            assertThat(value("trivet.queue.longest")).isPositive();
            assertThat(value("trivet.queue.held")).isPositive();
            assertThat(value("trivet.queue.oldest")).isPositive();
            client.shutdownOutput();
            await().untilAsserted(() -> {
                later();
                assertThat(value("trivet.connections.closed", "reason", "PEER_FINISHED")).isOne();
            });
            assertThat(value("trivet.connections.closed", "reason", "RESET")).isZero();
        }
    }

    @Test
    void allMetersOfASecondAreOfOneMoment() throws Exception {
        later();
        assertThat(value("trivet.connections.accepted")).isZero();
        try (Socket client = client()) {
            client.getOutputStream().write("hello\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(client.getInputStream().readNBytes(6)).hasSize(6);
            assertThat(value("trivet.connections.accepted")).isZero();
            assertThat(value("trivet.messages.received")).isZero();
            later();
            assertThat(value("trivet.messages.received")).isOne();
        }
    }

    @Test
    void stateOfTheListenersIsOfTheSameMoment() {
        assertThat(value("trivet.listener.accepting")).isOne();
        assertThat(value("trivet.connections.accepted")).isZero();
        server.close();
        assertThat(value("trivet.listener.accepting")).as("read within the same second").isOne();
        later();
        assertThat(value("trivet.listener.accepting")).isZero();
    }

    @Test
    void listenersWithTheSameAddressHaveOneMeterWhichIsOneIfAnyAccepts() {
        InetSocketAddress same = new InetSocketAddress(InetAddress.getLoopbackAddress(), 80);
        ListenerSnapshot accepting = new ListenerSnapshot(same, ListenerSnapshot.State.ACCEPTING);
        ListenerSnapshot closed = new ListenerSnapshot(same, ListenerSnapshot.State.CLOSED);
        assertThat(Readings.acceptingByAddress(List.of(closed, accepting)))
                .containsExactly(Map.entry(Addresses.toString(same), true));
        assertThat(Readings.acceptingByAddress(List.of(accepting, closed)))
                .containsExactly(Map.entry(Addresses.toString(same), true));
        assertThat(Readings.acceptingByAddress(List.of(closed, closed)))
                .containsExactly(Map.entry(Addresses.toString(same), false));
    }

    /** A registry refers to what a counter counts weakly, and gauges, which refer to it strongly, may be denied. */
    @Test
    void countersFollowTheServerWithoutGaugesAndWithoutReferenceToTheMetrics() throws Exception {
        SimpleMeterRegistry counters = new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock);
        counters.config().meterFilter(MeterFilter.deny(id -> id.getType() == Meter.Type.GAUGE));
        new TrivetMetrics(server).bindTo(counters);
        WeakReference<Object> canary = new WeakReference<>(new Object());
        await().untilAsserted(() -> {
            System.gc();
            assertThat(canary.get()).isNull();
        });
        try (Socket client = client()) {
            client.getOutputStream().write("hello\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(client.getInputStream().readNBytes(6)).hasSize(6);
        }
        later();
        assertThat(counters.get("trivet.messages.received").functionCounter().count()).isOne();
    }

    @Test
    void allMetersHaveTheTagsAndCloseRemovesThem() {
        assertThat(registry.getMeters()).hasSizeGreaterThan(CloseReason.values().length + 15)
                .allSatisfy(meter -> assertThat(meter.getId().getTags()).contains(Tag.of("server", "orders")));
        assertThat(registry.getMeters()).allSatisfy(meter -> assertThat(meter.getId().getDescription()).isNotBlank());
        metrics.close();
        assertThat(registry.getMeters()).isEmpty();
    }

    /** A Prometheus registry names a meter by its dots, its unit, and its kind: then the name is that of the view's /metrics. */
    @Test
    void namesAreThoseOfTheView() throws Exception {
        Map<String, String> expected = new TreeMap<>();
        try (View view = View.of(server).start()) {
            URLConnection http = URI.create("http://127.0.0.1:" + view.address().getPort() + "/metrics").toURL().openConnection();
            http.setRequestProperty("Authorization", "Bearer " + view.token());
            String text = new String(http.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            text.lines().filter(line -> line.startsWith("# TYPE ")).map(line -> line.split(" ", -1))
                    .forEach(words -> expected.put(words[2], words[3]));
        }
        Map<String, String> named = new TreeMap<>();
        for (Meter meter : registry.getMeters()) {
            boolean isCounter = meter instanceof FunctionCounter;
            String unit = meter.getId().getBaseUnit() == null ? "" : "_" + meter.getId().getBaseUnit();
            named.put(meter.getId().getName().replace('.', '_') + unit + (isCounter ? "_total" : ""),
                    isCounter ? "counter" : "gauge");
        }
        assertThat(named).isEqualTo(expected);
    }
}
