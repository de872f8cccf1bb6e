package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Connections that are served by straight-line code. */
final class SessionTest {
    private static final Duration LONG = Stage.PATIENCE;

    /** What the sessions of a test have observed. */
    private final Queue<Object> seen = new ConcurrentLinkedQueue<>();

    private static String text(ByteBuffer message) {
        return StandardCharsets.UTF_8.decode(message).toString();
    }

    private static void echo(Session session) throws IOException {
        for (ByteBuffer message = session.receive(); message != null; message = session.receive()) {
            session.send(message);
        }
    }

    /** Runs code, and records what it throws. */
    private SessionHandler recording(SessionHandler handler) {
        return session -> {
            try {
                handler.run(session);
                seen.add("returned");
            } catch (Throwable e) {
                seen.add(e);
                throw e;
            }
        };
    }

    private static ServerBuilder lines(Stage stage, SessionHandler handler) {
        return stage.server((connection, message) -> {}).framing(Framing.lines()).session(handler);
    }

    @EveryNetwork(unix = true)
    void codeRunsInStraightLinesUntilThePeerHasFinished(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, recording(session -> {
            session.send("who?");
            String name = text(session.receive());
            session.send("hello " + name);
            echo(session);
            session.send("bye " + name);
            assertThat(session.receive()).as("the input has ended").isNull();
        })));
        Client client = stage.client(server);
        client.expect("who?\n");
        client.send("Ada\n");
        client.expect("hello Ada\n");
        client.send("1\n2\n");
        client.expect("1\n2\n");
        client.send("3\n");
        client.channel().shutdownOutput();
        client.expect("3\nbye Ada\n");
        assertThat(client.restText()).isEmpty();
        stage.until("closed", () -> server.stats().total().closed() == 1);
        assertThat(seen).containsExactly("returned");
    }

    @EveryNetwork
    void manyMessagesKeepTheirOrder(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, SessionTest::echo));
        StringBuilder sent = new StringBuilder();
        for (int i = 0; i < 3_000; i++) {
            sent.append("message ").append(i).append("x".repeat(i % 50)).append('\n');
        }
        Client client = stage.client(server);
        client.send(sent.toString());
        client.expect(sent.toString());
        stage.until("the session waits, and holds nothing", () -> server.stats().queueBytes() == 0);
    }

    @EveryNetwork
    void sendWaitsWhileTheQueueIsHigh(Stage stage) throws IOException {
        AtomicInteger accepted = new AtomicInteger();
        AtomicReference<Connection> connection = new AtomicReference<>();
        int count = 1000;
        byte[] message = FramedEchoTest.patterned(20_000);
        Server server = stage.open(stage.server((c, m) -> {}).session(recording(session -> {
            connection.set(session.connection());
            for (int i = 0; i < count; i++) {
                session.send(message);
                accepted.incrementAndGet();
            }
        })));
        Client client = stage.client(server);
        stage.until("the queue is high", () -> connection.get() != null && connection.get().hasReachedHigh()
                && connection.get().is(ConnectionRecord.AWAITS_WRITABLE));
        assertThat(accepted.get()).isLessThan(count);
        for (int i = 0; i < count; i++) {
            assertThat(client.receive(message.length)).isEqualTo(message);
        }
        client.expectEnd();
        assertThat(seen).containsExactly("returned");
    }

    @EveryNetwork
    void messageBeyondTheCapIsSent(Stage stage) throws IOException {
        byte[] message = FramedEchoTest.patterned(300_000);
        Server server = stage.open(stage.server((connection, m) -> {}).limits(Limits.defaults().withQueueBytesMax(100_000))
                .session(session -> session.send(message)));
        Client client = stage.client(server);
        assertThat(client.receive(message.length)).isEqualTo(message);
        client.expectEnd();
    }

    @EveryNetwork
    void messageBeyondTheBudgetClosesTheConnection(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, recording(session -> {
            session.receive();
            session.send(new byte[100_000]);
            session.receive();
        })).limits(Limits.defaults().withQueueBudgetBytes(50_000).withQueueBytesMax(40_000).withQueueMarks(20_000, 10_000)));
        Client client = stage.client(server);
        client.send("go\n");
        client.expectEnd();
        stage.until("the session has ended", () -> !seen.isEmpty());
        assertThat(seen.remove()).isInstanceOfSatisfying(ConnectionClosedException.class,
                e -> assertThat(e.reason()).isEqualTo(CloseReason.BUDGET_EXCEEDED));
    }

    @EveryNetwork
    void messagesThatAreNotReceivedPauseReading(Stage stage) throws IOException {
        AtomicReference<Connection> connection = new AtomicReference<>();
        AtomicInteger open = new AtomicInteger();
        Server server = stage.open(lines(stage, session -> {
            connection.set(session.connection());
            while (open.get() == 0) {
                session.sleep(Duration.ofMillis(1));
            }
            echo(session);
        }));
        Client client = stage.client(server);
        String line = "x".repeat(999) + "\n";
        client.send(line.repeat(30));
        stage.until("reading is paused", () -> connection.get() != null
                && connection.get().is(ConnectionRecord.PAUSED_BY_SESSION));
        assertThat(connection.get().snapshot().interestReason()).contains("session");
        open.set(1);
        client.expect(line.repeat(30));
        client.send(line.repeat(30));
        client.expect(line.repeat(30));
        stage.until("reading continues", () -> !connection.get().is(ConnectionRecord.PAUSED_BY_SESSION));
    }

    @EveryNetwork
    void receiveWithATimeoutThrowsAndTheSessionContinues(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, session -> {
            assertThatThrownBy(() -> session.receive(Duration.ZERO)).isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(() -> session.receive(Duration.ofMillis(20))).isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining("PT0.02S");
            session.send("late");
            session.send("got " + text(session.receive(LONG)));
        }));
        Client client = stage.client(server);
        client.expect("late\n");
        client.send("it\n");
        client.expect("got it\n");
        client.expectEnd();
    }

    @EveryNetwork
    void sleepLastsOnTheClockOfTheNetwork(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, session -> {
            long start = stage.network().clock().nanoTime();
            session.sleep(Duration.ofMillis(20));
            seen.add(stage.network().clock().nanoTime() - start);
            session.sleep(Duration.ZERO);
            session.send("awake");
        }));
        Client client = stage.client(server);
        client.send("early\n");
        client.expect("awake\n");
        client.expectEnd();
        assertThat((long) seen.remove()).isGreaterThanOrEqualTo(20_000_000);
    }

    @EveryNetwork
    void messagesBeforeACutAreReceivedBeforeTheException(Stage stage) throws IOException {
        AtomicInteger open = new AtomicInteger();
        Server server = stage.open(lines(stage, recording(session -> {
            assertThat(text(session.receive())).isEqualTo("1");
            while (open.get() == 0) { // without a look at the connection
                if (stage.network().turnsLoops()) {
                    session.sleep(Duration.ofMillis(1));
                } else {
                    Thread.sleep(1);
                }
            }
            assertThat(text(session.receive())).isEqualTo("2");
            session.receive();
        })));
        Client client = stage.client(server);
        client.send("1\n2\n");
        stage.until("both have arrived", () -> server.stats().total().messagesIn() == 2);
        if (!stage.network().turnsLoops()) {
            client.channel().linger(0);
            client.close();
            stage.until("closed", () -> server.stats().total().closed() == 1);
        }
        open.set(1);
        if (stage.network().turnsLoops()) {
            client.channel().linger(0);
            client.close();
        }
        stage.until("the session has ended", () -> !seen.isEmpty());
        assertThat(seen.remove()).isInstanceOfSatisfying(ConnectionClosedException.class,
                e -> assertThat(e.reason()).isEqualTo(CloseReason.RESET));
    }

    @EveryNetwork
    void sendOnAClosedConnectionThrows(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, recording(session -> {
            assertThat(session.receive()).isNotNull();
            session.connection().close();
            try {
                assertThat(session.receive()).isNull();
            } catch (ConnectionClosedException e) {
                seen.add(e.reason());
            }
            session.send("too late");
        })));
        Client client = stage.client(server);
        client.send("hello\n");
        assertThat(client.restAfterClose()).isEmpty();
        stage.until("the session has ended", () -> seen.size() == 2);
        assertThat(seen.remove()).isEqualTo(CloseReason.CLOSED);
        assertThat(seen.remove()).isInstanceOfSatisfying(ConnectionClosedException.class,
                e -> assertThat(e.reason()).isEqualTo(CloseReason.CLOSED));
    }

    @EveryNetwork
    void exceptionEndsTheConnectionWithWhatWasSent(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            Server server = stage.open(lines(stage, session -> {
                session.send("first");
                if (text(session.receive()).equals("error")) {
                    throw new StackOverflowError("too deep");
                }
                throw new IllegalStateException("out of order");
            }));
            Client client = stage.client(server);
            client.send("go\n");
            client.expect("first\n");
            client.expectEnd();
            stage.until("closed", () -> server.stats().total().closed() == 1);
            assertThat(log.lines("out of order")).hasSize(1);
            Client other = stage.client(server);
            other.send("error\n");
            other.expect("first\n");
            other.expectEnd();
        }
    }

    @EveryNetwork
    void drainLetsASessionAnswerWhatItHasReceived(Stage stage) throws IOException {
        AtomicInteger open = new AtomicInteger();
        Server server = stage.open(lines(stage, recording(session -> {
            String question = text(session.receive());
            while (open.get() == 0) {
                session.sleep(Duration.ofMillis(1));
            }
            session.send("answer to " + question);
            assertThat(text(session.receive())).isEqualTo("second");
            assertThat(session.receive()).isNull();
            session.send("bye");
        })));
        Client client = stage.client(server);
        Client idle = stage.client(server);
        client.send("question\nsecond\n");
        stage.until("both have arrived", () -> server.stats().total().messagesIn() == 2);
        server.drain(LONG);
        idle.send("never received\n");
        open.set(1);
        client.expect("answer to question\nbye\n");
        client.expectEnd();
        idle.expectEnd();
        stage.until("drained", () -> server.stats().total().closed() == 2);
    }

    @EveryNetwork
    void closeOfTheServerEndsASession(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, recording(session -> {
            session.send("ready");
            session.receive();
        })));
        Client client = stage.client(server);
        client.expect("ready\n");
        server.close();
        stage.until("the session has ended", () -> !seen.isEmpty());
        assertThat(seen.remove()).isInstanceOfSatisfying(ConnectionClosedException.class,
                e -> assertThat(e.reason()).isEqualTo(CloseReason.SERVER_CLOSED));
    }

    @EveryNetwork
    void sessionCanCloseItsServer(Stage stage) throws IOException {
        Server server = stage.start(lines(stage, recording(session -> {
            session.receive();
            session.connection().server().close();
            session.receive();
        })));
        Client client = stage.client(server);
        client.send("stop\n");
        assertThat(client.restAfterClose()).isEmpty();
        stage.until("the session has ended", () -> !seen.isEmpty());
        assertThat(seen.remove()).isInstanceOf(ConnectionClosedException.class);
    }

    @EveryNetwork
    void interruptEndsAWait(Stage stage) throws IOException {
        AtomicReference<Thread> thread = new AtomicReference<>();
        Server server = stage.open(lines(stage, recording(session -> {
            thread.set(Thread.currentThread());
            if (stage.network().turnsLoops()) {
                Thread.currentThread().interrupt(); // there, another thread's interrupt has no place in the order of events
            }
            assertThatThrownBy(session::receive).isInstanceOf(InterruptedIOException.class);
            assertThat(Thread.interrupted()).as("the interrupt status stays set").isTrue();
            session.send("interrupted");
        })));
        Client client = stage.client(server);
        if (!stage.network().turnsLoops()) {
            stage.until("it waits", () -> thread.get() != null && thread.get().getState() == Thread.State.WAITING);
            thread.get().interrupt();
        }
        client.expect("interrupted\n");
        client.expectEnd();
        assertThat(seen).containsExactly("returned");
    }

    /** Threads of sessions are virtual: those that block hold neither a loop nor each other. */
    @EveryNetwork
    void blockedSessionsDoNotHoldUpOthers(Stage stage) throws IOException {
        if (stage.network().turnsLoops()) {
            return; // there, a session must not block
        }
        CountDownLatch release = new CountDownLatch(1);
        Server server = stage.open(lines(stage, session -> {
            if (text(session.receive()).equals("block")) {
                release.await();
            }
            session.send("done");
        }));
        Client[] blocked = new Client[50];
        for (int i = 0; i < blocked.length; i++) {
            blocked[i] = stage.client(server);
            blocked[i].send("block\n");
        }
        Client free = stage.client(server);
        free.send("go\n");
        free.expect("done\n");
        release.countDown();
        for (Client client : blocked) {
            client.expect("done\n");
            client.expectEnd();
        }
    }

    @EveryNetwork
    void outgoingConnectionHasASession(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, SessionTest::echo));
        server.connect(server.address(), stage.outgoing(Protocol.session(Framing.lines(), recording(session -> {
            session.send("ping");
            seen.add(text(session.receive()));
        }))), null);
        stage.until("the session has ended", () -> seen.size() == 2);
        assertThat(seen).containsExactly("ping", "returned");
    }

    @EveryNetwork
    void connectionWithASessionKeepsItsFraming(Stage stage) throws IOException {
        Server server = stage.open(lines(stage, session -> {
            session.connection().execute(() -> {
                try {
                    session.connection().upgrade(Framing.raw(), (c, m) -> {});
                } catch (IllegalStateException e) {
                    seen.add(e.getMessage());
                }
            });
            echo(session);
        }));
        Client client = stage.client(server);
        client.send("a\nb\n");
        client.expect("a\nb\n");
        stage.until("refused", () -> !seen.isEmpty());
        assertThat(seen.remove().toString()).contains("session");
    }

    @EveryNetwork
    void onlyItsThreadUsesASession(Stage stage) throws IOException {
        AtomicReference<Session> session = new AtomicReference<>();
        Server server = stage.open(lines(stage, own -> {
            session.set(own);
            echo(own);
        }));
        Client client = stage.client(server);
        stage.until("open", () -> session.get() != null);
        assertThatThrownBy(() -> session.get().receive()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> session.get().send("x")).isInstanceOf(IllegalStateException.class);
        session.get().connection().send("from another thread");
        client.expect("from another thread\n");
    }

    /** It pauses reading, like any message that long, and its session has to be woken all the same. */
    @EveryNetwork
    void longUnfinishedLastMessageIsReceived(Stage stage) throws IOException {
        Server server = stage.open(stage.server((connection, message) -> {})
                .framing(Framing.lines().withRemainder(Remainder.DELIVER))
                .session(recording(session -> {
                    session.send("go");
                    session.send("got " + session.receive().remaining() + " and " + session.receive());
                })));
        Client client = stage.client(server);
        client.expect("go\n");
        client.send("x".repeat(40_000));
        client.channel().shutdownOutput();
        client.expect("got 40000 and null\n");
        assertThat(client.restText()).isEmpty();
        assertThat(seen).containsExactly("returned");
    }

    @EveryNetwork
    void sendThatWaitsEndsWhenTheOutputIsFinished(Stage stage) throws IOException {
        AtomicReference<Connection> connection = new AtomicReference<>();
        byte[] message = FramedEchoTest.patterned(20_000);
        Server server = stage.open(stage.server((c, m) -> {}).session(recording(session -> {
            connection.set(session.connection());
            while (true) {
                session.send(message);
            }
        })));
        Client client = stage.client(server);
        stage.until("the queue is high", () -> connection.get() != null && connection.get().hasReachedHigh()
                && connection.get().is(ConnectionRecord.AWAITS_WRITABLE));
        stage.settle();
        connection.get().finishOutput(); // and the peer never finishes
        client.restText();
        stage.until("the session has ended", () -> !seen.isEmpty());
        assertThat(seen.remove()).isInstanceOf(ConnectionClosedException.class);
    }

    /** Sessions that a loop has woken together may keep all carriers busy, and the loop is woken all the same. */
    @EveryNetwork
    void messagesOfBusySessionsAreSent(Stage stage) throws IOException {
        if (stage.network().turnsLoops()) {
            return; // there, a session must not wait for anything but its connection
        }
        AtomicInteger answered = new AtomicInteger();
        int sessions = 4 * Runtime.getRuntime().availableProcessors();
        CountDownLatch blocked = new CountDownLatch(1);
        Server server = stage.start(stage.server((c, m) -> {}).framing(Framing.lines()).loops(1).session(session -> {
            session.receive();
            session.send("done");
            while (answered.get() == 0) {
                Thread.onSpinWait(); // holds its carrier
            }
        }));
        Client[] clients = new Client[sessions];
        for (int i = 0; i < sessions; i++) {
            clients[i] = stage.client(server);
        }
        stage.until("open", () -> server.connections().size() == sessions);
        server.loops().getFirst().execute(() -> {
            try {
                blocked.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        for (Client client : clients) {
            client.send("go\n");
        }
        blocked.countDown(); // all are delivered in one turn
        try {
            stage.until("one is answered", () -> server.loops().getFirst().stats().bytesOut() > 0);
        } finally {
            answered.set(1);
        }
    }

    /** What waits for a session counts as what its connection holds. */
    @EveryNetwork
    void sessionThatHoldsTheMostIsClosedInPlaceOfAnother(Stage stage) throws IOException {
        AtomicReference<Connection> hoarder = new AtomicReference<>();
        Story modest = stage.story((connection, message) -> {});
        Server server = stage.open(lines(stage, recording(session -> {
            hoarder.set(session.connection());
            session.sleep(Duration.ofDays(1));
        })).listen(Stage.FREE_PORT, Protocol.of(Framing.lines(), modest))
                .limits(Limits.defaults().withQueueBudgetBytes(300_000)));
        Client client = stage.client(server);
        client.send("x".repeat(60_000) + "\n");
        stage.until("the session has it", () -> server.stats().total().messagesIn() == 1);
        stage.until("the session runs", () -> hoarder.get() != null); // its thread may be late
        stage.settle();
        Budget budget = server.budget();
        assertThat(budget.bytes()).as("the message, whose partial input was released").isBetween(60_000L, 70_000L);
        long others = budget.bytesMax() - budget.bytes();
        budget.add(others);
        Client other = stage.keep(new Client(stage, server.addresses().get(1)));
        other.send("a part of a line");
        stage.until("one is closed", () -> server.stats().total().closed() == 1);
        budget.release(others);
        assertThat(hoarder.get().closeReason()).isEqualTo(CloseReason.BUDGET_EXCEEDED);
        assertThat(modest.count("close")).isZero();
        stage.until("the session has ended", () -> !seen.isEmpty());
        stage.until("nothing of it is held", () -> server.stats().queueBytes() < 1_000);
    }

    /** A message that arrives when the budget is used up closes the connection that holds the most, not the one it is for. */
    @EveryNetwork
    void messageForASessionClosesTheConnectionThatHoldsTheMost(Stage stage) throws IOException {
        if (!stage.network().turnsLoops()) {
            return; // a session on a thread of its own may release its message before the loop looks
        }
        Story hoarder = stage.story((connection, message) -> {});
        Server server = stage.open(lines(stage, SessionTest::echo).listen(Stage.FREE_PORT, Protocol.of(Framing.lines(), hoarder))
                .limits(Limits.defaults().withQueueBudgetBytes(300_000)));
        Client greedy = stage.keep(new Client(stage, server.addresses().get(1)));
        greedy.send("x".repeat(60_000));
        stage.until("it is held", () -> server.stats().total().bytesIn() == 60_000);
        Client client = stage.client(server);
        stage.until("both are open", () -> server.stats().total().connections() == 2);
        Budget budget = server.budget();
        long others = budget.bytesMax() - budget.bytes();
        budget.add(others);
        client.send("y".repeat(500) + "\n");
        stage.until("one is closed", () -> server.stats().total().closed() == 1);
        budget.release(others);
        client.expect("y".repeat(500) + "\n");
        assertThat(hoarder.reasons()).containsExactly(CloseReason.BUDGET_EXCEEDED);
    }
}
