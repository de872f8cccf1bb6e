package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Network;
import io.trivet.observe.CloseReason;
import io.trivet.tls.TestCertificates;
import io.trivet.tls.TlsEngineKind;
import io.trivet.tls.TlsEngines;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many TLS handshakes at once, on real sockets. Turns are counted, not time, which stands still: how long a signature takes depends on the machine. */
final class HandshakeStormTest {
    private static final int CLIENTS = 1_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(7);

    private final List<SocketChannel> storm = new ArrayList<>();

    @ParameterizedTest
    @EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
    void establishedClientIsServedEachTurnAndEachStallerIsClosedByItsDeadline(TlsEngineKind kind) throws IOException {
        try (Stage stage = new Stage(Network.system())) {
            Story story = stage.story((connection, message) -> connection.send(message));
            Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).tls(settings(kind)));
            Client established = stage.keep(new Client(stage, server.address(), TlsClientSocket::new));
            established.send("x\n");
            established.expect("x\n");
            connect(stage, server);

            int longest = 0;
            List<SocketChannel> unanswered = new ArrayList<>(storm);
            while (!unanswered.isEmpty()) {
                established.send("x\n");
                int waited = 0;
                for (byte[] reply = {}; reply.length == 0; reply = established.available()) {
                    server.turn(Duration.ZERO);
                    waited++;
                    assertThat(waited).as("turns until the reply").isLessThan(CLIENTS);
                }
                longest = Math.max(longest, waited);
                unanswered.removeIf(HandshakeStormTest::isAnswered);
            }
            assertThat(longest).as("turns until a reply").isLessThanOrEqualTo(2);
            assertThat(story.count("close")).as("before the deadline").isZero();

            stage.pass(TIMEOUT);
            stage.until("the stallers are closed", () -> story.count("close") == CLIENTS);
            assertThat(story.reasons()).containsOnly(CloseReason.HANDSHAKE_TIMEOUT);
            established.send("still here\n");
            established.expect("still here\n");
        }
    }

    @ParameterizedTest
    @EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
    void anIdleLoopGivesHandshakesAllItsTime(TlsEngineKind kind) throws IOException {
        try (Stage stage = new Stage(Network.system())) {
            Server server = stage.open(stage.server(stage.story((_, _) -> {})).tls(settings(kind)));
            connect(stage, server);
            List<SocketChannel> unanswered = new ArrayList<>(storm);
            stage.until("answered", () -> {
                unanswered.removeIf(HandshakeStormTest::isAnswered);
                return unanswered.isEmpty();
            });
            assertThat(server.stats().total().turns()).as("turns, each with a step").isLessThan(3 * CLIENTS);
        }
    }

    @ParameterizedTest
    @EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
    void drainDoesNotWaitLongerBecauseOfAnEarlierWaitInTheQueue(TlsEngineKind kind) throws IOException {
        Duration linger = Duration.ofSeconds(2);
        try (Stage stage = new Stage(Network.named("epoll"))) {
            Story story = stage.story((_, _) -> {});
            Server server = stage
                    .open(stage.steppedServer(story).tls(settings(kind)).limits(Limits.defaults().withLingerTimeout(linger)));
            List<SocketChannel> clients = new ArrayList<>();
            for (int i = 0; i < 200; i++) { // epoll reports all of them at once, more than continue in one turn
                clients.add(stage.keep(SocketChannel.open(server.address())));
            }
            stage.until("accepted", () -> server.stats().total().connections() == 200);
            for (SocketChannel client : clients) {
                client.write(ByteBuffer.wrap(hello()));
            }
            server.turn(Duration.ZERO);
            stage.pass(TIMEOUT.multipliedBy(2).dividedBy(3));
            stage.settle();
            server.drain(Duration.ofMinutes(2));
            stage.settle();
            assertThat(server.isClosed()).isFalse();
            stage.pass(linger.plusMillis(20));
            stage.until("closed", server::isClosed);
            assertThat(story.count("close")).isEqualTo(200);
        }
    }

    private static TlsServer settings(TlsEngineKind kind) throws IOException {
        return TlsServer.builder().certificate(TestCertificates.file("localhost.pem"), TestCertificates.file("localhost.key"))
                .handshakeTimeout(TIMEOUT).engine(TlsEngines.require(kind)).build();
    }

    /** Connects the clients of the storm, of which each sends its first message, and has the server accept them. */
    private void connect(Stage stage, Server server) throws IOException {
        byte[] hello = hello();
        for (int i = 0; i < CLIENTS; i++) {
            SocketChannel client = stage.keep(SocketChannel.open(server.address()));
            client.configureBlocking(false);
            assertThat(client.write(ByteBuffer.wrap(hello))).isEqualTo(hello.length);
            storm.add(client);
        }
        stage.until("accepted", () -> server.stats().total().connections() >= CLIENTS);
    }

    /** Returns the first message of a client. The storm sends nothing else. */
    private static byte[] hello() throws IOException {
        SSLEngine engine = TlsClientSocket.context().createSSLEngine("localhost", 1);
        engine.setUseClientMode(true);
        engine.beginHandshake();
        ByteBuffer bytes = ByteBuffer.allocate(1 << 15);
        engine.wrap(ByteBuffer.allocate(0), bytes);
        byte[] hello = new byte[bytes.position()];
        bytes.flip().get(hello);
        return hello;
    }

    private static boolean isAnswered(SocketChannel client) {
        try {
            return client.read(ByteBuffer.allocate(1)) > 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
