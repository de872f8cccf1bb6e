package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code trivet serve --view} and {@code trivet top}, as processes. */
@EnabledOnOs(OS.LINUX)
final class ViewProcessTest {
    @TempDir private Path home;

    private Program trivet(String... arguments) throws IOException {
        return Program.java(List.of("--enable-native-access=ALL-UNNAMED", "-Duser.home=" + home), "io.trivet.app.Trivet",
                arguments);
    }

    private static URI view(Program serve) throws InterruptedException {
        return URI.create(serve.awaitErr(line -> line.startsWith("view http://")).substring("view ".length()));
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        }
    }

    @Test
    void printedAddressShowsThePageAndItsTokenTheData() throws Exception {
        try (Program serve = trivet("serve", "--port", "0", "--view", "0")) {
            URI address = view(serve);
            assertThat(address.toString()).matches("http://127\\.0\\.0\\.1:\\d+/\\?token=[A-Za-z0-9_-]{24}");
            serve.awaitErr("ready"::equals);
            String token = address.getQuery().substring("token=".length());
            assertThat(send(HttpRequest.newBuilder(address)).body()).contains("<title>trivet view</title>");
            assertThat(send(HttpRequest.newBuilder(address.resolve("/api/state"))).statusCode()).isEqualTo(401);
            assertThat(send(HttpRequest.newBuilder(address.resolve("/api/state?token=" + token))).body()).contains("\"lists\":");
            HttpResponse<String> metrics = send(
                    HttpRequest.newBuilder(address.resolve("/metrics")).header("Authorization", "Bearer " + token));
            assertThat(metrics.body()).contains("trivet_connections{loop=\"0\"} 0");
            HttpResponse<String> pause = send(HttpRequest.newBuilder(address.resolve("/api/pause"))
                    .header("Origin", "http://" + address.getAuthority()).header("Authorization", "Bearer " + token)
                    .POST(HttpRequest.BodyPublishers.noBody()));
            assertThat(pause.statusCode()).as("without --view-control").isEqualTo(403);
        }
    }

    @Test
    void topShowsRatesInItsFirstPrint() throws Exception {
        try (Program serve = trivet("serve", "--port", "0", "--view", "0")) {
            URI address = view(serve);
            String line = serve.awaitErr(text -> text.startsWith("listening on "));
            try (Socket client = new Socket(InetAddress.getLoopbackAddress(),
                    Integer.parseInt(line.substring(line.lastIndexOf(':') + 1)));
                    Program top = trivet("top", address.getAuthority(), "-i", "300ms")) {
                while (top.isAlive()) {
                    client.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
                    assertThat(client.getInputStream().readNBytes(5)).hasSize(5);
                }
                assertThat(top.exitCode()).as("errors: %s", top.err()).isZero();
                assertThat(top.out()).containsPattern("in  [1-9][0-9,]* messages/s");
            }
        }
    }

    @Test
    void topFindsTheTokenAndPrintsPlainText() throws Exception {
        try (Program serve = trivet("serve", "--port", "0", "--view", "0")) {
            URI address = view(serve);
            String line = serve.awaitErr(text -> text.startsWith("listening on "));
            try (Socket client = new Socket(InetAddress.getLoopbackAddress(),
                    Integer.parseInt(line.substring(line.lastIndexOf(':') + 1)))) {
                client.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
                assertThat(client.getInputStream().readNBytes(5)).hasSize(5);
                try (Program top = trivet("top", address.getAuthority());
                        Program whole = trivet("top", address.toString(), "-n", "2",
                                "-i", "100ms")) {
                    assertThat(top.exitCode()).as("errors: %s", top.err()).isZero();
                    assertThat(top.out()).contains("clients 1", "rlist 2", "127.0.0.1:" + client.getLocalPort() + " ", "open")
                            .doesNotContain("\u001b");
                    assertThat(whole.exitCode()).as("errors: %s", whole.err()).isZero();
                }
            }
            try (Program wrong = trivet("top", address.getAuthority(), "--token", "wrong")) {
                assertThat(wrong.exitCode()).isEqualTo(1);
                assertThat(wrong.err().toString()).contains("wants its token");
            }
        }
        try (Program nobody = trivet("top", "127.0.0.1:1")) {
            assertThat(nobody.exitCode()).isEqualTo(1);
            assertThat(nobody.err().toString()).contains("no view at 127.0.0.1:1", "--view 1");
        }
    }

    @Test
    void tokenFileKeepsTheAddress() throws Exception {
        Path file = home.resolve("token");
        String first;
        try (Program serve = trivet("serve", "--port", "0", "--view", "0", "--view-token-file", file.toString())) {
            first = view(serve).getQuery();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
        try (Program serve = trivet("serve", "--port", "0", "--view", "0", "--view-token-file", file.toString())) {
            assertThat(view(serve).getQuery()).isEqualTo(first);
        }
        Files.writeString(file, "short\n");
        try (Program serve = trivet("serve", "--port", "0", "--view", "0", "--view-token-file", file.toString())) {
            assertThat(serve.exitCode()).isEqualTo(1);
            assertThat(serve.err().toString()).contains("--view-token-file", "16 to 128");
        }
    }

    @Test
    void aLoopThatStandsStillIsDrainedAllTheSame() throws Exception {
        try (Program serve = trivet("serve", "--port", "0", "--view", "0", "--view-control")) {
            URI address = view(serve);
            serve.awaitErr("ready"::equals);
            HttpResponse<String> pause = send(HttpRequest.newBuilder(address.resolve("/api/pause"))
                    .header("Origin", "http://" + address.getAuthority())
                    .header("Authorization", "Bearer " + address.getQuery().substring("token=".length()))
                    .POST(HttpRequest.BodyPublishers.noBody()));
            assertThat(pause.statusCode()).isEqualTo(204);
            serve.signal("TERM");
            assertThat(serve.exitCode()).isZero();
            assertThat(serve.err().toString()).contains("drained");
        }
    }

    /** The old process has the port until it is drained; then the new one takes it, and a page that was open finds it by itself. */
    @Test
    void viewMovesToTheProcessThatTakesOver() throws Exception {
        Path handover = home.resolve("handover");
        Path token = home.resolve("token");
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        String[] arguments = {"serve", "--port", "0", "--view", Integer.toString(port), "--view-token-file", token.toString(),
            "--handover", handover.toString()};
        try (Program old = trivet(arguments)) {
            URI address = view(old);
            int served = old.awaitReady().getPort();
            try (Program next = trivet(arguments)) {
                assertThat(next.awaitReady().getPort()).isEqualTo(served);
                assertThat(view(next)).isEqualTo(address);
                assertThat(old.exitCode()).isZero();
                try (Socket client = new Socket(InetAddress.getLoopbackAddress(), served)) {
                    client.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
                    assertThat(client.getInputStream().readNBytes(5)).hasSize(5);
                    assertThat(send(HttpRequest.newBuilder(address.resolve("/api/state?" + address.getQuery()))).body())
                            .contains("127.0.0.1:" + client.getLocalPort());
                }
                try (Program top = trivet("top", address.getAuthority())) { // the token of the old process is not deleted by it
                    assertThat(top.exitCode()).as("errors: %s", top.err()).isZero();
                }
            }
        }
    }

    @Test
    void mistakesAreNamed() throws Exception {
        try (Program control = trivet("serve", "--port", "0", "--view-control");
                Program port = trivet("serve", "--port", "0", "--view", "localhost:x");
                ServerSocket busy = new ServerSocket(0, 1, java.net.InetAddress.ofLiteral("127.0.0.1"));
                Program taken = trivet("serve", "--port", "0", "--view", Integer.toString(busy.getLocalPort()))) {
            assertThat(control.exitCode()).isEqualTo(2);
            assertThat(control.err().toString()).contains("--view-control needs --view");
            assertThat(port.exitCode()).isEqualTo(2);
            assertThat(port.err().toString()).contains("not [HOST:]PORT");
            assertThat(taken.exitCode()).isEqualTo(1);
            assertThat(taken.err().toString()).contains("--view 127.0.0.1:" + busy.getLocalPort());
        }
    }
}
