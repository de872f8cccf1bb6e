package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.NotSimulated;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.LoopStats;
import io.trivet.sim.TortureNetwork;
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

/** Turns, tasks and timers, draining and closing, several loops, snapshots and counters. */
final class LoopTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final Handler ECHO = (connection, message) -> connection.send(message);

    // Timers and tasks.

    @EveryNetwork
    void scheduledTaskRunsAfterItsDelayAndNotBefore(Stage stage) throws Exception {
        List<String> ran = new ArrayList<>();
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        connection.schedule(Duration.ofSeconds(2), () -> ran.add("later"));
        connection.schedule(Duration.ofSeconds(1), () -> {
            ran.add("soon");
            connection.schedule(Duration.ZERO, () -> ran.add("at once"));
            connection.schedule(Duration.ofSeconds(-1), () -> ran.add("in the past"));
        });
        Thread other = Thread.ofPlatform()
                .start(() -> connection.schedule(Duration.ofSeconds(1), () -> ran.add("from a thread")));
        other.join();
        stage.pass(Duration.ofMillis(999));
        stage.settle();
        assertThat(ran).isEmpty();
        stage.pass(Duration.ofMillis(1));
        stage.settle();
        assertThat(ran).containsExactly("soon", "from a thread", "at once", "in the past");
        stage.pass(Duration.ofSeconds(1));
        stage.settle();
        assertThat(ran).endsWith("later");
    }

    /** Otherwise a server whose short connections each schedule a timer for an hour would run out of timers. */
    @EveryNetwork
    void timersOfAClosedConnectionLeaveTheLoopAtOnce(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Stage.ROOMY.withIdleTimeout(Duration.ZERO)));
        EventLoop loop = server.loops().getFirst();
        for (int i = 0; i < 2; i++) {
            stage.client(server);
            int opened = i + 1;
            stage.until("open", () -> story.size() == opened);
            Connection connection = story.connection(i);
            ScheduledTask task = connection.schedule(Duration.ofHours(1), () -> {});
            for (int timer = 1; timer < TimerQueue.PER_CONNECTION_MAX; timer++) {
                connection.schedule(Duration.ofHours(1), () -> {});
            }
            assertThatThrownBy(() -> connection.schedule(Duration.ZERO, () -> {}))
                    .isInstanceOf(RejectedExecutionException.class).hasMessageContaining("65536");
            assertThat(loop.timers().count()).isEqualTo(TimerQueue.PER_CONNECTION_MAX);
            connection.close();
            stage.until("closed", () -> story.count("close") == opened);
            assertThat(loop.timers().count()).isZero();
            assertThat(loop.timers().next()).isEqualTo(Loop.NO_DEADLINE);
            assertThat(task.cancel()).isFalse();
            assertThat(connection.schedule(Duration.ZERO, () -> {}).cancel()).as("for a closed connection").isFalse();
        }
    }

    @EveryNetwork
    void cancelledTaskDoesNotRunWhicheverThreadCancelsIt(Stage stage) throws Exception {
        List<String> ran = new ArrayList<>();
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        ScheduledTask mine = connection.schedule(Duration.ofSeconds(1), () -> ran.add("mine"));
        ScheduledTask others = connection.schedule(Duration.ofSeconds(1), () -> ran.add("another's"));
        ScheduledTask servers = server.schedule(Duration.ofSeconds(1), () -> ran.add("the server's"));
        ScheduledTask left = connection.schedule(Duration.ofSeconds(1), () -> {
            ran.add("left");
            assertThat(servers.cancel()).isFalse();
        });
        connection.schedule(Duration.ofSeconds(1), () -> ran.add("last"));
        assertThat(mine.cancel()).isTrue();
        Thread other = Thread.ofPlatform().start(() -> {
            others.cancel();
            servers.cancel();
        });
        other.join();
        stage.pass(Duration.ofSeconds(1));
        stage.settle();
        assertThat(ran).containsExactly("left", "last");
        assertThat(left.cancel()).isFalse();
        assertThat(server.loops().getFirst().timers().count()).isZero();
    }

    @EveryNetwork
    void serverRunsTasksThatBelongToNoConnectionOnItsFirstLoop(Stage stage) throws Exception {
        List<String> ran = Collections.synchronizedList(new ArrayList<>());
        Server server = stage.open(stage.steppedServer(SILENT));
        server.schedule(Duration.ofSeconds(2), () -> ran.add("later"));
        server.schedule(Duration.ofSeconds(2), () -> ran.add("never")).cancel();
        Thread other = Thread.ofPlatform().start(() -> {
            server.execute(() -> ran.add("soon"));
            server.schedule(Duration.ofSeconds(-1), () -> ran.add("in the past"));
        });
        other.join();
        assertThat(ran).as("in a turn").isEmpty();
        stage.settle();
        assertThat(ran).containsExactlyInAnyOrder("soon", "in the past");
        try (LogLines log = new LogLines()) {
            server.execute(() -> {
                throw new IllegalStateException("as asked");
            });
            stage.pass(Duration.ofSeconds(2));
            stage.settle();
            assertThat(log.lines("as asked")).hasSize(1);
        }
        assertThat(ran).hasSize(3).endsWith("later");
        ScheduledTask dropped = server.schedule(Duration.ofHours(1), () -> ran.add("never"));
        server.drain(Duration.ofSeconds(1));
        stage.until("a scheduled task holds up no drain", server::isClosed);
        assertThat(dropped.cancel()).isFalse();
        assertThatThrownBy(() -> server.execute(() -> {})).isInstanceOf(RejectedExecutionException.class)
                .hasMessage("the server is closed");
        assertThatThrownBy(() -> server.schedule(Duration.ZERO, () -> {})).isInstanceOf(RejectedExecutionException.class)
                .hasMessage("the server is closed");
    }

    @EveryNetwork
    void scheduledTaskOfAClosedConnectionDoesNotRun(Stage stage) throws IOException {
        List<String> ran = new ArrayList<>();
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        connection.schedule(Duration.ofSeconds(1), () -> ran.add("scheduled"));
        connection.close();
        connection.execute(() -> ran.add("executed"));
        stage.until("closed", () -> story.count("close") == 1);
        stage.pass(Duration.ofSeconds(1));
        stage.settle();
        assertThat(ran).as("execute also runs after close").containsExactly("executed");
    }

    @EveryNetwork
    void failingScheduledTaskClosesItsConnection(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.steppedServer(story));
            Client client = stage.client(server);
            stage.until("open", () -> story.size() == 1);
            story.connection(0).schedule(Duration.ofSeconds(1), () -> {
                throw new IllegalStateException("as asked");
            });
            stage.pass(Duration.ofSeconds(1));
            stage.settle();
            client.finish();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(CloseReason.HANDLER_FAILED);
            assertThat(log.lines("as asked")).hasSize(1);
        }
    }

    @EveryNetwork
    void tasksPerTurnAreBoundedAndKeepTheirOrder(Stage stage) throws Exception {
        List<Integer> ran = Collections.synchronizedList(new ArrayList<>());
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.settle();
        int count = EventLoop.TASKS_PER_TURN_MAX + 10;
        Thread other = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < count; i++) {
                int number = i;
                story.connection(0).execute(() -> ran.add(number));
            }
        });
        other.join();
        server.turn(null);
        assertThat(ran).hasSize(EventLoop.TASKS_PER_TURN_MAX);
        server.turn(null); // does not wait, since tasks are left
        assertThat(ran).hasSize(count).isSorted();
    }

    @EveryNetwork
    void closedServerRejectsTasksAndConnects(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        server.close();
        Connection connection = story.connection(0);
        assertThatThrownBy(() -> connection.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> connection.schedule(Duration.ZERO, () -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> server.connect(server.address(), SILENT)).isInstanceOf(RejectedExecutionException.class);
        connection.close(); // these calls have no effect on a closed server
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

    @EveryNetwork(unix = true)
    void drainDeliversQueuesWithoutResetsAndClosesTheServer(Stage stage) throws Exception {
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
            stage.until("draining", () -> server.connections().stream().noneMatch(c -> c.state() == ConnectionState.OPEN));
            for (Client client : clients) {
                client.send("ignored\n");
                client.finish();
                assertThat(client.rest()).hasSize(answer.length + 1);
            }
            server.join();
            assertThat(server.isClosed()).isTrue();
            assertThat(story.reasons()).hasSize(6).containsOnly(CloseReason.DRAINED);
            assertThat(story.count("message")).isEqualTo(6);
        }
    }

    @EveryNetwork(unix = true)
    void drainEndsConnectionsInTheBacklogInAnOrderlyWay(Stage stage) throws IOException {
        Story story = stage.story(ECHO);
        Server server = stage.open(stage.server(story));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            clients.add(stage.pendingClient(server));
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
    void drainMissesNoConnectionInAFullBacklog(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).backlog(1));
        server.turn(Duration.ZERO);
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 2; i++) { // as many as the kernel queues
            clients.add(stage.pendingClient(server));
        }
        server.drain(Stage.PATIENCE);
        for (Client client : clients) {
            client.finish();
            assertThat(client.rest()).as("an orderly end").isEmpty();
        }
        stage.until("closed", server::isClosed);
        assertThat(story.reasons()).containsExactly(CloseReason.DRAINED, CloseReason.DRAINED);
    }

    @EveryNetwork(unix = true)
    void drainEndsAtItsDeadline(Stage stage) throws IOException {
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
        server.drain(Duration.ofSeconds(1)); // shortens the deadline
        stage.settle();
        stage.pass(Duration.ofSeconds(1));
        stage.until("closed", server::isClosed);
        assertThat(story.reasons()).containsExactly(CloseReason.SERVER_CLOSED);
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void secondDrainReachesTheOtherLoopsWhenOneHasEnded(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(story).loops(2).limits(Stage.ROOMY));
        Client first = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.client(server); // on the other loop, and does not read
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
    void closeNotifiesEveryHandlerAndDropsQueues(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(story).loops(2));
        for (int i = 0; i < 4; i++) {
            stage.client(server);
        }
        Story outgoing = stage.story(SILENT);
        server.connect(stage.start(stage.server(SILENT)).address(), outgoing);
        stage.until("open", () -> story.count("open") == 4 && outgoing.count("open") == 1);
        server.close();
        assertThat(story.reasons()).hasSize(4).containsOnly(CloseReason.SERVER_CLOSED);
        assertThat(outgoing.callbacks()).containsExactly("open", "close SERVER_CLOSED");
        assertThat(server.connections()).isEmpty();
        server.join();
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void joinWaitsForCloseAndCanBeInterrupted(Stage stage) throws Exception {
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
        stage.open(stage.server(SILENT)).join(); // an opened server has no threads to wait for
    }

    // Turning.

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void openedServerCanBeTurnedByOneThreadOnly(Stage stage) throws Exception {
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
    void taskFromAnotherThreadWakesTheLoop(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.settle();
        List<String> ran = new ArrayList<>();
        Thread other = Thread.ofPlatform().start(() -> story.connection(0).execute(() -> ran.add("woken")));
        stage.until("the task has run", () -> {
            if (ran.isEmpty()) { // otherwise a turn in between has run it, and nothing would end this wait
                server.turn(null);
            }
            return !ran.isEmpty();
        });
        other.join();
    }

    @EveryNetwork
    void interruptByAHandlerDoesNotMakeTheLoopSpin(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            Thread.currentThread().interrupt();
            connection.send(message);
        });
        Server server = stage.start(stage.server(story));
        Client client = stage.client(server);
        int turnsMax = stage.network() instanceof TortureNetwork ? 5_000 : 50; // it may deny that the client is ready
        for (int i = 0; i < 20; i++) {
            long turns = server.stats().total().turns();
            client.send("x");
            assertThat(client.receiveText(1)).isEqualTo("x");
            assertThat(server.stats().total().turns() - turns).as("turns for one message").isLessThan(turnsMax);
        }
    }

    // Outgoing connections, and several loops.

    @EveryNetwork(plaintext = "connect with a handler alone is in plaintext; oneHandlerCanServeBothSides connects with TLS")
    void connectUsesTheServersFramingAndTheGivenHandler(Stage stage) throws IOException {
        Story there = stage.story(ECHO);
        Story here = stage.story(SILENT);
        Server server = stage.open(stage.server(there).framing(Framing.lines()));
        Connection connection = server.connect(server.address(), here);
        assertThat(connection.state()).isEqualTo(ConnectionState.CONNECTING);
        assertThat(connection.send("while connecting")).isEqualTo(SendResult.QUEUED);
        stage.until("echoed", () -> here.count("message") == 1);
        assertThat(connection.send("and after")).isEqualTo(SendResult.QUEUED);
        stage.until("echoed", () -> here.count("message") == 2);
        connection.finish();
        stage.until("closed", () -> here.count("close") == 1 && there.count("close") == 1);
        assertThat(here.callbacks()).containsExactly("open", "message while connecting", "message and after", "close FINISHED");
        assertThat(there.callbacks()).containsExactly("open", "message while connecting", "message and after", "end",
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
        server.connect(server.address(), stage.outgoing(Protocol.of(Framing.lines(), both)), null).send("100");
        stage.until("closed", () -> both.count("close") == 2);
        assertThat(both.count("message")).isEqualTo(101);
        assertThat(both.connection(0).id()).isNotEqualTo(both.connection(1).id());
    }

    @EveryNetwork
    void connectionsGoToTheLeastLoadedLoop(Stage stage) throws IOException {
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
        // Connections of one loop close, and the next one goes there.
        for (int i = 0; i < 12; i++) {
            if (story.connection(i).loop() == 1) {
                story.connection(i).close();
            }
        }
        stage.until("closed", () -> story.count("close") == 4 && server.stats().loops().get(1).connections() == 0);
        Connection outgoing = server.connect(server.address(), stage.outgoing(Protocol.of(Framing.raw(), stage.story(SILENT))),
                null);
        assertThat(outgoing.loop()).isEqualTo(1);
        stage.until("open", () -> outgoing.state() == ConnectionState.OPEN);
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

    // Snapshots and counters.

    @EveryNetwork
    void countersReflectTheTraffic(Stage stage) throws IOException {
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
    void snapshotReportsTheListsOfAConnectionAndTheReason(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Stage.ROOMY.withWriteTimeout(Duration.ZERO)));
        Client client = stage.client(server);
        client.send("hello");
        stage.until("received", () -> story.count("message") > 0);
        stage.settle();
        stage.pass(Duration.ofSeconds(3));
        ConnectionSnapshot idle = server.connections().getFirst();
        assertThat(idle.remoteAddress()).isEqualTo(client.localAddress());
        assertThat(idle.id()).isEqualTo(story.connection(0).id());
        assertThat(idle.loop()).isEqualTo(story.connection(0).loop());
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
        assertThat(full.interestReason()).contains("at the high mark").contains("its socket was full");
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
    void handlerBlockingTheLoopIsLoggedWithItsStack(Stage stage) throws Exception {
        try (LogLines log = new LogLines()) {
            Story story = stage.story((connection, message) -> blockTheLoop(log));
            Server server = stage.start(stage.server(story).limits(Limits.defaults().withHandlerTimeout(Duration.ofMillis(20))));
            Client client = stage.client(server);
            client.send("x");
            stage.until("logged", () -> !log.lines("a callback or task has held trivet-loop-0").isEmpty());
            assertThat(log.lines("a callback or task has held").getFirst()).contains("LoopTest.blockTheLoop");
            client.send("y");
            stage.until("both", () -> story.connection(0).bytesIn == 2);
        }
    }

    private static void blockTheLoop(LogLines log) throws InterruptedException {
        assertThat(log.await("a callback or task has held")).isTrue();
    }

    @EveryNetwork
    void manyShortCallbacksInOneTurnAreNotReportedAsASlowOne(Stage stage) throws IOException {
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
            stage.until("delivered", () -> story.count("message") == 50);
            assertThat(log.lines()).isEmpty();
            client.send("slow\n");
            stage.until("delivered", () -> story.count("message") == 51);
            assertThat(log.lines("a callback or task has held")).as("once").hasSize(1);
        }
    }

    @EveryNetwork
    void connectionThatMakesTheLoopSpinIsLoggedAndClosed(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(new AlwaysReadableNetwork(stage.network()), story));
            stage.client(server);
            stage.client(server);
            stage.until("closed", () -> story.count("close") == 2);
            assertThat(story.reasons()).containsOnly(CloseReason.SPINNING);
            assertThat(log.lines("the loop spins on stream 127.0.0.1")).hasSize(1);
            assertThat(log.lines("reported READ, watched READ")).hasSize(1);
        }
    }

    /** A network whose pollers report every stream as readable. */
    private static final class AlwaysReadableNetwork extends SteppedNetwork {
        AlwaysReadableNetwork(Network inner) {
            super(inner);
        }

        @Override
        public Poller poller() throws IOException {
            Poller delegate = super.poller();
            List<Long> streams = new ArrayList<>();
            Poller recording = Interceptor.of(Poller.class, delegate, "register", arguments -> {
                if (arguments[0] instanceof TcpStream) {
                    streams.add((Long) arguments[2]);
                }
                delegate.register((Socket) arguments[0], (int) arguments[1], (long) arguments[2]);
                return null;
            });
            return Interceptor.of(Poller.class, recording, "poll", arguments -> {
                ReadyEvents out = (ReadyEvents) arguments[0];
                delegate.poll(out, streams.isEmpty() ? (long) arguments[1] : 0);
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
    void connectionClosedBeforeItsConnectStartsHasNoLocalAddress(Stage stage) throws IOException {
        Story outgoing = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT));
        server.turn(Duration.ZERO);
        Connection connection = server.connect(server.address(), outgoing);
        connection.close();
        stage.until("closed", () -> outgoing.count("close") == 1);
        assertThatThrownBy(connection::localAddress).isInstanceOf(IllegalStateException.class);
        assertThat(connection.remoteAddress()).isEqualTo(server.address());
    }

    @EveryNetwork
    void handlerCannotTurnItsOwnLoop(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.server().turn(Duration.ZERO));
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        try (LogLines log = new LogLines()) {
            client.send("one\ntwo\n");
            client.finish();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(log.lines("is turning already")).hasSize(1);
        }
        assertThat(story.callbacks()).containsExactly("open", "message one", "close HANDLER_FAILED");
    }

    @EveryNetwork
    void drainFromAHandlerDoesNotNestCallbacks(Stage stage) throws IOException {
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
        Client waiting = stage.pendingClient(server); // in the backlog until the first one has closed
        client.send("x");
        assertThat(waiting.restText()).isEmpty();
        waiting.finish();
        stage.until("closed", server::isClosed);
        assertThat(story.reasons()).containsExactly(CloseReason.CLOSED, CloseReason.DRAINED);
    }

    @EveryNetwork
    void connectToAnUnknownHostReportsConnectFailed(Stage stage) throws IOException {
        Story outgoing = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT));
        server.connect(InetSocketAddress.createUnresolved("no-such-host.invalid", 7), outgoing);
        stage.until("closed", () -> outgoing.count("close") == 1);
        assertThat(outgoing.reasons()).containsExactly(CloseReason.CONNECT_FAILED);
        assertThat(server.stats().total().connections()).isZero();
    }
}
