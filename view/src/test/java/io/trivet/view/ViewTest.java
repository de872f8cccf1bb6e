package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.trivet.net.Addresses;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a view shows of a running server, and what its controls do. */
final class ViewTest {
    private final List<Socket> clients = new ArrayList<>();
    private Server server;
    private View view;

    @BeforeEach
    void start() throws IOException {
        server = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).framing(Framing.lines())
                .limits(Limits.defaults().withQueueBytesMax(32 << 20).withMessageBytesMax(16 << 20))
                .onMessage((connection, message) -> connection.send(message)).start();
        view = View.of(server).allowControl(true).start();
    }

    @AfterEach
    void close() throws IOException {
        view.close();
        server.close();
        for (Socket client : clients) {
            client.close();
        }
    }

    private Socket client() throws IOException {
        Socket socket = new Socket(server.address().getAddress(), server.address().getPort());
        socket.setSoTimeout(20_000);
        clients.add(socket);
        return socket;
    }

    private static void send(Socket client, String text) throws IOException {
        client.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void expect(Socket client, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assertThat(new String(client.getInputStream().readNBytes(bytes.length), StandardCharsets.UTF_8)).isEqualTo(text);
    }

    private JsonObject json(String path) throws IOException {
        RawHttp.Answer answer = RawHttp.get(view, path);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return JsonParser.parseString(answer.body()).getAsJsonObject();
    }

    @Test
    void stateFollowsItsSchemaAndAgreesWithTheServer() throws Exception {
        for (int i = 0; i < 5; i++) {
            Socket client = client();
            send(client, "hello\n");
            expect(client, "hello\n");
        }
        clients.removeFirst().close();
        fill(clients.getLast());
        await().untilAsserted(() -> {
            assertThat(server.stats().total().closed()).isOne();
            assertThat(server.connections()).anyMatch(ConnectionSnapshot::writable);
        });
        String text = RawHttp.get(view, "/api/state").body();
        assertThat(SchemaCheck.violations(text)).isEmpty();
        JsonObject state = JsonParser.parseString(text).getAsJsonObject();
        assertThat(state.getAsJsonArray("clients")).hasSize(4);
        TreeMap<String, JsonObject> byId = new TreeMap<>();
        for (JsonElement client : state.getAsJsonArray("clients")) {
            byId.put(client.getAsJsonObject().get("id").getAsString(), client.getAsJsonObject());
        }
        for (ConnectionSnapshot snapshot : server.connections()) {
            JsonObject shown = byId.get(Long.toHexString(snapshot.id()));
            assertThat(shown.get("address").getAsString()).isEqualTo(Addresses.toString(snapshot.remoteAddress()));
            assertThat(shown.get("readable").getAsBoolean()).isEqualTo(snapshot.readable());
            assertThat(shown.get("writable").getAsBoolean()).isEqualTo(snapshot.writable());
            assertThat(shown.get("queueBytes").getAsLong()).isEqualTo(snapshot.queueBytes());
            assertThat(shown.get("reason").getAsString()).isEqualTo(snapshot.interestReason());
        }
        JsonObject lists = state.getAsJsonObject("lists");
        assertThat(lists.getAsJsonObject("readable").get("count").getAsInt())
                .isEqualTo(1 + server.connections().stream().filter(ConnectionSnapshot::readable).count());
        assertThat(lists.getAsJsonObject("writable").get("count").getAsInt()).isOne();
        assertThat(state.getAsJsonArray("closed")).hasSize(1);
        assertThat(state.getAsJsonArray("closed").get(0).getAsJsonObject().get("reason").getAsString())
                .isEqualTo("PEER_FINISHED");
        JsonObject totals = state.getAsJsonObject("totals");
        assertThat(totals.getAsJsonObject("closedBy").get("PEER_FINISHED").getAsInt()).isOne();
        assertThat(totals.get("messagesIn").getAsInt()).isGreaterThanOrEqualTo(5);
        assertThat(json("/api/state?clients=2").getAsJsonArray("clients")).hasSize(2);
        assertThat(json("/api/state?clients=0").getAsJsonArray("clients")).isEmpty();
    }

    @Test
    void listeningSocketThatIsNotWatchedIsShownWithItsReason() throws Exception {
        try (Server full = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .limits(Limits.defaults().withConnectionsMax(1)).onMessage((_, _) -> {}).start();
                View shown = View.of(full).start();
                Socket client = new Socket(full.address().getAddress(), full.address().getPort())) {
            await().untilAsserted(() -> {
                JsonObject state = JsonParser.parseString(RawHttp.get(shown, "/api/state").body()).getAsJsonObject();
                JsonObject listener = state.getAsJsonArray("listeners").get(0).getAsJsonObject();
                assertThat(listener.get("address").getAsString()).isEqualTo(Addresses.toString(full.address()));
                assertThat(listener.get("state").getAsString()).isEqualTo("AT_LIMIT");
                assertThat(listener.get("reason").getAsString()).contains("maximum number of connections");
                assertThat(state.getAsJsonObject("lists").getAsJsonObject("readable").getAsJsonArray("listeners")).isEmpty();
            });
            assertThat(client.isConnected()).isTrue();
        }
    }

    @Test
    void loopThatAHandlerHeldBeforeThePageWasOpenedIsShownAsWorking() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (Server held = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .onMessage((_, _) -> release.await()).start();
                View shown = View.of(held).start();
                Socket client = new Socket(held.address().getAddress(), held.address().getPort())) {
            await().until(() -> held.stats().total().turns() > 0);
            send(client, "x");
            await().until(() -> held.stats().total().bytesIn() == 1);
            try (Events events = new Events(shown)) {
                events.until("\"working\":true");
                release.countDown();
                events.until("\"working\":false");
            } finally {
                release.countDown();
            }
        }
    }

    @Test
    void floodOfAServerThatRepliesNothingEndsWithTheReason() throws Exception {
        try (Server silent = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .framing(Framing.lines()).onMessage((_, _) -> {}).start();
                View shown = View.of(silent).allowControl(true).start()) {
            assertThat(RawHttp.post(shown, "/api/tour?do=connect").status()).isEqualTo(204);
            RawHttp.Answer answer = RawHttp.post(shown, "/api/tour?do=flood");
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.body()).contains("no replies wait for it");
        }
    }

    /** Sends lines that are never read back, until the server has to queue replies. */
    private void fill(Socket client) throws IOException {
        byte[] line = (".".repeat((8 << 20) - 1) + "\n").getBytes(StandardCharsets.US_ASCII);
        client.setReceiveBufferSize(4096);
        client.getOutputStream().write(line);
    }

    @Test
    void tableIsSortedFilteredAndCut() throws Exception {
        for (int i = 0; i < 20; i++) {
            send(client(), "x".repeat(i) + "\n");
        }
        await().until(() -> server.stats().total().messagesIn() == 20);
        await().untilAsserted(() -> {
            JsonObject page = json("/api/clients?sort=in&order=desc&from=2&count=5");
            assertThat(page.get("total").getAsInt()).isEqualTo(20);
            assertThat(page.getAsJsonArray("rows").asList().stream().map(row -> row.getAsJsonObject().get("bytesIn").getAsInt()))
                    .containsExactly(18, 17, 16, 15, 14);
        });
        String port = Integer.toString(clients.get(7).getLocalPort());
        JsonObject found = json("/api/clients?filter=" + port);
        assertThat(found.get("matching").getAsInt()).isOne();
        assertThat(found.getAsJsonArray("rows").get(0).getAsJsonObject().get("address").getAsString()).endsWith(":" + port);
        assertThat(json("/api/clients?filter=wlist").get("matching").getAsInt()).isZero();
        assertThat(json("/api/clients?filter=open%20rlist").get("matching").getAsInt()).isEqualTo(20);
        assertThat(json("/api/clients?from=999").getAsJsonArray("rows")).isEmpty();
    }

    @Test
    void markupOfAPeerStaysText() throws Exception {
        String json = new Json().beginObject().name("a")
                .string("</script><img src=x onerror=alert(1)>&\u2028\u0007\ud800\u001b[2J").endObject()
                .toString();
        assertThat(json).doesNotContain("<", ">", "&", "\u2028", "\u0007", "\ud800", "\u001b").contains("\\u003c/script");
        assertThat(JsonParser.parseString(json).getAsJsonObject().get("a").getAsString()).contains("</script>")
                .contains("\u001b[2J");
    }

    @Test
    void eventsArriveWithinASecondAndTellWhatHappened() throws Exception {
        try (Events events = new Events(view)) {
            JsonObject hello = events.next();
            assertThat(hello.get("engine").getAsString()).isEqualTo(server.network().name());
            events.next();
            Socket client = client();
            send(client, "hello\n");
            expect(client, "hello\n");
            events.until("\"RECEIVED\"");
            client.close();
            events.until("\"INPUT_ENDED\"");
            events.until("\"CLOSED\"");
        }
    }

    @Test
    void pausedLoopStandsStillUntilItIsSteppedOrResumed() throws Exception {
        try (Events events = new Events(view)) {
            events.next();
            Socket client = client();
            send(client, "one\n");
            expect(client, "one\n");
            assertThat(RawHttp.post(view, "/api/pause").status()).isEqualTo(204);
            events.until("\"standing\":true");
            send(client, "two\n");
            long turns = server.stats().total().turns();
            events.next();
            events.next();
            assertThat(server.stats().total().turns()).isEqualTo(turns);
            assertThat(client.getInputStream().available()).isZero();
            for (int steps = 0; client.getInputStream().available() == 0; steps++) { // a ring sends in the turn after
                assertThat(steps).isLessThan(5);
                assertThat(RawHttp.post(view, "/api/step").status()).isEqualTo(204);
                await().until(() -> client.getInputStream().available() > 0 || json("/api/tick").getAsJsonArray("loops").get(0)
                        .getAsJsonObject().get("standing").getAsBoolean());
            }
            expect(client, "two\n");
            send(client, "three\n");
            assertThat(RawHttp.post(view, "/api/resume").status()).isEqualTo(204);
            expect(client, "three\n");
            events.until("\"paused\":false");
        }
    }

    @Test
    void pauseEndsWhenNobodyWatches() throws Exception {
        assertThat(RawHttp.post(view, "/api/pause").status()).isEqualTo(204);
        Socket client = client();
        send(client, "hello\n");
        expect(client, "hello\n");
    }

    @Test
    void serverCanBeClosedWhileItsLoopStandsStill() throws Exception {
        try (Events events = new Events(view)) {
            events.next();
            assertThat(RawHttp.post(view, "/api/pause").status()).isEqualTo(204);
            events.until("\"standing\":true");
            server.close();
            assertThat(server.isClosed()).isTrue();
        }
    }

    @Test
    void clientIsShownWithItsHistoryAndCanBeClosed() throws Exception {
        try (Events events = new Events(view)) {
            events.until("\"number\""); // the loops have ended the turn in which the observer was attached
            Socket client = client();
            send(client, "hello\n");
            expect(client, "hello\n");
            events.until("\"RECEIVED\"");
            String id = Long.toHexString(server.connections().getFirst().id());
            JsonObject shown = json("/api/client?id=" + id);
            assertThat(shown.getAsJsonObject("now").get("bytesIn").getAsInt()).isEqualTo(6);
            assertThat(shown.getAsJsonArray("turns").toString()).contains("OPENED", "RECEIVED", "SENT");
            assertThat(RawHttp.post(view, "/api/close?id=" + id).status()).isEqualTo(204);
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            events.until("\"reason\":\"CLOSED\"");
            JsonObject gone = json("/api/client?id=" + id);
            assertThat(gone.get("now").isJsonNull()).isTrue();
            assertThat(gone.getAsJsonObject("end").get("reason").getAsString()).isEqualTo("CLOSED");
            assertThat(RawHttp.post(view, "/api/close?id=" + id).status()).isEqualTo(404);
        }
    }

    @Test
    void tourPlaysTheConversationOfAClient() throws Exception {
        try (Events events = new Events(view)) {
            events.until("\"number\""); // the loops have ended the turn in which the observer was attached
            assertThat(RawHttp.post(view, "/api/tour?do=send").status()).isEqualTo(400);
            assertThat(RawHttp.post(view, "/api/tour?do=connect").status()).isEqualTo(204);
            events.until("\"OPENED\"");
            assertThat(RawHttp.post(view, "/api/tour?do=send").status()).isEqualTo(204);
            events.until("\"SENT\"");
            assertThat(RawHttp.post(view, "/api/tour?do=flood").status()).isEqualTo(204);
            await().until(() -> server.connections().getFirst().writable());
            assertThat(RawHttp.post(view, "/api/tour?do=read").status()).isEqualTo(204);
            await().untilAsserted(() -> assertThat(server.connections()).allMatch(now -> !now.writable() && now.readable()));
            assertThat(RawHttp.post(view, "/api/tour?do=leave").status()).isEqualTo(204);
            events.until("\"INPUT_ENDED\"");
            assertThat(RawHttp.post(view, "/api/tour?do=dance").status()).isEqualTo(404);
        }
    }

    @Test
    void nothingIsObservedWhileNobodyWatches() throws Exception {
        Socket client = client();
        send(client, "hello\n");
        expect(client, "hello\n");
        JsonObject loop = json("/api/tick").getAsJsonArray("loops").get(0).getAsJsonObject();
        assertThat(loop.get("turns").getAsLong()).isPositive();
        assertThat(loop.get("workSeconds").getAsDouble()).isZero();
    }

    @Test
    void metricsAreOpenMetrics() throws Exception {
        Socket client = client();
        send(client, "hello\n");
        expect(client, "hello\n");
        client.close();
        await().until(() -> server.stats().total().closed() == 1);
        RawHttp.Answer answer = RawHttp.send(view.address(), "GET /metrics",
                RawHttp.host(view) + "Authorization: Bearer " + view.token()
                        + "\r\nAccept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n");
        assertThat(answer.head()).contains("application/openmetrics-text; version=1.0.0");
        assertThat(answer.body()).endsWith("# EOF\n").contains("# TYPE trivet_connections gauge\n",
                "trivet_connections{loop=\"0\"} 0.0\n",
                "# UNIT trivet_received_bytes bytes\n", "trivet_received_bytes_total 6.0\n",
                "trivet_messages_received_total 1.0\n",
                "trivet_connections_closed_total{reason=\"PEER_FINISHED\"} 1.0\n",
                "trivet_connections_closed_total{reason=\"RESET\"} 0.0\n",
                "trivet_sockets_watched{list=\"readable\"} 0.0\n", "trivet_native_memory_bytes{purpose=\"buffers\"}",
                "trivet_listener_accepting{address=\"" + Addresses.toString(server.address()) + "\"} 1.0\n");
    }

    @Test
    void metricsPassTheCheckOfPrometheus() throws Exception {
        Path promtool = Path.of("/usr/bin/promtool");
        assumeTrue(Files.isExecutable(promtool), "promtool is not installed: apt-get install prometheus");
        RawHttp.Answer answer = RawHttp.get(view, "/metrics");
        assertThat(answer.head()).contains("text/plain; version=0.0.4");
        Process check = new ProcessBuilder(promtool.toString(), "check", "metrics").redirectErrorStream(true).start();
        try (var in = check.outputWriter(StandardCharsets.UTF_8)) {
            in.write(answer.body());
        }
        String problems = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(check.waitFor()).as(problems).isZero();
        assertThat(problems).isEmpty();
    }

    /** The stream of events of one page. */
    static final class Events implements AutoCloseable {
        private final Socket socket;
        private final BufferedReader lines;

        Events(View view) throws IOException {
            socket = new Socket(view.address().getAddress(), view.address().getPort());
            socket.setSoTimeout(20_000);
            // By HTTP 1.0, which has no chunks.
            send(socket,
                    "GET /api/events HTTP/1.0\r\n" + RawHttp.host(view) + "Authorization: Bearer " + view.token() + "\r\n\r\n");
            lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            assertThat(lines.readLine()).contains(" 200 ");
        }

        String nextText() throws IOException {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("data: ")) {
                    return line.substring("data: ".length());
                }
            }
            throw new IOException("the stream has ended");
        }

        JsonObject next() throws IOException {
            return JsonParser.parseString(nextText()).getAsJsonObject();
        }

        /** Reads until an event contains a text; an event each second, for up to 20 seconds. */
        void until(String text) throws IOException {
            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            while (System.nanoTime() < deadline) {
                if (nextText().contains(text)) {
                    return;
                }
            }
            throw new AssertionError("no event contains " + text);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
