package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Addresses;
import io.trivet.net.TcpListener;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** Timeouts, on a clock that the test controls. */
final class TimeoutsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration LINGER = Limits.defaults().lingerTimeout();
    private static final Handler SILENT = (connection, message) -> {};
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    @EveryNetwork(unix = true)
    void idleTimeoutClosesOnlyConnectionsWithoutTraffic(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Limits.defaults().withIdleTimeout(Duration.ofSeconds(10))));
        Client silent = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Client speaker = stage.client(server);
        stage.until("open", () -> story.size() == 2);
        Client listener = stage.client(server);
        stage.until("open", () -> story.size() == 3);
        for (int i = 0; i < 2; i++) {
            stage.pass(Duration.ofSeconds(9));
            speaker.send("x");
            story.connection(2).send("y");
            assertThat(listener.receiveText(1)).isEqualTo("y");
            stage.settle();
        }
        assertThat(silent.rest()).isEmpty();
        silent.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks(story.connection(0))).containsExactly("open", "close IDLE_TIMEOUT");
        stage.pass(Duration.ofSeconds(11));
        stage.settle();
        assertThat(story.count("close")).as("the peers have the linger timeout to end their output").isEqualTo(1);
        stage.pass(LINGER);
        stage.until("closed", () -> story.count("close") == 3);
        assertThat(story.reasons()).containsOnly(CloseReason.IDLE_TIMEOUT);
    }

    /** Includes amounts so small that all of it was passed to a ring at once. */
    @EveryNetwork
    void slowReaderIsNeitherStuckNorIdle(Stage stage) throws IOException {
        Limits limits = Limits.defaults().withIdleTimeout(Duration.ZERO).withWriteTimeout(Duration.ZERO);
        for (Limits timeout : List.of(limits.withWriteTimeout(Duration.ofSeconds(2)),
                limits.withIdleTimeout(Duration.ofSeconds(2)))) {
            boolean isSimulated = stage.network() instanceof SimNetwork; // a real socket opens its window only after much has been read, and then accepts everything
            int step = isSimulated ? 1500 : 1 << 16;
            if (stage.network() instanceof SimNetwork simulated) {
                simulated.buffers(3000, 3000);
            }
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.steppedServer(story).limits(timeout));
            Client client = stage.client(server.address(), isSimulated ? 1000 : Client.RECEIVE_BUFFER_BYTES);
            stage.until("open", () -> story.size() == 1);
            Connection connection = story.connection(0);
            int[] left = {0};
            while (connection.queue().bytes() < 6000) {
                connection.send(new byte[15_000]);
                left[0] += 15_000;
                server.turn(Duration.ZERO);
                server.turn(Duration.ZERO);
            }
            while (connection.queue().bytes() > 0) {
                stage.pass(Duration.ofMillis(900));
                int before = connection.queue().bytes();
                stage.until("the peer reads a little", () -> {
                    left[0] -= client.receive(Math.min(step, left[0])).length;
                    for (int i = 0; i < (isSimulated ? 10 : 2); i++) {
                        server.turn(Duration.ofMillis(1));
                    }
                    return isSimulated || connection.queue().bytes() < before;
                });
                assertThat(story.count("close")).isZero();
            }
            server.close();
            assertThat(story.reasons()).containsExactly(CloseReason.SERVER_CLOSED);
        }
    }

    @EveryNetwork(unix = true)
    void messageTimeoutIsNotExtendedByFurtherBytes(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Limits.defaults().withMessageTimeout(Duration.ofSeconds(10))));
        Client client = stage.client(server);
        client.send("quick\n");
        assertThat(client.line()).isEqualTo("quick");
        stage.pass(Duration.ofSeconds(100)); // no deadline runs between messages
        stage.settle();
        assertThat(story.count("close")).isZero();

        client.send("s");
        stage.until("begun", () -> story.connection(0).partialInput() != null);
        for (int i = 0; i < 9; i++) {
            stage.pass(SECOND);
            client.send("low");
            stage.settle();
        }
        assertThat(story.connection(0).state()).isEqualTo(ConnectionState.OPEN);
        stage.pass(SECOND);
        assertThat(client.rest()).isEmpty();
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TIMEOUT);
        assertThat(server.stats().queueBytes()).isZero();
    }

    @EveryNetwork
    void nextMessageGetsItsOwnDeadline(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Limits.defaults().withMessageTimeout(Duration.ofSeconds(10))));
        Client client = stage.client(server);
        client.send("a");
        for (int i = 0; i < 5; i++) {
            stage.until("begun", () -> story.size() == 1 && story.connection(0).partialInput() != null);
            stage.pass(Duration.ofSeconds(9));
            client.send("b\na"); // the end of one message and the beginning of the next
            assertThat(client.line()).isEqualTo("ab");
        }
        assertThat(story.count("close")).isZero();
    }

    @EveryNetwork
    void messageHeldBackByAPauseHasNoDeadline(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            if (Story.text(message).equals("pause")) {
                connection.pauseReading();
            }
        });
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Limits.defaults().withMessageTimeout(Duration.ofSeconds(10))));
        Client client = stage.client(server);
        client.send("pause\nwaits\nhal");
        stage.until("paused", () -> story.count("message") == 1);
        stage.settle();
        stage.pass(Duration.ofSeconds(60));
        stage.settle();
        story.connection(0).resumeReading();
        stage.until("delivered", () -> story.count("message") == 2);
        stage.settle();
        stage.pass(Duration.ofSeconds(9));
        stage.settle();
        assertThat(story.connection(0).state()).as("the deadline of the partial message starts when reading resumes")
                .isEqualTo(ConnectionState.OPEN);
        stage.pass(SECOND);
        assertThat(client.rest()).isEmpty();
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message pause", "message waits", "close MESSAGE_TIMEOUT");
    }

    @EveryNetwork
    void rawBytesHaveNoMessageDeadline(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story));
        Client client = stage.client(server);
        client.send("x");
        stage.until("received", () -> story.count("message") == 1);
        stage.pass(Duration.ofHours(1));
        stage.settle();
        assertThat(story.count("close")).isZero();
    }

    @EveryNetwork(unix = true)
    void firstMessageMustArriveInTime(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Limits.defaults().withFirstMessageTimeout(Duration.ofSeconds(5)).withMessageTimeout(Duration.ZERO)));
        Client silent = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Client slow = stage.client(server);
        stage.until("open", () -> story.size() == 2);
        Client quick = stage.client(server);
        stage.until("open", () -> story.size() == 3);
        quick.send("hello\n");
        assertThat(quick.line()).isEqualTo("hello");
        slow.send("hell");
        stage.settle();
        stage.pass(Duration.ofSeconds(5));
        assertThat(silent.rest()).isEmpty();
        assertThat(slow.rest()).isEmpty();
        silent.finish();
        slow.finish();
        stage.until("closed", () -> story.count("close") == 2);
        assertThat(story.reasons()).containsOnly(CloseReason.FIRST_MESSAGE_TIMEOUT);
        stage.pass(Duration.ofHours(1));
        stage.settle();
        assertThat(story.callbacks(story.connection(2))).containsExactly("open", "message hello");
    }

    @EveryNetwork
    void firstMessageHasNoDeadlineWhileReadingIsPaused(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                connection.pauseReading();
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        });
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Limits.defaults().withFirstMessageTimeout(Duration.ofSeconds(5))));
        Client sender = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Client silent = stage.client(server);
        stage.until("open", () -> story.size() == 2);
        sender.send("hello\n");
        stage.settle();
        stage.pass(Duration.ofSeconds(60));
        stage.settle();
        assertThat(story.count("close")).isZero();
        story.connection(0).resumeReading();
        story.connection(1).resumeReading();
        stage.until("delivered", () -> story.count("message") == 1);
        stage.settle();
        stage.pass(Duration.ofMillis(4900));
        stage.settle();
        assertThat(story.connection(1).state()).as("the deadline starts when reading resumes").isEqualTo(ConnectionState.OPEN);
        stage.pass(Duration.ofMillis(100));
        assertThat(silent.rest()).isEmpty();
        silent.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks(story.connection(1))).containsExactly("open", "close FIRST_MESSAGE_TIMEOUT");
    }

    @EveryNetwork
    void firstMessageHasNoDeadlineWhileTheQueueIsHigh(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Stage.ROOMY.withFirstMessageTimeout(Duration.ofSeconds(5)).withWriteTimeout(Duration.ZERO)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        byte[] greeting = stage.fillSocket(story.connection(0));
        client.send("hello\n");
        stage.settle();
        stage.pass(Duration.ofSeconds(60));
        stage.settle();
        assertThat(story.count("close")).isZero();
        client.receive(greeting.length + 1);
        stage.until("delivered", () -> story.count("message") == 1);
        assertThat(story.callbacks()).contains("message hello").doesNotContain("close FIRST_MESSAGE_TIMEOUT");
    }

    @EveryNetwork
    void firstMessageDeadlineIsMetWhenThePeerFinishesAfterIt(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onEndOfInput(Connection connection) {
                // The answer follows later.
            }
        });
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Limits.defaults().withFirstMessageTimeout(Duration.ofSeconds(5))));
        Client client = stage.client(server);
        client.send("question\n");
        client.finish();
        stage.until("end of input", () -> story.count("end") == 1);
        stage.pass(Duration.ofSeconds(60));
        stage.settle();
        assertThat(story.count("close")).isZero();
        story.connection(0).send("answer");
        story.connection(0).finish();
        assertThat(client.restText()).isEqualTo("answer\n");
    }

    @EveryNetwork
    void unansweredConnectTimesOut(Stage stage) throws IOException {
        TcpListener full = stage.keep(stage.network().listen(Stage.FREE_PORT, 1));
        Story story = stage.story(SILENT);
        Server server = stage
                .open(stage.steppedServer(SILENT).limits(Limits.defaults().withConnectTimeout(Duration.ofSeconds(10))));
        for (int i = 0; i < 8; i++) { // a full backlog drops further connects
            stage.keep(stage.network().connect(full.localAddress()));
        }
        Connection connection = server.connect(full.localAddress(), story);
        connection.send("hello?");
        stage.settle();
        assertThat(connection.state()).isEqualTo(ConnectionState.CONNECTING);
        assertThat(server.connections())
                .anyMatch(snapshot -> snapshot.writable() && snapshot.interestReason().contains("connecting"));
        stage.pass(Duration.ofSeconds(9));
        stage.settle();
        assertThat(story.callbacks()).isEmpty();
        stage.pass(SECOND);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("close CONNECT_TIMEOUT");
        assertThat(connection.failure())
                .hasMessage("connect " + Addresses.toString(full.localAddress()) + ": ETIMEDOUT, no answer in time");
    }

    @EveryNetwork
    void connectTimeoutCanBeGivenPerConnect(Stage stage) throws IOException {
        TcpListener full = stage.keep(stage.network().listen(Stage.FREE_PORT, 1));
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(SILENT));
        for (int i = 0; i < 8; i++) { // a full backlog drops further connects
            stage.keep(stage.network().connect(full.localAddress()));
        }
        Connection withTimeout = server.connect(full.localAddress(), story, SECOND);
        Connection withoutTimeout = server.connect(full.localAddress(), stage.story(SILENT), Duration.ZERO);
        stage.settle();
        stage.pass(SECOND);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks(withTimeout)).containsExactly("close CONNECT_TIMEOUT");
        stage.pass(Duration.ofSeconds(60));
        stage.settle();
        assertThat(withoutTimeout.state()).isEqualTo(ConnectionState.CONNECTING);
        assertThatThrownBy(() -> server.connect(full.localAddress(), story, Duration.ofNanos(-1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Deadlines that start or end exactly when the clock shows the number that stands for none. */
    @EveryNetwork
    void clockThatShowsTheNumberForNoDeadlineLosesNone(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Limits limits = Stage.ROOMY.withMessageTimeout(SteppedNetwork.UNTIL_NO_DEADLINE).withWriteTimeout(SECOND)
                .withFirstMessageTimeout(Duration.ofSeconds(60));
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).limits(limits));
        List<String> ran = new ArrayList<>();
        Client half = stage.client(server);
        half.send("half");
        stage.client(server);
        stage.until("open", () -> story.size() == 2);
        stage.settle();
        story.connection(1).schedule(SteppedNetwork.UNTIL_NO_DEADLINE, () -> ran.add("at that time"));
        stage.pass(SteppedNetwork.UNTIL_NO_DEADLINE);
        assertThat(half.rest()).isEmpty();
        half.finish();
        stage.until("closed", () -> story.count("close") == 1);
        stage.settle();
        assertThat(story.reasons()).as("a deadline that ends then").containsExactly(CloseReason.MESSAGE_TIMEOUT);
        assertThat(ran).containsExactly("at that time");
        stage.fillSocket(story.connection(1));
        stage.pass(SECOND);
        stage.until("closed", () -> story.count("close") == 2);
        assertThat(story.reasons()).as("a deadline that starts then").endsWith(CloseReason.WRITE_TIMEOUT);
    }

    @EveryNetwork
    void durationsCanBeArbitrarilyLong(Stage stage) throws IOException {
        Duration forever = ChronoUnit.FOREVER.getDuration();
        Limits limits = Limits.defaults().withIdleTimeout(forever).withMessageTimeout(forever).withFirstMessageTimeout(forever)
                .withWriteTimeout(forever).withConnectTimeout(forever).withLingerTimeout(forever).withHandlerTimeout(forever);
        List<String> run = new ArrayList<>();
        Story story = stage.story(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                connection.schedule(forever, () -> run.add("never"));
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.send(message);
                connection.finish();
            }
        });
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).limits(limits));
        server.connect(server.address(), stage.outgoing(Protocol.of(Framing.lines(), stage.story(SILENT))), null);
        Client client = stage.client(server);
        stage.until("open", () -> story.count("open") == 2); // a TLS handshake has a deadline of its own
        client.send("ha");
        stage.pass(Duration.ofDays(365));
        stage.settle();
        client.send("lf\n");
        assertThat(client.restText()).isEqualTo("half\n");
        stage.pass(Duration.ofDays(365));
        stage.settle();
        assertThat(story.count("close")).as("lingering does not end").isZero();
        assertThat(run).isEmpty();
        server.drain(forever);
        client.finish();
        stage.until("closed", server::isClosed);
    }

    @EveryNetwork
    void scheduledTasksRunInTheOrderOfTheirDeadlines(Stage stage) throws Exception {
        Seeded.run(2, random -> {
            List<Integer> ran = new ArrayList<>();
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.steppedServer(story));
            stage.client(server);
            stage.until("open", () -> story.size() == 1);
            List<Integer> delays = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                int delay = random.nextInt(100);
                delays.add(delay * 1000 + i);
                int number = delays.getLast();
                story.connection(0).schedule(Duration.ofMillis(delay), () -> ran.add(number));
            }
            for (int i = 0; i < 12; i++) {
                stage.pass(Duration.ofMillis(10));
                stage.settle();
            }
            assertThat(ran).as("by delay; equal delays in the order of scheduling").isEqualTo(delays.stream().sorted().toList());
            server.close();
        });
    }

    @EveryNetwork
    void messageSentBetweenTurnsGetsTheFullWriteTimeout(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Limits.defaults().withWriteTimeout(Duration.ofSeconds(10))));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.pass(Duration.ofSeconds(20)); // without a turn of the loop
        story.connection(0).send("late");
        assertThat(client.receiveText(4)).isEqualTo("late");
        assertThat(story.count("close")).isZero();
    }
}
