package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.server.Framing;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What pages of other sites, and programs without the token, try. */
final class AttackTest {
    private Server server;
    private View view;

    @BeforeEach
    void start() throws IOException {
        server = Server.builder().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).framing(Framing.lines())
                .onMessage((connection, message) -> connection.send(message)).start();
        view = View.of(server).allowControl(true).start();
    }

    @AfterEach
    void close() {
        view.close();
        server.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:PORT",
        "127.0.0.1.evil.example:PORT", "[::1", ":PORT", "127.0.0.1:PORT:PORT", "user@127.0.0.1:PORT"})
    void hostOfAnotherServerIsRefused(String host) throws IOException {
        String name = host.replace("PORT", Integer.toString(view.address().getPort()));
        for (String path : List.of("/", "/view.css", "/api/state", "/metrics", "/api/events")) {
            RawHttp.Answer answer = RawHttp.send(view.address(), "GET " + path + "?token=" + view.token(),
                    "Host: " + name + "\r\n");
            assertThat(answer.status()).as(path).isIn(400, 403);
            assertThat(answer.body()).doesNotContain("queueBytes");
        }
    }

    @Test
    void requestWithoutOrWithTwoHostsIsRefused() throws IOException {
        String token = "Authorization: Bearer " + view.token() + "\r\n";
        assertThat(RawHttp.send(view.address(), "GET /api/state", token).status()).isIn(400, 403);
        assertThat(RawHttp.send(view.address(), "GET /api/state", RawHttp.host(view) + "Host: evil.example\r\n" + token).status())
                .isIn(400, 403);
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:PORT", "127.0.0.1:PORT", "[::1]:PORT", "LOCALHOST:PORT"})
    void hostOfThisMachineIsServed(String host) throws IOException {
        String name = host.replace("PORT", Integer.toString(view.address().getPort()));
        assertThat(RawHttp.send(view.address(), "GET /api/tick?token=" + view.token(), "Host: " + name + "\r\n").status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/state", "/api/tick", "/api/hello", "/api/clients", "/api/client?id=0", "/api/events",
        "/metrics"})
    void dataNeedsTheToken(String path) throws IOException {
        String wrong = view.token().substring(1) + "x";
        for (String headers : List.of("", "Authorization: Bearer \r\n", "Authorization: Bearer " + wrong + "\r\n",
                "Authorization: Basic " + view.token() + "\r\n", "Cookie: trivet-view-1=" + view.token() + "\r\n",
                "Cookie: trivet-view-" + view.address().getPort() + "=" + wrong + "\r\n")) {
            RawHttp.Answer answer = RawHttp.send(view.address(), "GET " + path, RawHttp.host(view) + headers);
            assertThat(answer.status()).as(headers).isEqualTo(401);
            assertThat(answer.head()).doesNotContain("Set-Cookie");
        }
    }

    @Test
    void pageItselfNeedsTheTokenAndHandsOutAStrictCookie() throws IOException {
        RawHttp.Answer denied = RawHttp.send(view.address(), "GET /", RawHttp.host(view));
        assertThat(denied.status()).isEqualTo(401);
        assertThat(denied.head()).doesNotContain("Set-Cookie");
        RawHttp.Answer page = RawHttp.send(view.address(), "GET /?token=" + view.token(), RawHttp.host(view));
        assertThat(page.status()).isEqualTo(200);
        assertThat(page.head().toLowerCase(java.util.Locale.ROOT)).contains(
                "set-cookie: trivet-view-" + view.address().getPort() + "=",
                "httponly", "samesite=strict", "content-security-policy: default-src 'none'; script-src 'self'",
                "frame-ancestors 'none'",
                "x-content-type-options: nosniff", "referrer-policy: no-referrer", "cache-control: no-store");
        assertThat(page.body()).doesNotContain(view.token()).doesNotContain("style=").doesNotContain("onclick=")
                .doesNotContainPattern("<script>|<script[^>]*>[^<]");
        String cookie = "Cookie: other=1; trivet-view-" + view.address().getPort() + "=" + view.token() + "\r\n";
        assertThat(RawHttp.send(view.address(), "GET /api/tick", RawHttp.host(view) + cookie).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Origin: http://evil.example\r\n", "Origin: null\r\n", "Origin: https://127.0.0.1:PORT\r\n", "",
        "Origin: http://127.0.0.1:PORT\r\nOrigin: http://evil.example\r\n",
        "Origin: http://127.0.0.1:PORT\r\nSec-Fetch-Site: cross-site\r\n",
        "Origin: http://127.0.0.1:PORT\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"})
    void changeFromAnotherOriginIsRefused(String origin) throws IOException {
        String headers = origin.replace("PORT", Integer.toString(view.address().getPort()));
        for (String path : List.of("/api/pause", "/api/step", "/api/close?id=0")) {
            RawHttp.Answer answer = RawHttp.send(view.address(), "POST " + path,
                    RawHttp.host(view) + headers + "Content-Length: 0\r\nAuthorization: Bearer " + view.token() + "\r\n");
            assertThat(answer.status()).as(headers).isEqualTo(403);
        }
        assertThat(RawHttp.get(view, "/api/tick").body()).contains("\"paused\":false");
    }

    @Test
    void readingFromAnotherOriginIsRefused() throws IOException {
        for (String headers : List.of("Origin: http://evil.example\r\n",
                "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n")) {
            RawHttp.Answer answer = RawHttp.send(view.address(), "GET /api/state?token=" + view.token(),
                    RawHttp.host(view) + headers);
            assertThat(answer.status()).isEqualTo(403);
        }
        RawHttp.Answer link = RawHttp.send(view.address(), "GET /?token=" + view.token(), RawHttp.host(view)
                + "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n");
        assertThat(link.status()).as("a link in a mail or a terminal").isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/pause", "/api/step", "/api/resume", "/api/close?id=0", "/api/tour?do=connect"})
    void getChangesNothing(String path) throws IOException {
        assertThat(RawHttp.get(view, path).status()).isEqualTo(404);
        assertThat(RawHttp.get(view, "/api/tick").body()).contains("\"paused\":false", "\"connections\":0");
    }

    @Test
    void withoutControlNothingCanBeChanged() throws IOException {
        try (View watching = View.of(server).start()) {
            for (String path : List.of("/api/pause", "/api/step", "/api/resume", "/api/close?id=0", "/api/tour?do=connect")) {
                RawHttp.Answer answer = RawHttp.post(watching, path);
                assertThat(answer.status()).isEqualTo(403);
                assertThat(answer.body()).contains("--view-control");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/../module-info.class", "/%2e%2e/Pages.class", "/index.html", "/denied.html", "/Pages.class",
        "//view.css",
        "/view.css%00.js", "/META-INF/MANIFEST.MF"})
    void onlyThePagesOwnFilesAreServed(String path) throws IOException {
        assertThat(RawHttp.get(view, path).status()).isIn(400, 403, 404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"})
    void otherMethodsAreRefused(String method) throws IOException {
        RawHttp.Answer answer = RawHttp.send(view.address(), method + " /api/state?token=" + view.token(),
                RawHttp.host(view) + "Origin: http://127.0.0.1:" + view.address().getPort() + "\r\n");
        assertThat(answer.status()).isIn(403, 405);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/clients?sort=evil", "/api/clients?from=x", "/api/client", "/api/client?id=xyz",
        "/api/state?clients=-x"})
    void nonsenseIsAnsweredWithItsReason(String path) throws IOException {
        RawHttp.Answer answer = RawHttp.get(view, path);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).isNotBlank();
    }

    @Test
    void thousandStuckSubscribersHarmNobody() throws IOException {
        List<Socket> stuck = new ArrayList<>();
        try {
            for (int i = 0; i < 1000; i++) {
                Socket socket = new Socket();
                stuck.add(socket);
                socket.setReceiveBufferSize(1024);
                try {
                    socket.connect(view.address(), 2000);
                    socket.getOutputStream().write(("GET /api/events HTTP/1.1\r\n" + RawHttp.host(view) + "Authorization: Bearer "
                            + view.token() + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
                } catch (IOException e) {
                    // Closed at once: there are too many.
                }
            }
            assertThat(stuck).hasSize(1000);
            try (Socket client = new Socket(server.address().getAddress(), server.address().getPort())) {
                client.setSoTimeout(10_000);
                client.getOutputStream().write("still here\n".getBytes(StandardCharsets.US_ASCII));
                assertThat(new String(client.getInputStream().readNBytes(11), StandardCharsets.US_ASCII))
                        .isEqualTo("still here\n");
            }
        } finally {
            for (Socket socket : stuck) {
                socket.close();
            }
        }
        org.awaitility.Awaitility.await().untilAsserted(() -> assertThat(RawHttp.get(view, "/api/tick").status()).isEqualTo(200));
    }

    @Test
    void tokenMustBeHardToGuess() {
        assertThatThrownBy(() -> View.of(server).token("short")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> View.of(server).token("0123456789abcdef; Path=/")).isInstanceOf(IllegalArgumentException.class);
        assertThat(view.token()).hasSize(24).matches("[A-Za-z0-9_-]+");
        assertThat(view.url().toString()).endsWith("/?token=" + view.token());
    }
}
