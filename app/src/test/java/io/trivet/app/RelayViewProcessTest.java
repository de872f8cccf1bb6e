package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code trivet serve --relay --view}: what programs read about the relay of two servers, of which one is cut off, and one is killed. */
@EnabledOnOs(OS.LINUX)
final class RelayViewProcessTest {
    private static final String TOPIC = "<b>news & more";
    private static final int MISSED = 7;

    @TempDir private Path home;
    private Program nats;
    private Link link;
    private Program first;
    private Program second;
    private URI view;

    /** The way of the first server to NATS, which can be cut. */
    private static final class Link implements AutoCloseable {
        private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final URI to;
        private final List<Socket> sockets = new CopyOnWriteArrayList<>();
        private volatile boolean isCut;

        Link(String url) throws IOException {
            to = URI.create(url);
            Thread.ofVirtual().start(this::accept);
        }

        String url() {
            return "nats://127.0.0.1:" + listener.getLocalPort();
        }

        void cut(boolean cut) throws IOException {
            isCut = cut;
            for (Socket socket : sockets) {
                socket.close();
            }
            sockets.clear();
        }

        private void accept() {
            try {
                while (true) {
                    Socket client = listener.accept();
                    if (isCut) {
                        client.close();
                        continue;
                    }
                    Socket server = new Socket(to.getHost(), to.getPort());
                    sockets.addAll(List.of(client, server));
                    Thread.ofVirtual().start(() -> pass(client, server));
                    Thread.ofVirtual().start(() -> pass(server, client));
                }
            } catch (IOException e) {
                // The listener was closed.
            }
        }

        private static void pass(Socket from, Socket to) {
            try (from; to) {
                from.getInputStream().transferTo(to.getOutputStream());
            } catch (IOException e) {
                // One of them was closed; the other is closed now.
            }
        }

        @Override
        public void close() throws IOException {
            listener.close();
            cut(true);
        }
    }

    @BeforeEach
    void start() throws Exception {
        String executable = RelayProcessTest.natsServer();
        assumeTrue(!executable.isEmpty(), "nats-server is not installed");
        nats = Program.start(List.of(executable, "-a", "127.0.0.1", "-p", "-1"));
        String url = RelayProcessTest.urlOf(nats);
        link = new Link(url);
        first = serve(link.url());
        second = serve(url);
        view = URI.create(first.awaitErr(line -> line.startsWith("view http://")).substring("view ".length()));
    }

    private Program serve(String url) throws IOException {
        return Program.java(List.of("--enable-native-access=ALL-UNNAMED", "-Duser.home=" + home), "io.trivet.app.Trivet", "serve",
                "--port", "0", "--reply", "broadcast", "--framing", "lines", "--view", "0", "--relay", url, "--topic", TOPIC);
    }

    @AfterEach
    void end() throws IOException {
        for (Program program : new Program[]{first, second, nats}) {
            if (program != null) {
                program.close();
            }
        }
        if (link != null) {
            link.close();
        }
    }

    // ---- what the view says

    private String read(String path) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = http.send(
                    HttpRequest.newBuilder(view.resolve(path))
                            .header("Authorization", "Bearer " + view.getQuery().substring("token=".length()))
                            .build(),
                    HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            return answer.body();
        }
    }

    private Map<String, Object> panel() throws IOException, InterruptedException {
        List<Map<String, Object>> panels = JsonText.objects(JsonText.object(read("/api/state")), "panels");
        assertThat(panels).hasSize(1);
        return panels.getFirst();
    }

    private static List<Map<String, Object>> rows(Map<String, Object> panel, int table) {
        return JsonText.objects(JsonText.objects(panel, "tables").get(table), "rows");
    }

    private static List<?> cells(Map<String, Object> row) {
        return (List<?>) row.get("cells");
    }

    private double metric(String name) throws IOException, InterruptedException {
        return read("/metrics").lines().filter(line -> line.startsWith("trivet_relay_" + name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' ')))).findFirst().orElse(Double.NaN);
    }

    private static void until(ThrowingRunnable assertion) {
        await().atMost(Duration.ofSeconds(Program.TIMEOUT_SECONDS)).pollInterval(Duration.ofMillis(100)).untilAsserted(assertion);
    }

    /** Reads until a text has arrived so often. */
    private static void receive(Socket socket, String text, int times) throws IOException {
        socket.setSoTimeout((int) Duration.ofSeconds(Program.TIMEOUT_SECONDS).toMillis());
        StringBuilder received = new StringBuilder();
        while (received.toString().split(text, -1).length <= times) {
            byte[] bytes = new byte[1000];
            int count = socket.getInputStream().read(bytes);
            assertThat(count).as("open; received: %s", received).isPositive();
            received.append(new String(bytes, 0, count, StandardCharsets.UTF_8));
        }
    }

    private static String id(Program server) throws InterruptedException {
        return server.awaitErr(line -> line.contains(" relay: topic ")).replaceFirst(".* ", "");
    }

    // ---- cases

    @Test
    void aServerThatIsCutOffAndOneThatIsKilledAreSeen() throws Exception {
        String other = id(second);
        try (Socket ann = new Socket(); Socket bob = new Socket()) {
            ann.connect(first.awaitReady());
            bob.connect(second.awaitReady());
            until(() -> { // they are one chat, and heard
                RelayProcessTest.send(bob, "hello\n");
                assertThat(metric("delivered_total")).isPositive();
                Map<String, Object> panel = panel();
                assertThat(rows(panel, 0)).singleElement()
                        .satisfies(row -> assertThat(cells(row).getFirst()).isEqualTo(other));
                assertThat(panel.get("problem")).isEqualTo("");
                assertThat(cells(rows(panel, 1).getFirst()).getFirst()).isEqualTo(TOPIC);
            });
            assertThat(metric("connected")).isOne();
            assertThat(metric("servers")).isOne();
            assertThat(metric("servers_lost")).isZero();
            assertThat(metric("lag_seconds")).isNotNegative();
            assertThat(metric("missed_total")).isZero();
            metricsPassTheCheckOfPrometheus();

            link.cut(true);
            until(() -> {
                assertThat(metric("connected")).isZero();
                assertThat(JsonText.string(JsonText.object(panel(), "problem"), "en")).startsWith("NATS cannot be reached");
            });
            for (int i = 0; i < MISSED; i++) {
                RelayProcessTest.send(bob, "to members here\n");
            }
            receive(bob, "to members here\n", MISSED); // then the relay has the messages, too
            link.cut(false);
            until(() -> assertThat(metric("missed_total")).isEqualTo(MISSED));
            assertThat(metric("connected")).isOne();
            assertThat(metric("reconnects_total")).isPositive();
            assertThat(cells(rows(panel(), 0).getFirst()).getLast()).isEqualTo((double) MISSED);

            second.signal("KILL");
            until(() -> {
                assertThat(metric("servers")).isZero();
                assertThat(metric("servers_lost")).isOne();
            });
            Map<String, Object> lost = rows(panel(), 0).getFirst();
            assertThat(cells(lost).getFirst()).isEqualTo(other);
            assertThat(cells(lost).get(1).toString()).contains("lost");
            assertThat(lost.get("marked")).isEqualTo(true);
            try (Program top = Program.trivet("top", view.toString())) {
                assertThat(top.exitCode()).as("%s", top.err()).isZero();
                assertThat(top.out()).contains("Relay  link to NATS connected", "lost servers 1", "messages missed " + MISSED);
            }
        }
    }

    private void metricsPassTheCheckOfPrometheus() throws Exception {
        Path promtool = Path.of("/usr/bin/promtool");
        if (Files.isExecutable(promtool)) {
            Process check = new ProcessBuilder(promtool.toString(), "check", "metrics").redirectErrorStream(true).start();
            try (var in = check.outputWriter(StandardCharsets.UTF_8)) {
                in.write(read("/metrics"));
            }
            String problems = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(check.waitFor()).as(problems).isZero();
            assertThat(problems).isEmpty();
        }
    }

    /** Before NATS was ever reached there is no state to tell, but why. */
    @Test
    void withoutNatsTheReasonIsShownWithoutThePassword() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        first.close();
        first = serve("nats://me:secret@127.0.0.1:" + port);
        view = URI.create(first.awaitErr(line -> line.startsWith("view http://")).substring("view ".length()));
        until(() -> assertThat(JsonText.string(JsonText.object(panel(), "problem"), "en"))
                .startsWith("NATS cannot be reached, trying again."));
        assertThat(read("/api/state")).doesNotContain("secret");
    }
}
