package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.SelfConnect;
import io.trivet.net.TcpListener;
import io.trivet.observe.CloseReason;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.TortureNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Outgoing connections of a server: attachments, connects by name, and connections to itself. */
final class OutgoingConnectTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final Handler ECHO = Connection::send;

    /** Records the attachment at each callback. */
    private static final class Attachments implements Handler {
        final List<String> seen = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void onOpen(Connection connection) {
            seen.add("open " + connection.attachment());
            connection.finish();
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            seen.add("message");
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            seen.add("close " + connection.attachment());
        }
    }

    @EveryNetwork
    void attachmentIsSetBeforeEveryCallback(Stage stage) throws IOException {
        Attachments attachments = new Attachments();
        Server server = stage.start(stage.server(SILENT).loops(2));
        int count = 200;
        for (int i = 0; i < count; i++) {
            Connection connection = server.connect(server.address(), attachments, "mine");
            assertThat(connection.attachment()).isEqualTo("mine");
        }
        stage.until("closed", () -> attachments.seen.size() == 2 * count);
        assertThat(attachments.seen).containsOnly("open mine", "close mine");
    }

    @EveryNetwork
    void attachmentIsSetWhenTheConnectFails(Stage stage) throws IOException {
        InetSocketAddress unused;
        try (TcpListener listener = stage.network().listen(Stage.FREE_PORT, 1)) {
            unused = listener.localAddress();
        }
        Attachments attachments = new Attachments();
        Server server = stage.open(stage.server(SILENT));
        Connection connection = server.connect(unused, attachments, "mine");
        stage.until("closed", () -> !attachments.seen.isEmpty());
        assertThat(attachments.seen).containsExactly("close mine");
        assertThat(connection.failure()).isInstanceOfSatisfying(NetworkException.class,
                e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNREFUSED));
    }

    @EveryNetwork
    void connectByNameUsesTheFirstAddressThatAnswers(Stage stage) throws IOException {
        if (stage.network() instanceof SimNetwork) {
            return; // it has one address of its own
        }
        Server target = stage.open(stage.server(ECHO));
        int port = target.address().getPort();
        TcpListener full = stage.keep(stage.network()
                .listen(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.2"), port), 1));
        for (int i = 0; i < 8; i++) { // a full backlog drops further connects
            stage.keep(stage.network().connect(full.localAddress()));
        }
        NamesOfTest names = new NamesOfTest();
        names.put("db.test", "127.0.0.3", "127.0.0.2", "127.0.0.1");
        Story story = stage.story((connection, message) -> {});
        Server server = stage.open(stage.steppedServer(SILENT).lookup(names.lookup()));
        Connection connection = server.connect(InetSocketAddress.createUnresolved("db.test", port),
                stage.outgoing(Protocol.of(Framing.raw(), story)), "mine");
        assertThat(connection.send("hello")).isEqualTo(SendResult.QUEUED);
        server.broadcast(ByteBuffer.wrap(new byte[]{'!'}));
        stage.settle();
        assertThat(server.connections()).singleElement()
                .satisfies(snapshot -> assertThat(snapshot.interestReason()).contains("by name"));
        names.answer();
        stage.settle();
        assertThat(story.callbacks()).as("refused by the first address, no answer from the second").isEmpty();
        stage.until("echoed", () -> {
            stage.pass(Duration.ofMillis(25)); // under torture, the refusal may be reported late
            return connection.bytesIn == "hello!".length();
        });
        assertThat(connection.remoteAddress()).isEqualTo(target.address());
        assertThat(server.connections()).hasSize(1);
        connection.finish();
        stage.until("closed", () -> story.count("close") == 1);
    }

    @EveryNetwork
    void connectByNameThatFailsNamesEachAddress(Stage stage) throws IOException {
        InetSocketAddress unused;
        try (TcpListener listener = stage.network().listen(Stage.FREE_PORT, 1)) {
            unused = listener.localAddress();
        }
        NamesOfTest names = new NamesOfTest();
        names.put("db.test", "127.0.0.1", "::1");
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(SILENT).lookup(names.lookup()));
        Connection connection = server.connect(InetSocketAddress.createUnresolved("db.test", unused.getPort()), story);
        stage.settle();
        names.answer();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("close CONNECT_FAILED");
        assertThat(connection.failure()).hasMessageContainingAll("connect db.test:" + unused.getPort(),
                Addresses.toString(unused) + ": ECONNREFUSED", "[::1]:" + unused.getPort() + ": E");
    }

    @EveryNetwork
    void lookupThatHangsEndsAtTheDeadlineOrWithTheServer(Stage stage) throws IOException {
        NamesOfTest names = new NamesOfTest();
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(SILENT).lookup(names.lookup()));
        InetSocketAddress name = InetSocketAddress.createUnresolved("slow.test", 80);
        Connection late = server.connect(name, story, Duration.ofSeconds(5));
        Connection unlimited = server.connect(name, story, Duration.ZERO);
        stage.settle();
        stage.pass(Duration.ofSeconds(5));
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks(late)).containsExactly("close CONNECT_TIMEOUT");
        stage.pass(Duration.ofDays(1));
        stage.settle();
        server.close();
        assertThat(story.callbacks(unlimited)).containsExactly("close SERVER_CLOSED");
        names.answer();
    }

    @EveryNetwork
    void namesNeedAResolver(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(SILENT));
        Connection literal = server.connect(InetSocketAddress.createUnresolved("127.0.0.1", server.address().getPort()), story);
        stage.until("open", () -> story.count("open") == 1);
        assertThat(literal.remoteAddress()).isEqualTo(server.address());
        Connection unknown = server.connect(InetSocketAddress.createUnresolved("no-such-host.invalid", 80), story);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(unknown.failure()).isInstanceOf(UnknownHostException.class)
                .hasMessageStartingWith("unknown host 'no-such-host.invalid'");
    }

    @EveryNetwork
    void connectionToItselfIsRefused(Stage stage) throws IOException {
        Network network = stage.network();
        if (network instanceof SimNetwork || network instanceof TortureNetwork) {
            return; // SelfConnectTest covers the first; the second delays connects, and time passes only by itself
        }
        SelfConnect self = stage.keep(new SelfConnect("127.0.0.1"));
        InetSocketAddress unused = self.address();
        self.approach();
        AtomicInteger refused = new AtomicInteger();
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onClose(Connection connection, CloseReason reason) {
                refused.incrementAndGet();
            }
        });
        Server server = stage.open(stage.server(SILENT));
        for (int i = 0; i < SelfConnect.NEARBY; i++) {
            int done = i;
            Connection connection = server.connect(unused, story);
            stage.until("refused", () -> refused.get() > done || story.count("open") > 0);
            assertThat(story.callbacks(connection)).containsExactly("close CONNECT_FAILED");
            assertThat(connection.failure()).isInstanceOfSatisfying(NetworkException.class,
                    e -> assertThat(e.code()).isEqualTo(ErrorCode.ECONNREFUSED));
        }
    }
}
