package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.trivet.server.Server;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Prometheus scrapes the view, and each query of docs/grafana-dashboard.json has an answer. */
final class PrometheusTest {
    private static final Path PROMETHEUS = Path.of("/usr/bin/prometheus");
    private static final Path DASHBOARD = Path.of(System.getProperty("trivet.root", ".."), "docs", "grafana-dashboard.json");

    @TempDir private Path directory;

    @Test
    void everyQueryOfTheDashboardHasAnAnswer() throws Exception {
        assumeTrue(Files.isExecutable(PROMETHEUS), "Prometheus is not installed: apt-get install prometheus");
        try (Server server = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .onMessage((connection, message) -> connection.send(message)).start();
                View view = View.of(server).start()) {
            int port = freePort();
            Process prometheus = start(view, port);
            try (Socket client = new Socket(server.address().getAddress(), server.address().getPort())) {
                await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(250)).until(() -> {
                    talk(client); // so that rates are not empty
                    return hasAnswer(port, "sum(rate(trivet_messages_received_total[10s])) > 0");
                });
                new Socket(server.address().getAddress(), server.address().getPort()).close();
                for (String query : queries()) {
                    await().alias(query).atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(500))
                            .until(() -> hasAnswer(port, query));
                }
            } finally {
                prometheus.destroy();
                assertThat(prometheus.waitFor(20, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    private static void talk(Socket client) throws IOException {
        client.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
        assertThat(client.getInputStream().readNBytes(5)).hasSize(5);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private Process start(View view, int port) throws IOException {
        Path token = Files.writeString(directory.resolve("token"), view.token() + "\n");
        Path config = Files.writeString(directory.resolve("prometheus.yml"), """
                global:
                  scrape_interval: 1s
                scrape_configs:
                  - job_name: trivet
                    authorization:
                      credentials_file: %s
                    static_configs:
                      - targets: ["127.0.0.1:%d"]
                """.formatted(token, view.address().getPort()));
        return new ProcessBuilder(PROMETHEUS.toString(), "--config.file=" + config,
                "--storage.tsdb.path=" + directory.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port).redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile()).start();
    }

    /** Returns the queries of the dashboard, with the values that Grafana would put in. */
    private static List<String> queries() throws IOException {
        List<String> queries = new ArrayList<>();
        for (JsonElement panel : JsonParser.parseString(Files.readString(DASHBOARD)).getAsJsonObject().getAsJsonArray("panels")) {
            for (JsonElement target : panel.getAsJsonObject().getAsJsonArray("targets")) {
                queries.add(
                        target.getAsJsonObject().get("expr").getAsString().replace("$job", "trivet").replace("$instance", ".*")
                                .replace("$__rate_interval", "1m"));
            }
        }
        assertThat(queries).hasSizeGreaterThan(15);
        return queries;
    }

    private static boolean hasAnswer(int port, String query) {
        try {
            RawHttp.Answer answer = RawHttp.send(new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                    "GET /api/v1/query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8),
                    "Host: 127.0.0.1:" + port + "\r\nAccept-Encoding: identity\r\n");
            JsonObject json = JsonParser
                    .parseString(answer.body().substring(answer.body().indexOf('{'), answer.body().lastIndexOf('}') + 1))
                    .getAsJsonObject();
            assertThat(json.get("status").getAsString()).as(answer.body()).isEqualTo("success");
            return !json.getAsJsonObject("data").getAsJsonArray("result").isEmpty();
        } catch (IOException e) {
            if (e instanceof java.net.ConnectException) {
                return false; // it has yet to start
            }
            throw new UncheckedIOException(e);
        }
    }
}
