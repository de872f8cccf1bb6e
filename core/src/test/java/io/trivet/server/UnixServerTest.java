package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Tools;
import io.trivet.linux.CopiedDescriptor;
import io.trivet.net.Capability;
import io.trivet.net.Cidr;
import io.trivet.net.ErrorCode;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.PeerCredentials;
import io.trivet.net.SocketFile;
import io.trivet.net.TcpListener;
import io.trivet.net.UnixAddress;
import io.trivet.net.UnixOptions;
import io.trivet.observe.CloseReason;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import io.trivet.tls.TestCertificates;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What is different for a server at Unix domain sockets. What is the same, its other tests check. */
@EnabledOnOs(OS.LINUX)
final class UnixServerTest {
    private static final Handler ECHO = (connection, message) -> connection.send(message);
    private static final Handler SILENT = (connection, message) -> {};

    @TempDir Path directory;

    private UnixAddress address() {
        return UnixAddress.ofPath(directory.resolve("a.sock"));
    }

    @EveryNetwork
    void rulesAboutIpAddressesDoNotApply(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(Server.builder().network(stage.network()).listen(address()).handler(story)
                .framing(Framing.lines())
                .limits(Limits.defaults().withConnectionsPerAddressMax(1))
                .access(AccessList.all().deny(Cidr.of("0.0.0.0/0"), Cidr.of("::/0")))
                .proxyProtocol(Cidr.of("0.0.0.0/0"), Cidr.of("::/0"))
                .urgent(stage.network().supports(Capability.URGENT_DATA)));
        for (int i = 0; i < 3; i++) {
            Client client = stage.keep(new Client(stage, server.address()));
            client.send("hello\n");
            assertThat(client.line()).isEqualTo("hello");
        }
        Connection connection = story.connection(0);
        assertThat(UnixAddress.of(connection.remoteAddress())).isEqualTo(UnixAddress.unnamed());
        assertThat(UnixAddress.of(connection.localAddress())).isEqualTo(address());
        assertThat(server.connections().getFirst().remoteAddress()).isEqualTo(UnixAddress.unnamed().asInetSocketAddress());
        assertThat(server.stats().total().refused()).isZero();
    }

    @EveryNetwork
    void handlersAskForThePeersCredentials(Stage stage) throws IOException {
        List<Object> seen = new CopyOnWriteArrayList<>();
        Server server = stage.open(Server.builder().network(stage.network()).listen(address()).handler(new Handler() {
            @Override
            public void onOpen(Connection connection) throws IOException {
                try {
                    seen.add(connection.getOption(UnixOptions.PEER_CREDENTIALS));
                } catch (UnsupportedOperationException e) {
                    seen.add(e);
                }
                connection.finish();
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        }));
        stage.keep(new Client(stage, server.address())).restText();
        assertThat(seen).hasSize(1);
        if (stage.network() instanceof SimNetwork || stage.network().name().contains("nio")) {
            assertThat(seen.getFirst()).isInstanceOf(UnsupportedOperationException.class);
        } else {
            assertThat(((PeerCredentials) seen.getFirst()).pid()).isEqualTo((int) ProcessHandle.current().pid());
        }
    }

    @EveryNetwork
    void outgoingConnectionsAreMadeAndFail(Stage stage) throws IOException {
        Server server = stage.open(Server.builder().network(stage.network()).listen(address()).handler(ECHO));
        Story story = stage.story((connection, message) -> connection.finish());
        Connection made = server.connect(address(), Protocol.of(Framing.lines(), story), null);
        made.send("hello");
        stage.until("answered", () -> story.count("close") == 1);
        assertThat(story.callbacks()).contains("message hello");
        assertThat(UnixAddress.of(made.remoteAddress())).isEqualTo(address());
        UnixAddress missing = UnixAddress.ofPath(directory.resolve("missing.sock"));
        Connection failed = server.connect(missing, Protocol.of(Framing.lines(), story), null);
        assertThat(failed.toString()).startsWith("connection to " + missing);
        stage.until("failed", () -> story.count("close") == 2);
        assertThat(failed.closeReason()).isEqualTo(CloseReason.CONNECT_FAILED);
        assertThat(failed.failure())
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ENOENT))
                .hasMessage("connect " + missing + ": ENOENT, it does not exist");
    }

    @Test
    void tlsOverAUnixSocketNeedsAName() throws Exception {
        List<String> answers = new CopyOnWriteArrayList<>();
        Protocol client = Protocol.of(Framing.lines(), (connection, message) -> {
            answers.add(Story.text(message));
            connection.finish();
        });
        try (Server server = Server.builder().listen(address()).framing(Framing.lines()).handler(ECHO)
                .tls(TestCertificates.server()).open()) {
            assertThatThrownBy(() -> server.connect(address(), client.withTls(TestCertificates.client()), null))
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("needs TlsClient.withServerName");
            server.connect(address(), client.withTls(TestCertificates.client().withServerName("localhost")), null).send("secret");
            long end = System.nanoTime() + Stage.PATIENCE.toNanos();
            while (answers.isEmpty() && System.nanoTime() - end < 0) {
                server.turn(Duration.ofMillis(10));
            }
            assertThat(answers).containsExactly("secret");
        }
    }

    @Test
    void curlIsAnswered() throws Exception {
        String curl = Tools.require("curl");
        Handler http = (connection, line) -> {
            if (!line.hasRemaining()) {
                connection.send("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
                connection.finish();
            }
        };
        try (Server _ = Server.builder().listen(address()).framing(Framing.lines()).handler(http).start()) {
            Process process = new ProcessBuilder(curl, "-sS", "--max-time", "20", "--unix-socket", address().path(),
                    "http://localhost/x")
                    .redirectErrorStream(true).start();
            assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("hello");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aPassedListenersFileStays() throws IOException {
        Network network = Network.named("epoll");
        try (TcpListener original = network.listen(address(), SocketFile.defaults(), 4)) {
            TcpListener passed = network.listen(network.descriptor(CopiedDescriptor.of(original)));
            try (Server server = Server.builder().network(network).listen(passed).handler(SILENT).start()) {
                assertThat(server.address()).isEqualTo(original.localAddress());
            }
            assertThat(directory.resolve("a.sock")).exists();
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void twoServersSharePortsIfBothAsk() throws IOException {
        ListenOptions options = ListenOptions.none().with(StandardSocketOptions.SO_REUSEPORT, true)
                .with(StandardSocketOptions.SO_RCVBUF, 64 << 10);
        for (String name : List.of("epoll", "nio")) {
            Network network = Network.named(name);
            ServerBuilder builder = Server.builder().network(network).handler(SILENT).listenOptions(options);
            try (Server one = builder.listen(Stage.FREE_PORT).open()) {
                ServerBuilder second = Server.builder().network(network).handler(SILENT).listen(one.address());
                assertThatThrownBy(second::open).isInstanceOf(NetworkException.class).hasMessageContaining("EADDRINUSE");
                try (Server two = second.listenOptions(options).open()) {
                    assertThat(two.address()).isEqualTo(one.address());
                }
            }
        }
        try (TcpListener listener = Network.named("epoll").listen(Stage.FREE_PORT, 4, options)) {
            assertThat(listener.getOption(StandardSocketOptions.SO_RCVBUF)).isEqualTo(128 << 10);
        }
        SimNetwork simulated = SimNetwork.of(1, FaultPlan.none());
        assertThatThrownBy(() -> simulated.listen(Stage.FREE_PORT, 4, options)).isInstanceOf(UnsupportedOperationException.class);
    }
}
