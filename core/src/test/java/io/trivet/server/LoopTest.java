package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Engine;
import io.trivet.contract.NotSimulated;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.LoopStats;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Turns, tasks and timers, draining and closing, several loops, and what can be seen from outside. */
final class LoopTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    // Timers and tasks.

    @EveryNetwork
    void taskIsRunAfterItsDelayAndNotBefore(Stage stage) throws Exception {
        List<String> run = new ArrayList<>();
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        connection.schedule(Duration.ofSeconds(2), () -> run.add("later"));
        connection.schedule(Duration.ofSeconds(1), () -> {
            run.add("soon");
            connection.schedule(Duration.ZERO, () -> run.add("at once"));
            connection.schedule(Duration.ofSeconds(-1), () -> run.add("in the past"));
        });
        Thread other = Thread.ofPlatform()
                .start(() -> connection.schedule(Duration.ofSeconds(1), () -> run.add("from a thread")));
        other.join();
        stage.pass(Duration.ofMillis(999));
        stage.settle();
        assertThat(run).isEmpty();
        stage.pass(Duration.ofMillis(1));
        stage.settle();
        assertThat(run).containsExactly("soon", "from a thread", "at once", "in the past");
        stage.pass(Duration.ofSeconds(1));
        stage.settle();
        assertThat(run).endsWith("later");
    }

    /** Or a server whose clients come and go within the hour that each has a timer for would one day have no place for another. */
    @Test
    void closedConnectionsTimersGiveTheirPlacesBackBeforeTheyAreDue() throws IOException {
        try (Stage stage = new Stage(Engine.ALL.getFirst().opener().get())) {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.server(story));
            for (int i = 0; i < 3; i++) { // together they would have half as many again as there are places
                stage.client(server);
                int opened = i + 1;
                stage.until("open", () -> story.size() == opened);
                Connection connection = story.connection(i);
                assertThatCode(() -> {
                    for (int timer = 0; timer < TaskQueue.WAITING_MAX / 2; timer++) {
                        connection.schedule(Duration.ofHours(1), () -> {});
                    }
                }).as("connection %d", i).doesNotThrowAnyException();
                connection.close();
                stage.until("closed", () -> story.count("close") == opened);
            }
        }
    }

    @EveryNetwork
    void taskOfAClosedConnectionIsNotRun(Stage stage) throws IOException {
        List<String> run = new ArrayList<>();
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        connection.schedule(Duration.ofSeconds(1), () -> run.add("scheduled"));
        connection.close();
        connection.execute(() -> run.add("executed"));
        stage.until("closed", () -> story.count("close") == 1);
        stage.pass(Duration.ofSeconds(1));
        stage.settle();
        assertThat(run).as("executed also when closed").containsExactly("executed");
    }

    @EveryNetwork
    void taskThatFailsClosesTheConnectionItWasScheduledFor(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.steppedServer(story));
            stage.client(server);
            stage.until("open", () -> story.size() == 1);
            story.connection(0).schedule(Duration.ofSeconds(1), () -> {
                throw new IllegalStateException("as asked");
            });
            stage.pass(Duration.ofSeconds(1));
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(CloseReason.HANDLER_FAILED);
            assertThat(log.lines("as asked")).hasSize(1);
        }
    }

    @EveryNetwork
    void tasksAreBoundedInATurnAndKeepTheirOrder(Stage stage) throws Exception {
        List<Integer> run = Collections.synchronizedList(new ArrayList<>());
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.settle();
        int count = EventLoop.TASKS_PER_TURN_MAX + 10;
        Thread other = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < count; i++) {
                int number = i;
                story.connection(0).execute(() -> run.add(number));
            }
        });
        other.join();
        server.turn(null);
        assertThat(run).hasSize(EventLoop.TASKS_PER_TURN_MAX);
        server.turn(null); // which does not wait: there is more to do
        assertThat(run).hasSize(count).isSorted();
    }

    @EveryNetwork
    void nothingIsTakenByAServerThatIsClosed(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        server.close();
        Connection connection = story.connection(0);
        assertThatThrownBy(() -> connection.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> connection.schedule(Duration.ZERO, () -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> server.connect(server.address(), SILENT)).isInstanceOf(RejectedExecutionException.class);
        connection.close(); // of these nothing is left to do
        connection.finish();
        connection.pauseReading();
        server.broadcast(ByteBuffer.allocate(1));
        server.drain(Duration.ZERO);
        server.close();
    }

    // Reading.

    @EveryNetwork
    void readingCanBePausedAndResumed(Stage stage) throws IOException {
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
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("early\n");
        stage.until("open", () -> story.size() == 1);
        stage.settle();
        assertThat(story.count("message")).isZero();
        ConnectionSnapshot paused = server.connections().getFirst();
        assertThat(paused.readable()).isFalse();
        assertThat(paused.interestReason()).contains("paused by the application");
        story.connection(0).resumeReading();
        assertThat(client.line()).isEqualTo("early");
        assertThat(server.connections().getFirst().readable()).isTrue();
    }

    // Draining and closing.

    @EveryNetwork
    void drainDeliversWhatWaitsResetsNobodyAndClosesTheServer(Stage stage) throws Exception {
        for (int loops : new int[]{1, 3}) {
            byte[] answer = FramedEchoTest.patterned(3_000_000);
            Story story = stage.story((connection, message) -> connection.send(answer));
            Server server = stage.start(stage.server(story).loops(loops).framing(Framing.lines()).limits(Stage.ROOMY));
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                Client client = stage.client(server);
                client.send("?\n");
                clients.add(client);
            }
            stage.until("delivered", () -> story.count("message") == 6);
            server.drain(Stage.PATIENCE);
            stage.until("it drains", () -> server.connections().stream().noneMatch(c -> c.state() == ConnectionState.OPEN));
            for (Client client : clients) {
                client.send("not heard any more\n");
                client.finish();
                assertThat(client.rest()).hasSize(answer.length + 1);
            }
            server.join();
            assertThat(server.isClosed()).isTrue();
            assertThat(story.reasons()).hasSize(6).containsOnly(CloseReason.DRAINED);
            assertThat(story.count("message")).isEqualTo(6);
        }
    }

    @EveryNetwork
    void drainTakesLeaveOfThoseWhoWaitInTheBacklog(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            clients.add(stage.keep(new Client(stage, server.address(), false)));
        }
        server.drain(Stage.PATIENCE);
        for (Client client : clients) {
            client.finish();
            assertThat(client.rest()).as("an orderly end").isEmpty();
        }
        stage.until("closed", server::isClosed);
        assertThat(story.reasons()).hasSize(5).containsOnly(CloseReason.DRAINED);
        assertThatThrownBy(() -> stage.keep(new Client(stage, server.address()))).isInstanceOf(IOException.class);
    }

    @EveryNetwork
    void drainOverlooksNobodyInAFullBacklog(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).backlog(1));
        server.turn(Duration.ZERO);
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 2; i++) { // as many as the kernel lets wait
            clients.add(stage.keep(new Client(stage, server.address(), false)));
        }
        server.drain(Stage.PATIENCE);
        for (Client client : clients) {
            client.finish();
            assertThat(client.rest()).as("an orderly end").isEmpty();
        }
        stage.until("closed", server::isClosed);
        assertThat(story.reasons()).containsExactly(CloseReason.DRAINED, CloseReason.DRAINED);
    }

    @EveryNetwork
    void drainThatTakesTooLongIsCutShort(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Stage.ROOMY.withWriteTimeout(Duration.ZERO)));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.fillSocket(story.connection(0));
        server.drain(Duration.ofSeconds(60));
        stage.settle();
        stage.pass(Duration.ofSeconds(30));
        stage.settle();
        assertThat(story.count("close")).isZero();
        server.drain(Duration.ofSeconds(1)); // a second thought
        stage.settle();
        stage.pass(Duration.ofSeconds(1));
        stage.until("closed", server::isClosed);
        assertThat(story.reasons()).containsExactly(CloseReason.SERVER_CLOSED);
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void secondDrainReachesLoopsWhenTheFirstHasEnded(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(story).loops(2).limits(Stage.ROOMY));
        Client first = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.client(server); // on the other loop, and it will not read
        stage.until("open", () -> story.size() == 2);
        Connection stuck = Stream.of(0, 1).map(story::connection).filter(connection -> connection.loop() == 1).findFirst()
                .orElseThrow();
        stuck.send(new byte[Stage.OVERSIZED_BYTES]);
        stage.until("blocked", () -> stuck.is(ConnectionRecord.AWAITS_WRITABLE));
        server.drain(Duration.ofDays(1));
        first.finish();
        stage.until("the first loop has ended", () -> server.loops().getFirst().hasEnded());
        assertThat(server.isClosed()).isFalse();
        server.drain(Duration.ZERO);
        server.join();
        assertThat(story.reasons()).hasSize(2).contains(CloseReason.SERVER_CLOSED);
    }

    @EveryNetwork
    void closeTellsEveryHandlerAndDropsWhatWaits(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(story).loops(2));
        for (int i = 0; i < 4; i++) {
            stage.client(server);
        }
        Story made = stage.story(SILENT);
        server.connect(stage.start(stage.server(SILENT)).address(), made);
        stage.until("open", () -> story.count("open") == 4 && made.count("open") == 1);
        server.close();
        assertThat(story.reasons()).hasSize(4).containsOnly(CloseReason.SERVER_CLOSED);
        assertThat(made.told()).containsExactly("open", "close SERVER_CLOSED");
        assertThat(server.connections()).isEmpty();
        server.join();
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void joinWaitsForTheEndAndCanBeInterrupted(Stage stage) throws Exception {
        Server server = stage.start(stage.server(SILENT));
        CountDownLatch interrupted = new CountDownLatch(1);
        Thread joiner = Thread.ofPlatform().start(() -> {
            try {
                server.join();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        joiner.interrupt();
        joiner.join();
        assertThat(interrupted.getCount()).isZero();
        assertThat(server.isClosed()).isFalse();
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                server.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        server.close();
        other.join();
        stage.open(stage.server(SILENT)).join(); // an opened one has nobody to wait for
    }

    // Turning.

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void openedServerIsTurnedByOneThread(Stage stage) throws Exception {
        Server server = stage.open(stage.server(SILENT));
        assertThat(server.turn(Duration.ZERO)).isZero();
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                server.turn(Duration.ZERO);
            } catch (Throwable t) {
                thrown.set(t);
            }
        });
        other.join();
        assertThat(thrown.get()).isInstanceOf(IllegalStateException.class).hasMessageContaining("one thread");
        assertThatThrownBy(() -> server.turn(Duration.ofNanos(-1))).isInstanceOf(IllegalArgumentException.class);
        Server started = stage.start(stage.server(SILENT));
        assertThatThrownBy(() -> started.turn(Duration.ZERO)).isInstanceOf(IllegalStateException.class);
        server.close();
        assertThatThrownBy(() -> server.turn(Duration.ZERO)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void anotherThreadsTaskEndsTheWait(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.settle();
        List<String> run = new ArrayList<>();
        Thread other = Thread.ofPlatform().start(() -> story.connection(0).execute(() -> run.add("woken")));
        stage.until("run", () -> {
            if (run.isEmpty()) { // else it was run by a turn in between, and nothing would end this wait
                server.turn(null);
            }
            return !run.isEmpty();
        });
        other.join();
    }

    @EveryNetwork
    void threadThatAHandlerLeavesInterruptedDoesNotSpin(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            Thread.currentThread().interrupt();
            connection.send(message);
        });
        Server server = stage.start(stage.server(story));
        Client client = stage.client(server);
        for (int i = 0; i < 20; i++) {
            long turns = server.stats().total().turns();
            client.send("x");
            assertThat(client.receiveText(1)).isEqualTo("x");
            assertThat(server.stats().total().turns() - turns).as("turns for one message").isLessThan(50);
        }
    }

    // Connections of our own, and several loops.

    @EveryNetwork
    void serverConnectsWithTheSameFramingAndTheHandlerItIsGiven(Stage stage) throws IOException {
        Story there = stage.story(ECHO);
        Story here = stage.story(SILENT);
        Server server = stage.open(stage.server(there).framing(Framing.lines()));
        Connection connection = server.connect(server.address(), here);
        assertThat(connection.state()).isEqualTo(ConnectionState.CONNECTING);
        assertThat(connection.send("before it is there")).isEqualTo(SendResult.QUEUED);
        stage.until("echoed", () -> here.count("message") == 1);
        assertThat(connection.send("and after")).isEqualTo(SendResult.QUEUED);
        stage.until("echoed", () -> here.count("message") == 2);
        connection.finish();
        stage.until("closed", () -> here.count("close") == 1 && there.count("close") == 1);
        assertThat(here.told()).containsExactly("open", "message before it is there", "message and after", "close FINISHED");
        assertThat(there.told()).containsExactly("open", "message before it is there", "message and after", "end",
                "close PEER_FINISHED");
    }

    @EveryNetwork
    void oneHandlerCanServeBothSides(Stage stage) throws IOException {
        Story both = stage.story((connection, message) -> {
            int number = Integer.parseInt(Story.text(message));
            if (number > 0) {
                connection.send(Integer.toString(number - 1));
            } else {
                connection.finish();
            }
        });
        Server server = stage.open(stage.server(both).framing(Framing.lines()));
        server.connect(server.address(), both).send("100");
        stage.until("closed", () -> both.count("close") == 2);
        assertThat(both.count("message")).isEqualTo(101);
        assertThat(both.connection(0).id()).isNotEqualTo(both.connection(1).id());
    }

    @EveryNetwork
    void connectionsGoToTheLoopWithTheFewest(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.start(stage.server(story).loops(3));
        List<Client> clients = new ArrayList<>();
        for (int i = 1; i <= 12; i++) {
            int count = i;
            clients.add(stage.client(server));
            stage.until("open", () -> story.count("open") == count);
            int least = server.stats().loops().stream().mapToInt(LoopStats::connections).min().orElseThrow();
            int most = server.stats().loops().stream().mapToInt(LoopStats::connections).max().orElseThrow();
            assertThat(most - least).isLessThanOrEqualTo(1);
        }
        assertThat(server.connections()).extracting(ConnectionSnapshot::id).doesNotHaveDuplicates();
        assertThat(server.connections()).extracting(ConnectionSnapshot::loop).containsOnly(0, 1, 2);
        for (Client client : clients) {
            client.send("hello");
            assertThat(client.receiveText(5)).isEqualTo("hello");
        }
        // Those of one loop leave, and the next ones go there.
        for (int i = 0; i < 12; i++) {
            if (story.connection(i).loop() == 1) {
                story.connection(i).close();
            }
        }
        stage.until("closed", () -> story.count("close") == 4 && server.stats().loops().get(1).connections() == 0);
        Connection made = server.connect(server.address(), stage.story(SILENT));
        assertThat(made.loop()).isEqualTo(1);
        stage.until("there", () -> made.state() == ConnectionState.OPEN);
    }

    @EveryNetwork
    void broadcastFromAThreadReachesEveryLoop(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(story).loops(3).framing(Framing.lines()));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            clients.add(stage.client(server));
        }
        stage.until("open", () -> story.count("open") == 7);
        for (int i = 0; i < 100; i++) {
            server.broadcast(ByteBuffer.wrap(Client.bytes("news " + i)));
        }
        for (Client client : clients) {
            for (int i = 0; i < 100; i++) {
                assertThat(client.line()).isEqualTo("news " + i);
            }
        }
    }

    // Looking on.

    @EveryNetwork
    void countersCount(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("one\ntwo\n");
        assertThat(client.receiveText(8)).isEqualTo("one\ntwo\n");
        client.finish();
        client.rest();
        stage.until("closed", () -> story.count("close") == 1);
        LoopStats stats = server.stats().total();
        assertThat(stats.accepted()).isEqualTo(1);
        assertThat(stats.messagesIn()).isEqualTo(2);
        assertThat(stats.messagesOut()).isEqualTo(2);
        assertThat(stats.bytesIn()).isEqualTo(8);
        assertThat(stats.bytesOut()).isEqualTo(8);
        assertThat(stats.closed()).isEqualTo(1);
        assertThat(stats.connections()).isZero();
        assertThat(stats.turns()).isPositive();
        assertThat(stats.completions()).isPositive();
        assertThat(server.stats().loops()).containsExactly(stats);
    }

    @EveryNetwork
    void snapshotTellsInWhichListsAConnectionStandsAndWhy(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Stage.ROOMY.withWriteTimeout(Duration.ZERO)));
        Client client = stage.client(server);
        client.send("hello");
        stage.until("heard", () -> story.count("message") > 0);
        stage.settle();
        stage.pass(Duration.ofSeconds(3));
        ConnectionSnapshot idle = server.connections().getFirst();
        assertThat(idle.remoteAddress()).isEqualTo(client.localAddress());
        assertThat(idle.id()).isEqualTo(story.connection(0).id());
        assertThat(idle.state()).isEqualTo(ConnectionState.OPEN);
        assertThat(List.of(idle.readable(), idle.writable(), idle.exceptional())).containsExactly(true, false, false);
        assertThat(idle.interestReason()).isEqualTo("read");
        assertThat(idle.bytesIn()).isEqualTo(5);
        assertThat(idle.sinceActivity()).isBetween(Duration.ofMillis(2990), Duration.ofMillis(3010));
        assertThat(idle.closeReason()).isNull();

        stage.fillSocket(story.connection(0));
        stage.pass(Duration.ofSeconds(2));
        ConnectionSnapshot full = server.connections().getFirst();
        assertThat(List.of(full.readable(), full.writable(), full.exceptional())).containsExactly(false, true, false);
        assertThat(full.interestReason()).contains("above the high mark").contains("its socket was full");
        assertThat(full.queueBytes()).isEqualTo(story.connection(0).queue().bytes());
        assertThat(full.queueMessages()).isEqualTo(1);
        assertThat(full.oldestAge()).isEqualTo(Duration.ofSeconds(2));
        assertThat(full.bytesOut()).isEqualTo(Stage.OVERSIZED_BYTES - full.queueBytes());

        client.receive(Stage.OVERSIZED_BYTES);
        story.connection(0).finish();
        client.rest();
        ConnectionSnapshot lingering = server.connections().getFirst();
        assertThat(lingering.state()).isEqualTo(ConnectionState.LINGERING);
        assertThat(lingering.closeReason()).isEqualTo(CloseReason.FINISHED);
        assertThat(lingering.interestReason()).contains("our output has ended");
    }

    @EveryNetwork
    void attachmentStaysWithItsConnection(Stage stage) throws IOException {
        Server server = stage.open(stage.server(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                assertThat(connection.attachment()).isNull();
                connection.attachment(new int[1]);
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.send(Integer.toString(((int[]) connection.attachment())[0]++));
            }
        }).framing(Framing.lines()));
        Client one = stage.client(server);
        Client two = stage.client(server);
        one.send("\n\n");
        two.send("\n");
        assertThat(one.line() + one.line()).isEqualTo("01");
        assertThat(two.line()).isEqualTo("0");
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void handlerThatHoldsItsLoopIsNamedWithItsStack(Stage stage) throws Exception {
        try (LogLines log = new LogLines()) {
            Story story = stage.story((connection, message) -> holdTheLoop(log));
            Server server = stage.start(stage.server(story).limits(Limits.defaults().withHandlerTimeout(Duration.ofMillis(20))));
            Client client = stage.client(server);
            client.send("x");
            stage.until("named", () -> !log.lines("a handler has held trivet-loop-0").isEmpty());
            assertThat(log.lines("a handler has held").getFirst()).contains("LoopTest.holdTheLoop");
            client.send("y");
            stage.until("both", () -> story.connection(0).bytesIn == 2);
        }
    }

    private static void holdTheLoop(LogLines log) throws InterruptedException {
        assertThat(log.await("a handler has held")).isTrue();
    }

    @EveryNetwork
    void manyShortCallbacksInOneTurnAreNotTakenForASlowOne(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            AtomicReference<Watchdog> watchdog = new AtomicReference<>();
            Story story = stage.story((connection, message) -> {
                boolean slow = Story.text(message).equals("slow");
                for (int i = 0; i < 3; i++) {
                    watchdog.get().look();
                    stage.pass(Duration.ofMillis(slow ? 50 : 15));
                }
                watchdog.get().look();
            });
            Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()));
            watchdog.set(stage.watchdog(server, Duration.ofMillis(100)));
            Client client = stage.client(server);
            client.send("quick\n".repeat(50));
            stage.until("given", () -> story.count("message") == 50);
            assertThat(log.lines()).isEmpty();
            client.send("slow\n");
            stage.until("given", () -> story.count("message") == 51);
            assertThat(log.lines("a handler has held")).as("once").hasSize(1);
        }
    }

    @EveryNetwork
    void connectionThatMakesTheLoopSpinIsNamedAndClosed(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(ECHO);
            Server server = stage
                    .open(Server.builder().network(new Lying(stage.network())).listen(Stage.FREE_PORT).handler(story));
            stage.client(server);
            stage.client(server);
            stage.until("closed", () -> story.count("close") == 2);
            assertThat(story.reasons()).containsOnly(CloseReason.SPINNING);
            assertThat(log.lines("the loop spins on stream 127.0.0.1")).hasSize(1);
            assertThat(log.lines("reported READ, watched READ")).hasSize(1);
        }
    }

    /** A network whose pollers report every stream as readable. */
    private static final class Lying extends SteppedNetwork {
        Lying(Network inner) {
            super(inner);
        }

        @Override
        public Poller poller() throws IOException {
            Poller below = super.poller();
            List<Long> streams = new ArrayList<>();
            Poller noting = Interceptor.of(Poller.class, below, "register", arguments -> {
                if (arguments[0] instanceof TcpStream) {
                    streams.add((Long) arguments[2]);
                }
                below.register((Socket) arguments[0], (int) arguments[1], (long) arguments[2]);
                return null;
            });
            return Interceptor.of(Poller.class, noting, "poll", arguments -> {
                ReadyEvents out = (ReadyEvents) arguments[0];
                below.poll(out, streams.isEmpty() ? (long) arguments[1] : 0);
                streams.forEach(token -> out.add(token, Interest.READ));
                return out.size();
            });
        }

        @Override
        public io.trivet.net.Proactor proactor() throws IOException {
            return new io.trivet.net.ReadinessProactor(this);
        }
    }

    @EveryNetwork
    void connectionThatWasClosedBeforeItBeganHasNoLocalAddress(Stage stage) throws IOException {
        Story made = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT));
        server.turn(Duration.ZERO);
        Connection connection = server.connect(server.address(), made);
        connection.close();
        stage.until("closed", () -> made.count("close") == 1);
        assertThatThrownBy(connection::localAddress).isInstanceOf(IllegalStateException.class);
        assertThat(connection.remoteAddress()).isEqualTo(server.address());
    }

    @EveryNetwork
    void handlerCannotTurnTheLoopThatCallsIt(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.server().turn(Duration.ZERO));
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        try (LogLines log = new LogLines()) {
            client.send("one\ntwo\n");
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(log.lines("is turning already")).hasSize(1);
        }
        assertThat(story.told()).containsExactly("open", "message one", "close HANDLER_FAILED");
    }

    @EveryNetwork
    void drainByAHandlerCallsNoOtherWithinIt(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.close();
            }

            @Override
            public void onClose(Connection connection, CloseReason reason) {
                connection.server().drain(Stage.PATIENCE);
            }
        });
        Server server = stage.open(stage.server(story).limits(Limits.defaults().withConnectionsMax(1)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Client waiting = stage.keep(new Client(stage, server.address(), false)); // in the backlog, until the first has gone
        client.send("x");
        assertThat(waiting.restText()).isEmpty();
        waiting.finish();
        stage.until("closed", server::isClosed);
        assertThat(story.reasons()).containsExactly(CloseReason.CLOSED, CloseReason.DRAINED);
    }

    @EveryNetwork
    void connectToAnUnknownHostFailsAndIsTold(Stage stage) throws IOException {
        Story made = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT));
        server.connect(InetSocketAddress.createUnresolved("no-such-host.invalid", 7), made);
        stage.until("closed", () -> made.count("close") == 1);
        assertThat(made.reasons()).containsExactly(CloseReason.CONNECT_FAILED);
        assertThat(server.stats().total().connections()).isZero();
    }
}
