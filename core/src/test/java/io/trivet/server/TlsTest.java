package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.sim.TortureNetwork;
import io.trivet.tls.ClientAuthentication;
import io.trivet.tls.TestCertificates;
import io.trivet.tls.TlsClient;
import io.trivet.tls.TlsEngineKind;
import io.trivet.tls.TlsEngines;
import io.trivet.tls.TlsEngines.Failure;
import io.trivet.tls.TlsInfo;
import io.trivet.tls.TlsServer;
import io.trivet.tls.TruncatedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A server with TLS, on every network, with a client that has the JDK's engine alone. */
@ParameterizedClass
@EnumSource(value = TlsEngineKind.class, mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
final class TlsTest {
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    private final TlsEngineKind kind;

    TlsTest(TlsEngineKind kind) {
        this.kind = TlsEngines.require(kind);
    }

    @AfterAll
    static void everyConnectionWasFreed() {
        assertThat(TlsEngines.liveConnections()).isZero();
    }

    private TlsServer.Builder settings() {
        return TlsServer.builder().certificate(TestCertificates.file("localhost.pem"), TestCertificates.file("localhost.key"))
                .engine(kind);
    }

    private static SSLEngine engine(String... protocols) {
        SSLEngine engine = TlsClientSocket.context().createSSLEngine("localhost", 1);
        if (protocols.length > 0) {
            engine.setEnabledProtocols(protocols);
        }
        return engine;
    }

    private static Client client(Stage stage, Server server, UnaryOperator<Client.ClientSocket> wrapper) throws IOException {
        return stage.keep(new Client(stage, server.address(), wrapper));
    }

    private static Client client(Stage stage, Server server, String... protocols) throws IOException {
        return client(stage, server, inner -> new TlsClientSocket(inner, engine(protocols)));
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void messagesOfAllSizesAreEchoed(Stage stage) throws IOException {
        for (String protocol : new String[]{"TLSv1.3", "TLSv1.2"}) {
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(story).framing(Framing.lengthPrefixed(4)).limits(Stage.ROOMY)
                    .tls(settings().build()));
            Client client = client(stage, server, protocol);
            for (int size : new int[]{0, 1, 100, 16_383, 16_384, 16_385, 100_000}) {
                byte[] message = ByteBuffer.allocate(4 + size).putInt(size).put(FramedEchoTest.patterned(size)).array();
                client.send(message);
                assertThat(client.receive(message.length)).isEqualTo(message);
            }
            TlsInfo info = story.connection(0).tls();
            assertThat(info).isNotNull();
            assertThat(info.protocol()).isEqualTo(protocol);
            assertThat(info.engine()).isEqualTo(kind);
            client.finish();
            assertThat(client.rest()).isEmpty();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(CloseReason.PEER_FINISHED);
            assertThat(story.connection(0).tls()).isEqualTo(info);
        }
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void muchDataInBothDirectionsWithBackPressure(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).tls(settings().build()));
        Client client = client(stage, server);
        byte[] bytes = FramedEchoTest.patterned(3 << 20);
        int sent = 0;
        int received = 0;
        byte[] back = new byte[bytes.length];
        while (sent < bytes.length) {
            sent += client.sendSome(bytes, sent);
            stage.step();
            byte[] part = sent > bytes.length / 2 ? client.available() : new byte[0];
            System.arraycopy(part, 0, back, received, part.length);
            received += part.length;
            if (sent < bytes.length && part.length == 0 && sent > bytes.length / 2) {
                continue;
            }
            if (sent <= bytes.length / 2) {
                stage.step();
                int before = sent;
                sent += client.sendSome(bytes, sent);
                if (sent == before) { // both directions are full: the server has paused reading
                    part = client.available();
                    System.arraycopy(part, 0, back, received, part.length);
                    received += part.length;
                }
            }
        }
        client.finish();
        byte[] rest = client.rest();
        System.arraycopy(rest, 0, back, received, rest.length);
        assertThat(received + rest.length).isEqualTo(bytes.length);
        assertThat(Arrays.equals(back, bytes)).isTrue();
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void halfCloseInEitherDirection(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.send("last");
                connection.finishOutput();
            }

            @Override
            public void onEndOfInput(Connection connection) {
                // The connection stays open until our output has ended, too.
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(settings().build()));
        Client client = client(stage, server);
        client.send("one\n");
        assertThat(client.restText()).isEqualTo("last\n");
        client.send("two\n");
        stage.until("delivered", () -> story.count("message") == 2);
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message one", "message two", "end", "close PEER_FINISHED");

        Client other = client(stage, server);
        other.finish();
        stage.until("end", () -> story.count("end") == 2);
        story.connection(1).send("after your end");
        story.connection(1).finish();
        assertThat(other.restText()).isEqualTo("after your end\n");
        stage.until("closed", () -> story.count("close") == 2);
    }

    /** Nothing is lost by the close: the peer must not take what it has received for a part. */
    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void closeAfterTheEndOfInputSendsCloseNotify(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onEndOfInput(Connection connection) {
                // The connection stays open until the test closes it.
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(settings().build()));
        TlsClientSocket[] socket = new TlsClientSocket[1];
        Client client = client(stage, server, inner -> socket[0] = new TlsClientSocket(inner, engine()));
        client.finish();
        stage.until("end", () -> story.count("end") == 1);
        stage.settle(); // the FIN behind the client's close_notify arrives, too
        story.connection(0).close();
        stage.until("closed", () -> story.count("close") == 1);
        if (!(stage.network() instanceof TortureNetwork)) { // which may refuse it: close does not wait
            assertThat(client.rest()).isEmpty();
            assertThat(socket[0].engine().isInboundDone()).as("close_notify was received").isTrue();
        }
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void aStreamWithoutCloseNotifyIsTruncated(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(settings().build()));
        TlsClientSocket[] socket = new TlsClientSocket[1];
        Client client = client(stage, server, inner -> socket[0] = new TlsClientSocket(inner, engine()));
        client.send("whole\nunfinished");
        socket[0].truncate();
        assertThat(client.restText()).isEqualTo("whole\n");
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message whole", "close TRUNCATED");
        assertThat(story.connection(0).failure()).isInstanceOf(TruncatedException.class);
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void repliesBeforeTheEndOfTls12AreDelivered(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(settings().build()));
        Client client = client(stage, server, "TLSv1.2");
        client.send("one\ntwo\n");
        client.finish(); // its close_notify ends both directions
        assertThat(client.restText()).isEqualTo("one\ntwo\n");
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.PEER_FINISHED);
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void newCertificatesAreUsedWithoutTouchingConnections(Stage stage) throws IOException {
        Path chain = Files.createTempFile("trivet", ".pem");
        Path key = Files.createTempFile("trivet", ".key");
        Files.copy(TestCertificates.file("localhost.pem"), chain, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(TestCertificates.file("localhost.key"), key, StandardCopyOption.REPLACE_EXISTING);
        TlsServer tls = TlsServer.builder().certificate(chain, key).engine(kind).build();
        Server server = stage.open(stage.server(stage.story(ECHO)).framing(Framing.lines()).tls(tls));
        TlsClientSocket[] sockets = new TlsClientSocket[2];
        Client before = client(stage, server, inner -> sockets[0] = new TlsClientSocket(inner, engine()));
        Files.copy(TestCertificates.file("example.pem"), chain, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(TestCertificates.file("example.key"), key, StandardCopyOption.REPLACE_EXISTING);
        tls.reload();
        Client after = client(stage, server, inner -> sockets[1] = new TlsClientSocket(inner, engine()));
        for (Client client : List.of(before, after)) {
            client.send("x\n");
            client.expect("x\n");
        }
        assertThat(sockets[0].engine().getSession().getPeerPrincipal().getName()).isEqualTo("CN=localhost");
        assertThat(sockets[1].engine().getSession().getPeerPrincipal().getName()).isEqualTo("CN=example");
        Files.delete(chain);
        Files.delete(key);
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void aSessionLearnsThatItsStreamIsTruncated(Stage stage) throws IOException {
        List<String> received = Collections.synchronizedList(new ArrayList<>());
        Server server = stage.open(Server.builder().network(stage.network()).listen(Stage.FREE_PORT,
                Protocol.session(Framing.lines(), session -> {
                    try {
                        for (ByteBuffer line = session.receive(); line != null; line = session.receive()) {
                            received.add(LoopParts.text(line));
                        }
                        received.add("end");
                    } catch (ConnectionClosedException e) {
                        received.add(e.reason().toString());
                    }
                }).withTls(settings().build())));
        TlsClientSocket[] socket = new TlsClientSocket[1];
        Client client = client(stage, server, inner -> socket[0] = new TlsClientSocket(inner, engine()));
        client.send("one\ntwo\n");
        socket[0].truncate();
        stage.until("truncated", () -> received.size() == 3);
        assertThat(received).containsExactly("one", "two", "TRUNCATED");
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void garbageEndsAConnectionWithOneReason(Stage stage) throws IOException {
        long seed = Long.getLong("trivet.tls.seed", System.nanoTime());
        Random random = new Random(seed);
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).tls(settings().build()));
        LogLines log = stage.keep(new LogLines());
        for (int i = 0; i < 12; i++) {
            TlsClientSocket[] socket = new TlsClientSocket[1];
            boolean established = i % 2 == 0;
            Client client = established ? client(stage, server, inner -> socket[0] = new TlsClientSocket(inner, engine()))
                    : stage.client(server);
            byte[] bytes = new byte[random.nextInt(TlsClientSocket.RECORD_BYTES_MIN, 2_000)];
            random.nextBytes(bytes);
            if (i % 3 > 0) { // the header of a record
                bytes[0] = (byte) random.nextInt(20, 25);
                bytes[1] = 3;
                bytes[2] = 3;
                bytes[3] = 0;
                bytes[4] = (byte) random.nextInt(1, 100);
            }
            if (established) {
                socket[0].writeRaw(ByteBuffer.wrap(bytes));
                socket[0].truncate();
            } else {
                client.send(bytes);
                client.finish();
            }
            int expected = i + 1;
            stage.until("closed, with seed " + seed, () -> story.count("close") == expected);
            assertThat(story.reasons().getLast()).as("seed %s, round %s", seed, i)
                    .isIn(established ? List.of(CloseReason.PROTOCOL_ERROR, CloseReason.TRUNCATED)
                            : List.of(CloseReason.HANDSHAKE_FAILED));
            assertThat(log.lines(" CLOSED with ")).as("seed %s: one line each", seed).hasSize(expected);
            client.close();
        }
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void aCloseThatDropsCiphertextIsReportedAsAReset(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).tls(settings().build()));
        try (LogLines log = new LogLines()) {
            Client client = client(stage, server);
            stage.until("open", () -> story.count("open") == 1);
            Connection connection = story.connection(0);
            int[] stuck = {0}; // under torture, a socket may seem full for a moment
            stage.until("TLS holds all that is unsent, and the socket stays full", () -> {
                if (server.stats().queueBytes() == 0) {
                    connection.send(new byte[48_000]); // is encrypted at once, so the queue is empty even if the socket is full
                }
                stage.step();
                boolean holds = connection.queue().messages() == 0
                        && server.loops().getFirst().proactor().unsentBytes(connection.handle) > 0;
                stuck[0] = holds ? stuck[0] + 1 : 0;
                return stuck[0] == 100;
            });
            assertThat(server.stats().memory().tls()).as("memory of the ciphertext").isGreaterThan(16_384);
            connection.close();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(server.recentlyClosed().getFirst().reset()).isTrue();
            assertThat(log.lines("the peer gets a reset")).hasSize(1);
            assertThat(server.stats().queueBytes()).as("released in the same turn").isZero();
            assertThat(client.endsInOrder()).isFalse();
        }
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void ciphertextCountsInTheBudgetAtTheEndOfTheTurn(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).tls(settings().build()));
        client(stage, server);
        stage.until("open", () -> story.count("open") == 1);
        boolean holds = false;
        for (int i = 0; i < 2_000 && !holds; i++) {
            story.connection(0).send(new byte[48_000]);
            server.turn(Duration.ZERO);
            long held = server.loops().getFirst().proactor().keptBytes();
            assertThat(server.stats().queueBytes()).isGreaterThanOrEqualTo(held);
            holds = held > 16_384;
        }
        assertThat(holds).as("the socket was full").isTrue();
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void finishDuringADrainEndsAConnectionInItsHandshake(Stage stage) throws IOException {
        TlsServer tls = settings().build();
        Story story = stage.story((connection, message) -> {
            connection.send("go ahead");
            connection.startTls(tls);
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).enableTls());
        Client client = stage.keep(new Client(stage, server.address()));
        client.send("starttls\n");
        client.expect("go ahead\n");
        Connection connection = story.connection(0);
        stage.until("in its handshake", () -> connection.state() == ConnectionState.CONNECTING);
        server.drain(Duration.ofMinutes(1));
        stage.settle();
        assertThat(story.count("close")).as("it may complete").isZero();
        connection.finish();
        assertThat(connection.send("more")).isEqualTo(SendResult.CLOSED);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.FINISHED);
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void filesAreSent(Stage stage) throws IOException {
        Path file = Files.createTempFile("trivet", ".bin");
        byte[] content = FramedEchoTest.patterned(200_000);
        Files.write(file, content);
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) throws IOException {
                connection.sendFile(file, 0, -1, (c, bytes, failure) -> c.finish());
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(settings().build()));
        Client client = client(stage, server);
        client.send("file\n");
        assertThat(client.rest()).isEqualTo(content);
        Files.delete(file);
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void aStalledHandshakeIsClosedByItsDeadline(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.steppedServer(story).tls(settings().handshakeTimeout(Duration.ofSeconds(3)).build()));
        Client client = stage.client(server);
        client.send(new byte[]{22, 3, 1}); // the beginning of a record
        stage.settle();
        assertThat(server.connections()).hasSize(1);
        stage.pass(Duration.ofSeconds(3));
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("close HANDSHAKE_TIMEOUT");
        assertThat(client.restText()).isEmpty();
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void aDrainGivesAHandshakeTheTimeToLinger(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Duration linger = Limits.defaults().lingerTimeout();
        Server server = stage.open(stage.steppedServer(story).tls(settings().handshakeTimeout(linger.multipliedBy(2)).build()));
        Client stalled = stage.client(server);
        stalled.send(new byte[]{22, 3, 1}); // the beginning of a record
        stage.settle();
        server.drain(linger.multipliedBy(10));
        stage.settle();
        stage.pass(linger.minusMillis(1));
        stage.settle();
        assertThat(server.connections()).hasSize(1);
        stage.pass(Duration.ofMillis(1));
        stage.until("drained", server::isClosed);
        assertThat(story.callbacks()).containsExactly("close HANDSHAKE_TIMEOUT");
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void anotherProtocolIsNamed(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).tls(settings().build()));
        try (LogLines log = new LogLines()) {
            Client client = stage.client(server);
            client.send("GET / HTTP/1.1\r\n\r\n");
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(log.lines()).singleElement().asString().startsWith("FINE connection 0 CLOSED with ")
                    .contains(": the TLS handshake failed: the peer does not speak TLS: it began with \"G");
        }
        assertThat(story.callbacks()).containsExactly("close HANDSHAKE_FAILED");
        assertThat(story.connection(0).failure()).hasMessageMatching(
                "the peer does not speak TLS: it began with \"G.*\"" /* as much as has arrived, which torture makes less */);
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void aHandshakeThatIsCutAnywhereFails(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).tls(settings().build()));
        SSLEngine engine = engine();
        engine.setUseClientMode(true);
        ByteBuffer hello = ByteBuffer.allocate(1 << 15);
        engine.beginHandshake();
        engine.wrap(ByteBuffer.allocate(0), hello);
        byte[] bytes = Arrays.copyOf(hello.array(), hello.position());
        int count = 0;
        for (int cut = 0; cut < bytes.length; cut += 1 + cut / 3) {
            Client client = stage.client(server);
            client.send(Arrays.copyOf(bytes, cut));
            client.finish();
            assertThat(client.endsInOrder()).isTrue();
            int expected = ++count;
            stage.until("closed", () -> story.count("close") == expected);
        }
        assertThat(story.reasons()).containsOnly(CloseReason.HANDSHAKE_FAILED);
        assertThat(story.connection(0).failure()).hasMessage("the peer has closed the connection during the handshake");
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void closeNotifyWithinTheHandshakeFailsIt(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).tls(settings().build()));
        byte[] closeNotify = {21, 3, 3, 0, 2, 1, 0};
        byte[] canceled = {21, 3, 3, 0, 2, 1, 90};
        for (byte[] alerts : List.of(closeNotify, Client.join(canceled, closeNotify))) {
            int before = story.count("close");
            Client client = stage.client(server);
            client.send(alerts);
            stage.until("closed, although the client keeps the connection open", () -> story.count("close") == before + 1);
            assertThat(client.endsInOrder()).isIn(true, false);
        }
        assertThat(story.callbacks()).containsExactly("close HANDSHAKE_FAILED", "close HANDSHAKE_FAILED");
        assertThat(story.connection(1).failure()).hasMessage(TlsEngines.text(kind, Failure.ENDED_AT_ONCE));
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void aForgedRecordBehindAMessageIsAProtocolError(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(settings().build()));
        for (String protocol : new String[]{"TLSv1.3", "TLSv1.2"}) {
            int before = story.count("close");
            TlsClientSocket[] socket = new TlsClientSocket[1];
            Client client = client(stage, server, inner -> socket[0] = new TlsClientSocket(inner, engine(protocol)));
            client.send("first\n");
            client.expect("first\n");
            ByteBuffer records = ByteBuffer.allocate(1 << 15);
            socket[0].engine().wrap(ByteBuffer.wrap(Client.bytes("second\n")), records);
            int forged = records.position() + TlsClientSocket.RECORD_BYTES_MIN + 1;
            socket[0].engine().wrap(ByteBuffer.wrap(Client.bytes("third\n")), records);
            records.put(forged, (byte) (records.get(forged) ^ 1)).flip();
            socket[0].writeRaw(records);
            stage.until("closed", () -> story.count("close") == before + 1);
            assertThat(story.reasons().getLast()).isEqualTo(CloseReason.PROTOCOL_ERROR);
            assertThat(story.callbacks()).endsWith("message first", "message second", "close PROTOCOL_ERROR");
            client.close();
        }
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void clientsAreAskedForCertificates(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines())
                .tls(settings().clientAuthentication(ClientAuthentication.REQUIRED, TestCertificates.file("ca.pem")).build()));
        Client without = client(stage, server, "TLSv1.3");
        Assertions.assertThatThrownBy(without::rest).isInstanceOf(SSLException.class);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.HANDSHAKE_FAILED);

        TlsClient client = TlsClient.builder().engine(kind).authorities(TestCertificates.file("ca.pem"))
                .certificate(TestCertificates.file("client.pem"), TestCertificates.file("client.key")).build();
        Story outgoing = stage.story((connection, message) -> connection.finish());
        Server other = stage.open(Server.builder().network(stage.network()).enableTls());
        Connection made = other.connect(server.address(), Protocol.of(Framing.lines(), outgoing).withTls(client), null);
        made.send("hello"); // waits for the handshake
        stage.until("closed", () -> story.count("close") == 2 && outgoing.count("close") == 1);
        assertThat(outgoing.callbacks()).containsExactly("open", "message hello", "close FINISHED");
        assertThat(story.connection(1).tls().peerCertificates().getFirst().getSubjectX500Principal().getName())
                .isEqualTo("CN=client");
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void plaintextIsSentBeforeTheHandshakeAndTheRestUnderTls(Stage stage) throws IOException {
        TlsServer tls = settings().build();
        Story accepted = stage.story((connection, message) -> {
            if (LoopParts.text(message).equals("starttls")) {
                connection.send("go ahead");
                connection.startTls(tls);
                connection.send("welcome");
            } else {
                connection.send(message);
            }
        });
        Server server = stage.open(stage.server(accepted).framing(Framing.lines()).enableTls());
        TlsClient trust = TestCertificates.client(kind);
        Story outgoing = stage.story((connection, message) -> {
            switch (LoopParts.text(message)) {
                case "go ahead" -> {
                    connection.startTls(trust);
                    connection.send("ping");
                }
                case "ping" -> connection.finish();
                default -> {
                    // The welcome.
                }
            }
        });
        Server client = stage.open(Server.builder().network(stage.network()).enableTls());
        Connection made = client.connect(server.address(), Protocol.of(Framing.lines(), outgoing), null);
        made.send("starttls");
        stage.until("closed", () -> accepted.count("close") == 1 && outgoing.count("close") == 1);
        assertThat(outgoing.callbacks()).containsExactly("open", "message go ahead", "message welcome", "message ping",
                "close FINISHED");
        assertThat(accepted.callbacks()).containsExactly("open", "message starttls", "message ping", "end",
                "close PEER_FINISHED");
        assertThat(made.tls()).isNotNull();
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void theEndOfTheOutputAfterStartTlsIsEncrypted(Stage stage) throws IOException {
        TlsServer tls = settings().build();
        Story accepted = stage.story((connection, message) -> {
            connection.send("go ahead");
            connection.startTls(tls);
            connection.finishOutput();
        });
        Server server = stage.open(stage.server(accepted).framing(Framing.lines()).enableTls());
        TlsClient trust = TestCertificates.client(kind);
        Story outgoing = stage.story((connection, message) -> connection.startTls(trust));
        Server client = stage.open(Server.builder().network(stage.network()).enableTls());
        Connection made = client.connect(server.address(), Protocol.of(Framing.lines(), outgoing), null);
        made.send("starttls");
        stage.until("closed", () -> accepted.count("close") == 1 && outgoing.count("close") == 1);
        assertThat(outgoing.callbacks()).containsExactly("open", "message go ahead", "end", "close PEER_FINISHED");
        assertThat(made.tls()).isNotNull();
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void plaintextBehindTheCommandIsNotExecutedUnderTls(Stage stage) throws IOException {
        TlsServer tls = settings().build();
        Story story = stage.story((connection, message) -> {
            connection.send("go ahead");
            connection.startTls(tls);
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).enableTls());
        Client client = stage.client(server);
        client.send("starttls\ninjected\n");
        assertThat(client.endsInOrder()).isIn(true, false);
        stage.until("closed", () -> story.count("close") == 1);
        if (stage.network() instanceof TortureNetwork) { // the second line may come later, where it is no handshake
            assertThat(story.reasons().getFirst()).isIn(CloseReason.PROTOCOL_ERROR, CloseReason.HANDSHAKE_FAILED);
        } else {
            assertThat(story.callbacks()).containsExactly("open", "message starttls", "close PROTOCOL_ERROR");
            assertThat(story.connection(0).failure()).hasMessageContaining("9 bytes in plaintext");
        }
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void sessionsChangeToTls(Stage stage) throws IOException {
        List<String> received = Collections.synchronizedList(new ArrayList<>());
        TlsServer tls = settings().build();
        Server server = stage.open(Server.builder().network(stage.network()).enableTls().listen(Stage.FREE_PORT,
                Protocol.session(Framing.lines(), session -> {
                    received.add(text(session.receive()));
                    session.startTls(tls, "go ahead");
                    received.add(session.connection().tls() == null ? "plaintext" : "secured");
                    received.add(text(session.receive()));
                    session.send("pong");
                    received.add("end " + text(session.receive()));
                })));
        TlsClient trust = TestCertificates.client(kind);
        Server client = stage.open(Server.builder().network(stage.network()).enableTls());
        client.connect(server.address(), Protocol.session(Framing.lines(), session -> {
            session.send("starttls");
            received.add(text(session.receive()));
            session.startTls(trust);
            session.send("ping");
            received.add(text(session.receive()));
        }), null);
        stage.until("the sessions have ended", () -> received.size() == 6);
        assertThat(received).containsExactly("starttls", "go ahead", "secured", "ping", "pong", "end null");
    }

    private static String text(ByteBuffer message) {
        return message == null ? "null" : LoopParts.text(message);
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void plaintextThatASessionHasNotReceivedIsNotExecutedUnderTls(Stage stage) throws IOException {
        for (String injected : new String[]{"injected\n", "\n", "half"}) {
            List<String> received = Collections.synchronizedList(new ArrayList<>());
            TlsServer tls = settings().build();
            Server server = stage.open(Server.builder().network(stage.network()).enableTls().listen(Stage.FREE_PORT,
                    Protocol.session(Framing.lines(), session -> {
                        received.add(text(session.receive()));
                        session.sleep(Duration.ofMillis(5)); // the rest arrives
                        try {
                            session.startTls(tls, "go ahead");
                            received.add(text(session.receive()));
                        } catch (ConnectionClosedException e) {
                            received.add(e.reason().toString());
                            received.add(String.valueOf(e.getCause()));
                            try {
                                received.add(text(session.receive()));
                            } catch (ConnectionClosedException again) {
                                received.add("closed");
                            }
                        }
                    })));
            Client client = stage.client(server);
            client.send("starttls\n" + injected);
            stage.until("refused", () -> received.size() == 4);
            assertThat(received).last().isEqualTo("closed");
            if (!(stage.network() instanceof TortureNetwork)) { // where the rest may come later, and is no handshake
                assertThat(received.get(1)).as(injected).isEqualTo("PROTOCOL_ERROR");
                assertThat(received.get(2)).contains("bytes in plaintext have arrived before the TLS handshake");
            }
            assertThat(received).doesNotContain("injected");
            assertThat(client.endsInOrder()).isIn(true, false);
        }
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void aSessionLearnsWhyItHasNoTls(Stage stage) throws IOException {
        List<String> received = Collections.synchronizedList(new ArrayList<>());
        TlsServer tls = settings().handshakeTimeout(Duration.ofMillis(20)).build();
        Server without = stage.open(Server.builder().network(stage.network()).listen(Stage.FREE_PORT,
                Protocol.session(Framing.lines(), session -> {
                    try {
                        session.startTls(tls, "go ahead");
                    } catch (IllegalStateException e) {
                        received.add(e.getMessage());
                    }
                })));
        Client first = stage.client(without);
        assertThat(first.restText()).isEmpty();
        assertThat(received).containsExactly("the server was built without TLS: call enableTls() on its builder");

        received.clear();
        Server server = stage.open(Server.builder().network(stage.network()).enableTls().listen(Stage.FREE_PORT,
                Protocol.session(Framing.lines(), session -> {
                    try {
                        session.startTls(tls, "go ahead");
                    } catch (ConnectionClosedException e) {
                        received.add(e.reason().toString());
                    }
                })));
        Client stalls = stage.client(server);
        stalls.expect("go ahead\n");
        stage.until("timed out", () -> received.size() == 1);
        Client garbles = stage.client(server);
        garbles.expect("go ahead\n");
        garbles.send("GET / HTTP/1.1\r\n");
        stage.until("refused", () -> received.size() == 2);
        assertThat(received).containsExactly("HANDSHAKE_TIMEOUT", "HANDSHAKE_FAILED");
        assertThat(garbles.endsInOrder()).isIn(true, false);
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void theHostNameIsVerified(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(settings().build()));
        Server client = stage.open(Server.builder().network(stage.network()).enableTls());
        Story outgoing = stage.story((connection, message) -> connection.finish());
        TlsClient wrong = TestCertificates.client(kind).withServerName("other.test");
        Connection refused = client.connect(server.address(), Protocol.of(Framing.lines(), outgoing).withTls(wrong), null);
        stage.until("closed", () -> outgoing.count("close") == 1 && story.count("close") == 1);
        assertThat(outgoing.reasons()).containsExactly(CloseReason.HANDSHAKE_FAILED);
        assertThat(refused.failure()).hasMessageContaining("other.test");
        if (!(stage.network() instanceof TortureNetwork)) { // where the alert may not fit into the socket
            assertThat(story.connection(0).failure()).hasMessageContaining(TlsEngines.text(kind, Failure.WRONG_NAME_ALERT));
        }

        TlsClient right = TestCertificates.client(kind); // the address 127.0.0.1 is in the certificate
        Connection made = client.connect(server.address(), Protocol.of(Framing.lines(), outgoing).withTls(right), null);
        made.send("x");
        stage.until("closed", () -> outgoing.count("close") == 2);
        assertThat(outgoing.reasons()).containsExactly(CloseReason.HANDSHAKE_FAILED, CloseReason.FINISHED);
    }
}
