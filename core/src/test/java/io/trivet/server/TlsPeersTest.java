package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Tools;
import io.trivet.net.Network;
import io.trivet.observe.CloseReason;
import io.trivet.tls.ClientAuthentication;
import io.trivet.tls.TestCertificates;
import io.trivet.tls.TlsEngineKind;
import io.trivet.tls.TlsEngines;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** TLS with programs that have an implementation of their own: OpenSSL, curl and Python. */
@ParameterizedClass
@EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
@EnabledOnOs(OS.LINUX)
final class TlsPeersTest {
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    @TempDir private Path directory;

    private final TlsEngineKind kind;

    TlsPeersTest(TlsEngineKind kind) {
        this.kind = TlsEngines.require(kind);
    }

    private TlsServer.Builder settings() {
        return TlsServer.builder().certificate(TestCertificates.file("localhost.pem"), TestCertificates.file("localhost.key"))
                .engine(kind);
    }

    private static Server start(Framing framing, Handler handler, TlsServer tls) throws IOException {
        return Server.builder().listen(Stage.FREE_PORT).framing(framing).handler(handler).tls(tls).start();
    }

    /** Runs a program with an input, and returns its output and errors. */
    private String run(String input, String... command) throws IOException, InterruptedException {
        Path in = Files.writeString(directory.resolve("input"), input);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectInput(in.toFile()).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    private static String target(Server server) {
        return "127.0.0.1:" + server.address().getPort();
    }

    @Test
    void opensslSendsAndReceivesWithBothVersions() throws Exception {
        try (Server server = start(Framing.lines(), ECHO, settings().build())) {
            for (String version : List.of("-tls1_2", "-tls1_3")) {
                try (Tools.Peer client = Tools.start(Tools.require("openssl"), "s_client", "-connect", target(server), "-quiet",
                        "-verify_return_error", "-CAfile", TestCertificates.file("ca.pem").toString(), version)) {
                    client.writeLine("hello " + version);
                    assertThat(client.line()).isEqualTo("hello " + version);
                    client.writeLine("again");
                    assertThat(client.line()).isEqualTo("again");
                }
            }
        }
    }

    @Test
    void opensslResumesItsSession() throws Exception {
        String openssl = Tools.require("openssl");
        try (Server server = start(Framing.lines(), ECHO, settings().build())) {
            for (String version : List.of("-tls1_2", "-tls1_3")) {
                Path session = directory.resolve("session" + version);
                try (Tools.Peer first = Tools.start(openssl, "s_client", "-connect", target(server), "-quiet", "-no_ign_eof",
                        "-sess_out",
                        session.toString(), version)) {
                    first.writeLine("x"); // the ticket of TLS 1.3 comes before the answer
                    assertThat(first.line()).isEqualTo("x");
                    first.process().getOutputStream().close();
                    first.process().waitFor(30, TimeUnit.SECONDS);
                }
                assertThat(run("Q\n", openssl, "s_client", "-connect", target(server), "-sess_in", session.toString(), version))
                        .contains("Reused, TLSv1." + version.charAt(version.length() - 1));
            }
        }
    }

    @Test
    void renegotiationIsRefused() throws Exception {
        Story story = new Story(ECHO);
        try (Server server = start(Framing.lines(), story, settings().build());
                Tools.Peer client = Tools.start(Tools.require("openssl"), "s_client", "-connect", target(server), "-tls1_2")) {
            client.writeLine("R");
            for (String line = client.line(); line != null; line = client.line()) {
                assertThat(line).doesNotContain("RENEGOTIATED");
            }
            await(server, story);
            assertThat(story.reasons()).containsExactly(CloseReason.PROTOCOL_ERROR);
            assertThat(story.connection(0).failure()).hasMessage("the peer wants to renegotiate, which is not supported");
        }
    }

    @Test
    void aPeerMayChangeItsKeysAndAskForOurs() throws Exception {
        try (Server server = start(Framing.lines(), ECHO, settings().build());
                Tools.Peer client = Tools.start("sh", "-c",
                        "exec " + Tools.require("openssl") + " s_client -tls1_3 -connect " + target(server) + " 2>&1")) {
            for (String command : List.of("K", "k", "K")) { // K also asks the server to change its keys
                client.writeLine(command);
                String line = client.line();
                while (line != null && !line.startsWith("KEYUPDATE")) {
                    line = client.line();
                }
                client.writeLine("after " + command);
                assertThat(client.line()).isEqualTo("after " + command);
            }
        }
    }

    private static void await(Server server, Story story) {
        long deadline = System.nanoTime() + Stage.PATIENCE.toNanos();
        while (story.count("close") == 0) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            LockSupport.parkNanos(50_000);
        }
        assertThat(server.failure()).isNull();
    }

    @Test
    void curlGetsAPageWithAClientCertificate() throws Exception {
        String curl = Tools.require("curl");
        Handler page = (connection, line) -> {
            if (!line.hasRemaining()) {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\npage");
                connection.finish();
            }
        };
        try (Server server = start(Framing.lines(), page,
                settings().clientAuthentication(ClientAuthentication.REQUIRED, TestCertificates.file("ca.pem")).build())) {
            String url = "https://localhost:" + server.address().getPort() + "/";
            String ca = TestCertificates.file("ca.pem").toString();
            assertThat(run("", curl, "-sS", "--ipv4", "--noproxy", "*", "--cacert", ca, "--cert",
                    TestCertificates.file("client.pem").toString(), "--key", TestCertificates.file("client.key").toString(), url))
                    .isEqualTo("page\n");
            assertThat(run("", curl, "-sS", "--ipv4", "--noproxy", "*", "--cacert", ca, url)).contains("alert");
        }
    }

    @Test
    void gnutlsSendsReceivesAndResumes() throws Exception {
        String gnutls = Tools.require("gnutls-cli");
        Story story = new Story(ECHO);
        try (Server server = start(Framing.lines(), story, settings().build())) {
            String port = String.valueOf(server.address().getPort());
            for (String version : List.of("VERS-TLS1.2", "VERS-TLS1.3")) {
                assertThat(run("hello\n", gnutls, "--port", port, "--x509cafile", TestCertificates.file("ca.pem").toString(),
                        "--priority",
                        "NORMAL:-VERS-ALL:+" + version, "--resume", "--waitresumption", "localhost"))
                        .contains("- Status: The certificate is trusted.").contains("*** This is a resumed session")
                        .contains("\nhello\n");
            }
        }
    }

    @Test
    void pythonHalfClosesAndReadsTheRest() throws Exception {
        String python = Tools.require("python3");
        Path script = Files.writeString(directory.resolve("client.py"), """
                import socket, ssl, sys
                context = ssl.create_default_context(cafile=sys.argv[2])
                raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                with context.wrap_socket(raw, server_hostname="localhost") as tls:
                    tls.sendall(b"x" * 300000 + b"\\n")
                    data = b""
                    while not data.endswith(b"\\n"):
                        data += tls.recv(65536)
                    print(len(data), tls.version())
                    tls.unwrap().close()  # close_notify in both directions
                print("complete")
                """);
        Story story = new Story(ECHO);
        try (Server server = Server.builder().listen(Stage.FREE_PORT).framing(Framing.lines()).handler(story)
                .tls(settings().build())
                .limits(Stage.ROOMY).start()) {
            assertThat(run("", python, script.toString(), String.valueOf(server.address().getPort()),
                    TestCertificates.file("ca.pem").toString())).isEqualTo("300001 TLSv1.3\ncomplete\n");
            await(server, story);
            assertThat(story.reasons()).containsExactly(CloseReason.PEER_FINISHED);
        }
    }

    @Test
    void anOutgoingConnectionTalksToOpenssl() throws Exception {
        String openssl = Tools.require("openssl");
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        List<String> received = new ArrayList<>();
        try (Tools.Peer peer = Tools.start(openssl, "s_server", "-accept", "127.0.0.1:" + port, "-cert",
                TestCertificates.file("localhost.pem").toString(), "-key", TestCertificates.file("localhost.key").toString(),
                "-rev");
                Server server = Server.builder().network(Network.system()).enableTls().open()) {
            String line = peer.line();
            while (line != null && !line.startsWith("ACCEPT")) {
                line = peer.line();
            }
            Connection connection = server.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port),
                    Protocol.of(Framing.lines(), (c, message) -> received.add(LoopParts.text(message)))
                            .withTls(TestCertificates.client(kind)),
                    null);
            connection.send("drawer");
            for (int i = 0; i < 300 && received.isEmpty(); i++) {
                server.turn(Duration.ofMillis(100));
            }
            assertThat(received).as(() -> "closed: " + connection.failure()).containsExactly("reward");
        }
    }
}
