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

/** Many TLS handshakes at once, on real sockets. Turns are counted, not time: how long a signature takes is the machine's affair. */
final class HandshakeStormTest {
    private static final int CLIENTS = 1_000;
    private static final int ROUND_TURNS = 100;
    private static final Duration TIMEOUT = Duration.ofSeconds(7);

    private final List<SocketChannel> storm = new ArrayList<>();

    @ParameterizedTest
    @EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
    void establishedClientIsServedEachTurnAndEachStallerIsClosedByItsDeadline(TlsEngineKind kind) throws IOException {
        try (Stage stage = new Stage(Network.system())) {
            Story story = stage.story((connection, message) -> connection.send(message));
            TlsServer tls = TlsServer.builder().certificate(TestCertificates.file("localhost.pem"),
                    TestCertificates.file("localhost.key")).handshakeTimeout(TIMEOUT)
                    .engine(TlsEngines.require(kind)).build();
            Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).tls(tls));
            Client established = stage.keep(new Client(stage, server.address(), TlsClientSocket::new));
            established.send("x\n");
            established.expect("x\n");
            byte[] hello = hello();
            for (int i = 0; i < CLIENTS; i++) {
                SocketChannel client = stage.keep(SocketChannel.open(server.address()));
                client.configureBlocking(false);
                assertThat(client.write(ByteBuffer.wrap(hello))).isEqualTo(hello.length);
                storm.add(client);
            }
            stage.until("accepted", () -> server.stats().total().connections() == CLIENTS + 1);

            int turns = 0;
            int longest = 0;
            List<SocketChannel> unanswered = new ArrayList<>(storm);
            while (!unanswered.isEmpty()) {
                for (int i = 0; i < ROUND_TURNS; i++) {
                    established.send("x\n");
                    int waited = 0;
                    for (byte[] reply = {}; reply.length == 0; reply = established.available()) {
                        server.turn(Duration.ZERO);
                        waited++;
                        assertThat(waited).as("turns until the reply, after %s turns", turns).isLessThan(ROUND_TURNS);
                    }
                    turns += waited;
                    longest = Math.max(longest, waited);
                }
                unanswered.removeIf(HandshakeStormTest::isAnswered);
            }
            assertThat(longest).as("turns until a reply").isLessThanOrEqualTo(2);
            assertThat(turns).as("the steps of handshakes: one a turn").isGreaterThan(CLIENTS / 2);
            assertThat(story.count("close")).as("before the deadline").isZero();

            stage.pass(TIMEOUT);
            stage.until("the stallers are closed", () -> story.count("close") == CLIENTS);
            assertThat(story.reasons()).containsOnly(CloseReason.HANDSHAKE_TIMEOUT);
            established.send("still here\n");
            established.expect("still here\n");
        }
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
