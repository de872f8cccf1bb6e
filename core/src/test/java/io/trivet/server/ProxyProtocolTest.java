package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Addresses;
import io.trivet.net.Cidr;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.tls.TestCertificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** Servers behind proxies that send headers of the PROXY protocol, and connections that send them. */
final class ProxyProtocolTest {
    private static final Cidr LOOPBACK = Cidr.of("127.0.0.0/8");
    private static final String V1 = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
    private static final String V2 = LoopParts.text(ProxyHeader.v2(client("192.0.2.1"), client("198.51.100.2")).encode());
    private static final String LOCAL = LoopParts.text(ProxyHeader.local().encode());

    /** Answers each line with the line and the address of the client. */
    private static final Handler ECHO = (connection, message) -> connection
            .send(Story.text(message) + " " + Addresses.toString(connection.remoteAddress()));

    private static InetSocketAddress client(String ip) {
        return new InetSocketAddress(InetAddress.ofLiteral(ip), 56324);
    }

    private static ServerBuilder behindProxy(Stage stage, Story story) {
        return stage.steppedServer(story).framing(Framing.lines()).proxyProtocol(LOOPBACK);
    }

    @EveryNetwork
    void connectionHasTheAddressOfTheClientThatItsProxyTells(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(behindProxy(stage, story));
        for (String header : List.of(V1, V2)) {
            Client proxy = stage.pendingClient(server);
            proxy.send(header, "hello\nagain\n");
            String expected = "hello 192.0.2.1:56324\nagain 192.0.2.1:56324\n";
            assertThat(proxy.receiveText(expected.length())).isEqualTo(expected);
            proxy.finish();
            assertThat(proxy.restText()).isEmpty();
        }
        stage.until("closed", () -> story.count("close") == 2);
        assertThat(story.connection(0).remoteAddress()).as("after the end").isEqualTo(client("192.0.2.1"));
        assertThat(story.reasons()).containsOnly(CloseReason.PEER_FINISHED);
    }

    @EveryNetwork
    void headerMayArriveInAnyTwoPieces(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(behindProxy(stage, story));
        String expected = "hello 192.0.2.1:56324\n";
        for (String header : List.of(V1, V2)) {
            for (int cut = 1; cut < header.length(); cut += header.length() > 30 ? 5 : 3) {
                Client proxy = stage.pendingClient(server);
                proxy.sendPlaintext(header.substring(0, cut));
                stage.settle();
                proxy.send(header.substring(cut), "hello\n");
                assertThat(proxy.receiveText(expected.length())).as("cut at " + cut).isEqualTo(expected);
                proxy.close();
            }
        }
    }

    @EveryNetwork
    void waitingConnectionIsShownAndOpensWithTheLastByte(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(behindProxy(stage, story));
        Client proxy = stage.pendingClient(server);
        for (int i = 0; i < V2.length(); i++) {
            proxy.sendPlaintext(V2.substring(i, i + 1));
            if (i == V2.length() - 1) {
                stage.until("open", () -> {
                    proxy.available(); // continues a TLS handshake
                    return story.size() == 1;
                });
                break;
            }
            stage.settle();
            assertThat(story.size()).as("handlers called after byte %s", i).isZero();
            if (i == 0) {
                assertThat(server.connections().getFirst().state()).isEqualTo(ConnectionState.CONNECTING);
                assertThat(server.connections().getFirst().interestReason()).contains("PROXY header");
            }
        }
        assertThat(server.connections().getFirst().remoteAddress()).isEqualTo(client("192.0.2.1"));
        proxy.send("hello\n");
        assertThat(proxy.receiveText(22)).isEqualTo("hello 192.0.2.1:56324\n");
    }

    @EveryNetwork
    void connectionWithoutAHeaderIsClosedWithItsReason(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(ECHO);
            Server server = stage.open(behindProxy(stage, story));
            Client proxy = stage.pendingClient(server);
            proxy.sendPlaintext("GET / HTTP/1.1\r\n\r\n");
            stage.until("closed", () -> story.count("close PROTOCOL_ERROR") == 1);
            assertThat(story.callbacks()).containsExactly("close PROTOCOL_ERROR");
            assertThat(story.connection(0).failure()).hasMessage("the proxy has sent no PROXY header: byte 0 is 0x47");
            proxy.endsInOrder();
            assertThat(log.lines("no PROXY header")).hasSize(1).allMatch(line -> line.startsWith("FINE "));
        }
    }

    @EveryNetwork
    void headerThatIsCutOffOrLateClosesTheConnection(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(behindProxy(stage, story));
        Client cut = stage.pendingClient(server);
        cut.sendPlaintext(V1.substring(0, 20));
        cut.finishPlaintext();
        stage.until("closed", () -> story.count("close PROTOCOL_ERROR") == 1);
        assertThat(story.connection(0).failure()).hasMessage("the connection has ended before the PROXY header was complete");

        Client late = stage.pendingClient(server);
        late.sendPlaintext(V1.substring(0, 20));
        stage.until("accepted", () -> server.stats().total().connections() == 1);
        stage.settle();
        stage.pass(Duration.ofMillis(4_900));
        stage.settle();
        assertThat(story.size()).isEqualTo(1);
        stage.pass(Duration.ofMillis(200));
        stage.until("closed", () -> story.count("close PROTOCOL_ERROR") == 2);
        assertThat(story.connection(1).failure()).hasMessage("the proxy has sent no complete PROXY header within 5 s");
        assertThat(story.count("open")).isZero();
    }

    @EveryNetwork
    void headerOfAnUntrustedClientIsOrdinaryInput(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).proxyProtocol(Cidr.of("10.0.0.0/8")));
        Client client = stage.client(server);
        client.send("PROXY UNKNOWN\r\n");
        String expected = "PROXY UNKNOWN " + Addresses.toString(client.localAddress()) + "\n";
        assertThat(client.receiveText(expected.length())).isEqualTo(expected);
    }

    @EveryNetwork
    void accessListAndLimitPerAddressApplyToTheClient(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(ECHO);
            Server server = stage.open(behindProxy(stage, story).limits(Limits.defaults().withConnectionsPerAddressMax(1))
                    .access(AccessList.all().allow(Cidr.of("192.0.2.0/24")).deny(Cidr.of("192.0.2.66"))));
            Client first = stage.pendingClient(server);
            first.send(V1, "");
            stage.until("open", () -> story.count("open") == 1);
            for (String[] refused : new String[][]{{V2, "TOO_MANY_FROM_ADDRESS"},
                {V1.replace("192.0.2.1", "192.0.2.66"), "ADDRESS_DENIED"},
                {V1.replace("192.0.2.1", "10.0.0.1"), "ADDRESS_DENIED"},
                {"PROXY UNKNOWN\r\n", "ADDRESS_DENIED"}}) {
                int before = story.count("close");
                Client second = stage.pendingClient(server);
                second.sendPlaintext(refused[0]);
                stage.until("refused", () -> story.count("close") == before + 1);
                assertThat(story.callbacks(story.connection(before + 1))).containsExactly("close " + refused[1]);
                assertThat(second.endsInOrder()).isFalse();
            }
            assertThat(server.stats().total().refused()).isEqualTo(4);
            assertThat(log.lines("WARNING refused 192.0.2.1:56324: too many")).hasSize(1);
            assertThat(log.lines("FINE refused 192.0.2.66:56324: the access list")).hasSize(1);

            Client check = stage.pendingClient(server); // the proxy itself, which the access list does not allow
            check.send(LOCAL, "alive\n");
            String expected = "alive " + Addresses.toString(check.localAddress()) + "\n";
            assertThat(check.receiveText(expected.length())).isEqualTo(expected);

            first.close();
            stage.until("closed", () -> story.callbacks(story.connection(0)).getLast().startsWith("close"));
            Client again = stage.pendingClient(server);
            again.send(V2, "back\n");
            assertThat(again.receiveText(21)).isEqualTo("back 192.0.2.1:56324\n");
        }
    }

    @EveryNetwork
    void drainClosesConnectionsThatWaitForTheirHeader(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(behindProxy(stage, story));
        Client proxy = stage.pendingClient(server);
        stage.until("accepted", () -> server.stats().total().connections() == 1);
        server.drain(Duration.ofSeconds(5));
        stage.until("closed", () -> story.count("close DRAINED") == 1);
        proxy.endsInOrder();
    }

    @EveryNetwork
    void outgoingConnectionSendsItsHeaderBeforeEverythingElse(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(behindProxy(stage, story));
        Story proxies = stage.story((connection, message) -> connection.attachment(Story.text(message)));
        for (ProxyHeader header : List.of(ProxyHeader.v1(client("192.0.2.1"), client("198.51.100.2")),
                ProxyHeader.v2(client("192.0.2.1"), client("198.51.100.2")))) {
            Connection outgoing = server.connect(server.address(),
                    stage.outgoing(Protocol.of(Framing.lines(), proxies)).withProxyHeader(header), null);
            outgoing.send("hello"); // waits until it is connected
            stage.until("answered", () -> outgoing.attachment() != null);
            assertThat(outgoing.attachment()).isEqualTo("hello 192.0.2.1:56324");
            outgoing.close();
        }
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void headerComesBeforeTheTlsHandshake(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(TestCertificates.server())
                .proxyProtocol(LOOPBACK));
        Server relay = stage.open(Server.builder().network(stage.network()).enableTls());
        Story answers = stage.story((connection, message) -> connection.attachment(Story.text(message)));
        Protocol secured = Protocol.of(Framing.lines(), answers).withTls(TestCertificates.client());
        for (ProxyHeader header : List.of(ProxyHeader.v1(client("192.0.2.1"), client("198.51.100.2")),
                ProxyHeader.v2(client("192.0.2.1"), client("198.51.100.2")))) {
            Connection outgoing = relay.connect(server.address(), secured.withProxyHeader(header), null);
            outgoing.send("hello");
            stage.until("answered", () -> outgoing.attachment() != null);
            assertThat(outgoing.attachment()).isEqualTo("hello 192.0.2.1:56324");
            outgoing.close();
        }
        assertThat(story.connection(0).tls()).isNotNull();
    }

    @EveryNetwork(plaintext = EveryNetwork.SETS_TLS_ITSELF)
    void headerAndTheBeginningOfTheHandshakeMayArriveTogether(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).tls(TestCertificates.server())
                .proxyProtocol(LOOPBACK));
        for (String header : List.of(V1, V2)) {
            Client client = stage.keep(new Client(stage, server.address(), inner -> {
                TlsClientSocket socket = new TlsClientSocket(inner);
                socket.sendFirst(Client.bytes(header));
                return socket;
            }));
            client.send("hello\n");
            client.expect("hello 192.0.2.1:56324\n");
            client.finish();
            assertThat(client.restText()).isEmpty();
        }
        assertThat(story.connection(1).tls()).isNotNull();
    }

    @EveryNetwork
    void headerIsReceivedWhileTheHandlerPausesReading(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                connection.pauseReading();
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.send(message);
            }
        });
        Server server = stage.open(behindProxy(stage, story));
        Client proxy = stage.pendingClient(server);
        proxy.send(V2, "held\n");
        stage.until("open", () -> story.count("open") == 1);
        stage.settle();
        assertThat(story.count("message")).isZero();
        server.loops().getFirst().mailbox().run(story.connection(0)::resumeReading);
        assertThat(proxy.receive(5)).isEqualTo("held\n".getBytes(StandardCharsets.US_ASCII));
    }
}
