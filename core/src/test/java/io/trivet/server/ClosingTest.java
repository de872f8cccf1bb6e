package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.NotSimulated;
import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpListener;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** How connections end, and the close reason of each case. */
final class ClosingTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    private LogLines log;

    @BeforeEach
    void captureLog() {
        log = new LogLines();
    }

    @AfterEach
    void releaseLog() {
        log.close();
    }

    @EveryNetwork(unix = true)
    void repliesAreDeliveredAfterThePeerEndsItsOutput(Stage stage) throws IOException {
        byte[] reply = FramedEchoTest.patterned(20_000);
        Story story = stage.story((connection, message) -> connection.send(reply));
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        int requests = 400; // more than the socket buffers hold, so that the queue is used
        client.send("?\n".repeat(requests));
        client.finish();
        stage.until("open", () -> story.size() == 1);
        stage.untilSocketFull(story.connection(0));
        byte[] framed = ReferenceFraming.LINES.framed(reply);
        for (int i = 0; i < requests; i++) {
            assertThat(client.receive(framed.length)).isEqualTo(framed);
        }
        assertThat(client.rest()).isEmpty();
        stage.until("closed", () -> story.count("close") == 1);
        List<String> events = story.callbacks().stream().filter(line -> !line.equals("drained")).toList();
        assertThat(events.subList(requests, requests + 3)).containsExactly("message ?", "end", "close PEER_FINISHED");
    }

    @EveryNetwork
    void handlerCanSendAfterEndOfInput(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onEndOfInput(Connection connection) {
                connection.send("still ");
            }
        });
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        client.finish();
        assertThat(client.receiveText(6)).isEqualTo("still ");
        Connection connection = story.connection(0);
        assertThat(connection.state()).isEqualTo(ConnectionState.INPUT_ENDED);
        assertThat(connection.send("here")).isEqualTo(SendResult.QUEUED);
        assertThat(client.receiveText(4)).isEqualTo("here");
        assertThat(server.connections().getFirst().interestReason()).contains("the peer has finished");
        assertThat(server.connections().getFirst().readable()).isFalse();
        stage.settle(); // a half-closed connection must not spin: settling finds nothing to do
        connection.finish();
        assertThat(client.rest()).isEmpty();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "end", "close PEER_FINISHED");
    }

    @EveryNetwork
    void incompleteMessageIsDroppedAtEndOfInput(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("whole\nhalf");
        client.finish();
        assertThat(client.restText()).isEqualTo("whole\n");
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message whole", "end", "close PEER_FINISHED");
    }

    @EveryNetwork
    void endOfInputFollowsMessagesHeldBackByAPause(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            if (Story.text(message).equals("0")) {
                connection.pauseReading();
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        StringBuilder lines = new StringBuilder();
        int count = 2 * Delivery.MESSAGES_PER_DELIVERY_MAX + 5;
        for (int i = 0; i < count; i++) {
            lines.append(i).append('\n');
        }
        client.send(lines.toString());
        client.finish();
        stage.until("the first", () -> story.count("message") == 1);
        stage.settle();
        assertThat(story.count("message")).isEqualTo(1);
        story.connection(0).resumeReading();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).hasSize(count + 3);
        assertThat(story.callbacks().subList(count, count + 3))
                .containsExactly("message " + (count - 1), "end", "close PEER_FINISHED");
    }

    @EveryNetwork(unix = true)
    void lastReplyArrivesWhileTheClientIsStillSending(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            connection.send("denied");
            connection.finish();
        });
        Server server = stage
                .open(stage.server(story).framing(Framing.lines()).limits(Limits.defaults().withMessageBytesMax(1 << 20)));
        Client client = stage.client(server);
        client.send("first\n");
        stage.until("lingering", () -> story.size() == 1 && story.connection(0).state() == ConnectionState.LINGERING);
        client.send(new byte[900_000]); // unread when the output has ended
        client.finish();
        assertThat(client.restText()).isEqualTo("denied\n");
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message first", "close FINISHED");
    }

    @EveryNetwork
    void lingeringEndsAtTheByteLimit(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.finish());
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Limits.defaults().withLingerBytesMax(100_000)));
        Client client = stage.client(server);
        client.send("bye\n");
        stage.until("lingering", () -> story.size() == 1 && story.connection(0).state() == ConnectionState.LINGERING);
        client.send(new byte[100_000]);
        stage.settle();
        assertThat(story.count("close")).isZero();
        client.send(new byte[1]);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.FINISHED);
    }

    @EveryNetwork
    void lingeringEndsAtItsTimeoutDespiteIncomingBytes(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.finish());
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).limits(
                Limits.defaults().withLingerTimeout(Duration.ofSeconds(5)).withIdleTimeout(Duration.ofSeconds(2))));
        Client client = stage.client(server);
        client.send("bye\n");
        stage.until("lingering", () -> story.size() == 1 && story.connection(0).state() == ConnectionState.LINGERING);
        for (int i = 0; i < 4; i++) {
            stage.pass(Duration.ofSeconds(1));
            client.send("x");
            stage.settle();
        }
        assertThat(story.count("close")).isZero();
        stage.pass(Duration.ofSeconds(1));
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).as("not the idle timeout").containsExactly(CloseReason.FINISHED);
    }

    @EveryNetwork
    void closeDropsQueuedMessagesAtOnce(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.fillSocket(story.connection(0));
        story.connection(0).close();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.CLOSED);
        assertThat(server.stats().queueBytes()).isZero();
        assertThat(client.endsInOrder()).as("the peer must not take a part for the whole").isFalse();
    }

    @EveryNetwork
    void resetIsReportedWhileReadingAndWhileWriting(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY));
        Client idle = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Client slow = stage.client(server);
        stage.until("open", () -> story.size() == 2);
        stage.fillSocket(story.connection(1)); // reading is paused: only writability is watched
        idle.reset();
        stage.until("closed", () -> story.count("close") == 1);
        slow.reset();
        stage.until("closed", () -> story.count("close") == 2);
        assertThat(story.reasons()).containsExactly(CloseReason.RESET, CloseReason.RESET);
    }

    @EveryNetwork
    void handlerExceptionClosesOnlyItsConnection(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) throws IOException {
                connection.send(message.duplicate());
                switch (Story.text(message)) {
                    case "unchecked" -> throw new IllegalStateException("as asked");
                    case "checked" -> throw new IOException("as asked");
                    default -> {
                    }
                }
            }

            @Override
            public void onEndOfInput(Connection connection) {
                throw new IllegalStateException("at the end");
            }

            @Override
            public void onClose(Connection connection, CloseReason reason) {
                throw new IllegalStateException("at the very end");
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client good = stage.client(server);
        good.send("good\n");
        assertThat(good.line()).isEqualTo("good");
        for (String bad : List.of("unchecked", "checked", "")) {
            int before = story.reasons().size();
            Client client = stage.client(server);
            client.send(bad.isEmpty() ? "x\n" : bad + "\n");
            if (!bad.isEmpty()) {
                assertThat(client.endsInOrder()).isTrue();
            }
            client.finish();
            stage.until("closed", () -> story.reasons().size() == before + 1);
            assertThat(story.reasons().getLast()).isEqualTo(CloseReason.HANDLER_FAILED);
        }
        good.send("still\n");
        assertThat(good.line()).isEqualTo("still");
        assertThat(log.lines("a handler threw")).as("one line, not one per client").hasSize(1);
    }

    @EveryNetwork
    void exceptionInOnOpenClosesBeforeAnyFurtherCallback(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                throw new IllegalStateException("not today");
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        });
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        client.send("hello");
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "close HANDLER_FAILED");
    }

    @EveryNetwork
    void throwingTaskIsLoggedAndHasNoOtherEffect(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        story.connection(0).execute(() -> {
            throw new IllegalStateException("a task");
        });
        client.send("hello");
        assertThat(client.receiveText(5)).isEqualTo("hello");
        assertThat(log.lines("a task threw: java.lang.IllegalStateException: a task")).hasSize(1);
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void errorStopsAStartedServerAndIsLogged(Stage stage) throws Exception {
        Story story = stage.story((connection, message) -> {
            throw new AssertionError("as asked");
        });
        Server server = stage.start(stage.server(story).loops(2));
        Client client = stage.client(server);
        stage.client(server);
        stage.until("open", () -> story.size() == 2);
        client.send("boom");
        server.join();
        assertThat(server.isClosed()).isTrue();
        assertThat(story.reasons()).containsExactly(CloseReason.SERVER_CLOSED, CloseReason.SERVER_CLOSED);
        assertThat(log.lines("SEVERE a loop has stopped, the server closes: java.lang.AssertionError: as asked")).hasSize(1);
        assertThat(server.failure()).isInstanceOf(AssertionError.class).hasMessage("as asked");
        server.close();
    }

    @EveryNetwork
    void errorStopsAnOpenedServerAndIsThrownByTurn(Stage stage) throws Exception {
        Story story = stage.story((connection, message) -> {
            throw new AssertionError("as asked");
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        client.send("boom\n");
        assertThatThrownBy(() -> stage.until("never", () -> false)).isInstanceOf(AssertionError.class).hasMessage("as asked");
        assertThat(server.isClosed()).isTrue();
        assertThat(story.callbacks()).containsExactly("open", "message boom", "close SERVER_CLOSED");
        assertThat(log.lines("SEVERE a loop has stopped")).hasSize(1);
    }

    @EveryNetwork
    void errorInOnCloseLeavesNoConnectionOpenAndDoesNotBlockClose(Stage stage) throws Exception {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onClose(Connection connection, CloseReason reason) {
                throw new AssertionError("each time");
            }
        });
        Server server = stage.start(stage.server(story));
        Client one = stage.client(server);
        Client two = stage.client(server);
        stage.until("open", () -> story.size() == 2);
        server.close();
        assertThat(one.restAfterClose()).isEmpty();
        assertThat(two.restAfterClose()).isEmpty();
        assertThat(story.reasons()).hasSize(2);
    }

    @EveryNetwork
    void handlerCanCloseTheServer(Stage stage) throws Exception {
        for (boolean started : new boolean[]{false, true}) {
            AtomicReference<Server> serverReference = new AtomicReference<>();
            Story story = stage.story((connection, message) -> {
                serverReference.get().close();
                connection.send("too late");
            });
            ServerBuilder builder = stage.server(story).framing(Framing.lines());
            Server server = started ? stage.start(builder) : stage.open(builder);
            serverReference.set(server);
            Client client = stage.client(server);
            client.send("close\nsecond\n");
            stage.until("closed", () -> story.count("close") == 1 && server.loops().getFirst().hasEnded());
            assertThat(story.reasons()).containsExactly(CloseReason.SERVER_CLOSED);
            server.join();
        }
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void anotherThreadCanCloseAnOpenedServerDuringTurn(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        CountDownLatch started = new CountDownLatch(1);
        Thread closer = Thread.ofPlatform().start(() -> {
            try {
                started.await();
                server.close();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        started.countDown();
        try {
            server.turn(null);
        } catch (IllegalStateException e) { // closed before the turn
            assertThat(e).hasMessageMatching(".*(closed|ending).*");
        }
        closer.join();
        assertThat(client.restAfterClose()).isEmpty();
        assertThat(story.callbacks()).containsExactly("open", "close SERVER_CLOSED");
        assertThatThrownBy(() -> server.turn(Duration.ZERO)).isInstanceOf(IllegalStateException.class);
    }

    @EveryNetwork(unix = true)
    void refusedConnectReportsOnlyOnClose(Stage stage) throws IOException {
        InetSocketAddress closedPort;
        try (TcpListener listener = stage.network().listen(Stage.FREE_PORT, 1)) {
            closedPort = listener.localAddress();
        }
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT));
        Connection connection = server.connect(closedPort, story);
        assertThat(connection.send("into the void")).isEqualTo(SendResult.QUEUED);
        assertThat(connection.remoteAddress()).isEqualTo(closedPort);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("close CONNECT_FAILED");
        assertThat(connection.remoteAddress()).isEqualTo(closedPort);
        assertThat(connection.failure()).isInstanceOfSatisfying(NetworkException.class,
                failure -> assertThat(failure.code()).isEqualTo(ErrorCode.ECONNREFUSED))
                .hasMessageStartingWith("connect " + Addresses.toString(closedPort) + ": ECONNREFUSED");
        assertThatThrownBy(connection::localAddress).isInstanceOf(IllegalStateException.class);
        assertThat(server.stats().total().connections()).isZero();
    }

    @EveryNetwork
    void closingWhileConnectingReportsClosed(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT));
        Connection before = server.connect(server.address(), story);
        before.close();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("close CLOSED");
        assertThat(server.stats().total().connections()).isLessThanOrEqualTo(1);
    }

    @EveryNetwork
    void localAddressMatchesThePeersRemoteAddressUntilClose(Stage stage) throws IOException {
        Story accepted = stage.story(SILENT);
        Story outgoing = stage.story(SILENT);
        Server server = stage.open(stage.server(accepted));
        Connection connection = server.connect(server.address(), stage.outgoing(Protocol.of(Framing.raw(), outgoing)), null);
        assertThatThrownBy(connection::localAddress).isInstanceOf(IllegalStateException.class);
        stage.until("both are open", () -> accepted.size() == 1 && outgoing.size() == 1);
        assertThat(connection.localAddress()).isEqualTo(accepted.connection(0).remoteAddress());
        assertThat(accepted.connection(0).localAddress()).isEqualTo(server.address());
        assertThat(connection.failure()).isNull();
        connection.close();
        stage.until("both are closed", () -> accepted.count("close") == 1 && outgoing.count("close") == 1);
        assertThatThrownBy(connection::localAddress).isInstanceOf(IllegalStateException.class);
        assertThat(connection.failure()).isNull();
    }

    @EveryNetwork
    void serverWithoutAListenerActsAsAClient(Stage stage) throws IOException {
        Server server = stage.open(stage.server((connection, message) -> connection.send(message)).framing(Framing.lines()));
        Story story = stage.story(SILENT);
        Server client = stage.open(stage.serverWithoutListener());
        client.connect(server.address(), stage.outgoing(Protocol.of(Framing.lines(), story)), null).send("hello");
        stage.until("answered", () -> story.count("message") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message hello");
        assertThatThrownBy(client::address).isInstanceOf(IllegalStateException.class);
        client.drain(Stage.PATIENCE);
        stage.until("drained", client::isClosed);
        assertThat(story.reasons()).containsExactly(CloseReason.DRAINED);
    }

    @EveryNetwork
    void remoteAddressRemainsAvailableAfterClose(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        InetSocketAddress address = client.localAddress();
        stage.until("open", () -> story.size() == 1);
        assertThat(story.connection(0).remoteAddress()).isEqualTo(address);
        client.reset();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.connection(0).remoteAddress()).isEqualTo(address);
        assertThat(story.connection(0).failure()).isInstanceOfSatisfying(NetworkException.class,
                failure -> assertThat(failure.code()).isEqualTo(ErrorCode.ECONNRESET));
    }

    @EveryNetwork
    void onlyCompleteMessagesAreDeliveredBeforeAReset(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        for (int i = 0; i < 20; i++) {
            int before = story.count("open");
            Client client = stage.client(server);
            if (i % 2 == 0) {
                stage.until("open", () -> story.count("open") > before);
            }
            client.send("whole\nhalf");
            client.reset();
        }
        stage.until("closed", () -> story.count("close") == 20 || (story.size() < 20 && server.stats().total().accepted() == 20
                && server.stats().total().connections() == 0));
        assertThat(story.callbacks()).noneMatch(line -> line.contains("half"));
        assertThat(Arrays.asList(CloseReason.RESET, CloseReason.PEER_FINISHED, CloseReason.HANDSHAKE_FAILED))
                .containsAll(story.reasons());
    }

    @EveryNetwork
    void exceptionMessageCannotForgeALogLine(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            throw new IllegalStateException("not a number: " + StandardCharsets.ISO_8859_1.decode(message));
        });
        Server server = stage.open(stage.server(story).framing(Framing.delimited((byte) 0)));
        try (LogLines log = new LogLines()) {
            Client client = stage.client(server);
            client.send("\u001b[2J\r\n2026-01-01 INFO all is well\u009b" + "x".repeat(2000) + "\0");
            client.finish();
            stage.until("closed", () -> story.count("close") == 1);
            String line = log.lines("a handler threw").getFirst();
            assertThat(line.chars()).allMatch(c -> c >= ' ' && c < 0x7f).hasSizeLessThan(1000);
            assertThat(line).contains("\\x1B[2J\\x0D\\x0A2026-01-01");
        }
    }
}
