package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.NotSimulated;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLException;

/**
 * Stress test of a started server with several loops. Many threads concurrently send, offer, send first, broadcast, execute,
 * schedule, pause, finish and close, while another thread takes snapshots and further clients connect. Afterwards the bytes
 * received by each client are compared with the messages that were accepted from each thread.
 *
 * <p>Each test runs for a short time on each network; {@code -Dtrivet.hammer.seconds=60} sets the time.
 */
final class HammerTest {
    static final Duration TIME = Duration.ofMillis((long) (1000 * Double.parseDouble(
            System.getProperty("trivet.hammer.seconds", "0.3"))));
    private static final int THREADS = 4;
    private static final int LOOPS = 3;
    private static final int CLIENTS = 6;
    private static final int STEPS = 300;
    private static final int ECHOES = 50;
    private static final long SNAPSHOT_INTERVAL_NANOS = 100_000;
    /** Limits that never apply: every message fits, and no timeout runs. */
    private static final Limits LIMITS = Limits.defaults().withQueueBytesMax(256 << 20).withQueueBudgetBytes(1L << 30)
            .withWriteTimeout(Duration.ZERO).withMessageTimeout(Duration.ZERO);

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void queuedMessagesArriveOnceAndInTheOrderOfTheirThread(Stage stage) throws Exception {
        Seeded.runFor(TIME, random -> {
            Round round = new Round(stage, random);
            round.hammer();
            round.endOrderly(random.nextBoolean());
            round.verify();
        });
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void closingUnderLoadLosesNothingSilentlyAndBlocksNoThread(Stage stage) throws Exception {
        Seeded.runFor(TIME, random -> {
            Round round = new Round(stage, random);
            round.hammerUntilClosedAfter(random.nextInt(THREADS * STEPS / 2));
            round.verify();
        });
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void idleLoopIsAlwaysWoken(Stage stage) throws Exception {
        Seeded.runFor(TIME, random -> {
            Story story = stage.story((connection, message) -> {});
            Server server = stage.start(stage.server(story).loops(LOOPS).framing(Framing.lines()).limits(LIMITS));
            List<Throwable> failures = new CopyOnWriteArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < LOOPS; i++) {
                Socket socket = stage.keep(stage.socket(server));
                int count = i + 1;
                stage.until("open", () -> story.size() == count);
                Connection connection = story.connection(i);
                Random spins = new Random(random.nextLong());
                threads.add(start(failures, () -> wakeRepeatedly(connection, socket.getInputStream(), spins)));
            }
            join(threads);
            assertThat(failures).isEmpty();
            server.close();
        });
    }

    /** Wakes an idle loop and waits for the effect each time, so that no other event can hide a lost wakeup. */
    private static void wakeRepeatedly(Connection connection, InputStream in, Random random) throws Exception {
        for (int i = 0; i < 300; i++) {
            for (int spins = random.nextInt(1 << random.nextInt(14)); spins > 0; spins--) {
                Thread.onSpinWait(); // so that the wakeup comes before, while or after the loop goes to sleep
            }
            if (random.nextInt(4) > 0) {
                assertThat(connection.send("")).isEqualTo(SendResult.QUEUED);
                assertThat(in.read()).isEqualTo('\n');
            } else {
                CountDownLatch run = new CountDownLatch(1);
                if (random.nextBoolean()) {
                    connection.execute(run::countDown);
                } else {
                    connection.schedule(Duration.ofNanos(random.nextInt(100_000)), run::countDown);
                }
                assertThat(run.await(Stage.PATIENCE.toSeconds(), TimeUnit.SECONDS)).as("the task has run").isTrue();
            }
        }
    }

    /** A task of a thread. */
    private interface ThrowingTask {
        void run() throws Exception;
    }

    private static Thread start(List<Throwable> failures, ThrowingTask task) {
        return Thread.ofPlatform().daemon().start(() -> {
            try {
                task.run();
            } catch (Throwable t) {
                failures.add(t);
            }
        });
    }

    private static void join(List<Thread> threads) throws InterruptedException {
        for (Thread thread : threads) {
            assertThat(thread.join(Stage.PATIENCE)).as("%s ends", thread).isTrue();
        }
    }

    /** A client that reads to the end and records the received bytes. */
    private static final class RecordingClient {
        final Socket socket;
        final InetSocketAddress address;
        /** Whether it was connected before anything was sent. */
        final boolean early;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        RecordingClient(Socket socket, boolean early) {
            this.socket = socket;
            address = (InetSocketAddress) socket.getLocalSocketAddress();
            this.early = early;
        }

        void read() throws IOException {
            try (socket) {
                for (int i = 0; i < ECHOES; i++) {
                    socket.getOutputStream().write(Client.bytes("e " + i + "\n"));
                }
                socket.getInputStream().transferTo(bytes);
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                // A reset, because the connection was closed while the client was sending. The bytes received before are checked nevertheless.
            }
        }
    }

    /** The number of messages that one connection accepted from one thread, for each lane. */
    private static final class AcceptedMessages {
        int ordinary;
        int first;
    }

    /** A server, its clients, and the threads that load it. */
    private static final class Round {
        private final Stage stage;
        private final Random random;
        private final Story story;
        private final Server server;
        private final List<Connection> open = new CopyOnWriteArrayList<>();
        private final ConcurrentLinkedQueue<RecordingClient> clients = new ConcurrentLinkedQueue<>();
        private final List<Thread> readers = new CopyOnWriteArrayList<>();
        private final List<Throwable> failures = new CopyOnWriteArrayList<>();
        private final List<LoadThread> loadThreads = new ArrayList<>();
        private final List<Thread> threads = new ArrayList<>();
        private final AtomicInteger steps = new AtomicInteger();

        Round(Stage stage, Random random) throws IOException {
            this.stage = stage;
            this.random = random;
            story = stage.story(new Handler() {
                @Override
                public void onOpen(Connection connection) {
                    open.add(connection);
                }

                @Override
                public void onMessage(Connection connection, ByteBuffer message) {
                    connection.send(message);
                }

                @Override
                public void onClose(Connection connection, CloseReason reason) {
                    open.remove(connection);
                }
            });
            server = stage.start(stage.server(story).loops(LOOPS).framing(Framing.lines()).limits(LIMITS));
            for (int i = 0; i < CLIENTS; i++) {
                connect(true);
            }
            stage.until("open", () -> open.size() == CLIENTS);
        }

        private void connect(boolean early) throws IOException {
            RecordingClient client = new RecordingClient(stage.socket(server), early);
            clients.add(client);
            readers.add(start(failures, client::read));
        }

        private void startAll() {
            for (int i = 0; i < THREADS; i++) {
                LoadThread loadThread = new LoadThread(i, new Random(random.nextLong()));
                loadThreads.add(loadThread);
                threads.add(start(failures, loadThread::run));
            }
            threads.add(start(failures, this::checkSnapshots));
        }

        void hammer() throws Exception {
            startAll();
            join(threads);
        }

        void hammerUntilClosedAfter(int stepsMax) throws Exception {
            startAll();
            stage.until("enough steps are done", () -> steps.get() >= stepsMax);
            server.close();
            join(threads);
        }

        void endOrderly(boolean byDraining) throws Exception {
            for (LoadThread loadThread : loadThreads) {
                stage.until("scheduled tasks have run, or their connections are closed", loadThread::hasNothingScheduled);
            }
            if (byDraining) {
                server.drain(Stage.PATIENCE);
                server.join();
            } else {
                stage.until("all clients are connected", () -> story.size() == clients.size());
                open.forEach(Connection::finish);
            }
            join(readers);
            server.close();
        }

        /** Takes snapshots and checks that their figures are plausible. */
        private void checkSnapshots() {
            while (steps.get() < THREADS * STEPS && !server.isClosed()) {
                for (ConnectionSnapshot snapshot : server.connections()) {
                    assertThat(snapshot.queueBytes()).isBetween(0L, snapshot.queueBytesMax());
                    assertThat(snapshot.queueMessages()).isNotNegative();
                    assertThat(snapshot.oldestAge()).isLessThan(Stage.PATIENCE);
                    assertThat(snapshot.interestReason()).isNotEmpty();
                }
                assertThat(server.stats().total().connections()).isNotNegative();
                LockSupport.parkNanos(SNAPSHOT_INTERVAL_NANOS);
            }
        }

        void verify() throws Exception {
            join(readers);
            assertThat(failures).isEmpty();
            for (LoadThread loadThread : loadThreads) {
                for (int loop = 0; loop < LOOPS; loop++) {
                    assertThat(loadThread.ran[loop]).as("tasks of a thread run by a loop").isEqualTo(loadThread.accepted[loop]);
                }
                assertThat(loadThread.disorder.get()).as("tasks that ran out of order, or twice").isZero();
            }
            for (RecordingClient client : clients) {
                for (int i = 0; i < story.size(); i++) {
                    Connection connection = story.connection(i);
                    if (connection.remoteAddress().equals(client.address)) {
                        verify(client, connection);
                    }
                }
            }
            assertThat(server.stats().queueBytes()).isZero();
        }

        private void verify(RecordingClient client, Connection connection) {
            String end = story.callbacks(connection).getLast();
            boolean orderly = end.equals("close FINISHED") || end.equals("close DRAINED") || end.equals("close PEER_FINISHED");
            boolean wasEndedEarly = loadThreads.stream().anyMatch(loadThread -> loadThread.ended.containsKey(connection));
            int[] ordinary = new int[THREADS];
            int[] first = new int[THREADS];
            int[] broadcasts = new int[THREADS];
            int echoes = 0;
            String text = client.bytes.toString(StandardCharsets.ISO_8859_1);
            String[] lines = text.split("\n", -1);
            for (int i = 0; i < lines.length - 1; i++) { // after the last line feed there is nothing, or a truncated message
                String[] words = lines[i].split(" ", -1);
                String what = connection + ", " + end + ", line " + i + " of " + lines.length + ": "
                        + lines[i].substring(0, Math.min(40, lines[i].length()));
                int number = Integer.parseInt(words[1]);
                if (words[0].equals("e")) {
                    assertThat(number).as(what).isEqualTo(echoes++);
                    continue;
                }
                int thread = Integer.parseInt(words[2]);
                switch (words[0]) {
                    case "o" -> {
                        assertThat(number).as(what).isEqualTo(ordinary[thread]++);
                        int broadcastBefore = Integer.parseInt(words[3]);
                        assertThat(broadcasts[thread]).as("%s: broadcasts before it", what).isLessThanOrEqualTo(broadcastBefore);
                        // After finish, a connection still delivers its accepted messages, but no further broadcasts.
                        if (!wasEndedEarly && (client.early || broadcasts[thread] > 0)) {
                            assertThat(broadcasts[thread]).as("%s: broadcasts before it", what).isEqualTo(broadcastBefore);
                        }
                    }
                    case "f" -> assertThat(number).as(what).isEqualTo(first[thread]++);
                    case "b" -> {
                        if (client.early || broadcasts[thread] > 0) {
                            assertThat(number).as(what).isEqualTo(broadcasts[thread]);
                        }
                        broadcasts[thread] = number + 1;
                    }
                    default -> throw new AssertionError(what);
                }
            }
            for (LoadThread loadThread : loadThreads) {
                AcceptedMessages acceptedMessages = loadThread.acceptedMessages.getOrDefault(connection, new AcceptedMessages());
                int thread = loadThread.number;
                String what = connection + ", " + end + ", thread " + thread;
                assertThat(ordinary[thread]).as(what).isLessThanOrEqualTo(acceptedMessages.ordinary);
                assertThat(first[thread]).as(what).isLessThanOrEqualTo(acceptedMessages.first);
                if (orderly) {
                    assertThat(ordinary[thread]).as(what).isEqualTo(acceptedMessages.ordinary);
                    assertThat(first[thread]).as(what).isEqualTo(acceptedMessages.first);
                    assertThat(lines[lines.length - 1]).as(what).isEmpty();
                }
                if (orderly && client.early && !wasEndedEarly) {
                    assertThat(broadcasts[thread]).as(what).isEqualTo(loadThread.broadcasts);
                }
            }
        }

        /** A thread that performs random operations and records which messages were accepted. */
        private final class LoadThread {
            final int number;
            private final Random random;
            final IdentityHashMap<Connection, AcceptedMessages> acceptedMessages = new IdentityHashMap<>();
            /** The connections that it has finished or closed. */
            final IdentityHashMap<Connection, Boolean> ended = new IdentityHashMap<>();
            int broadcasts;
            /**
             * For each loop, the number of tasks that were accepted, and of those that ran. The latter is written by the loop.
             */
            final int[] accepted = new int[LOOPS];

            final int[] ran = new int[LOOPS];
            final AtomicInteger disorder = new AtomicInteger();
            private final List<Scheduled> scheduled = new ArrayList<>();

            LoadThread(int number, Random random) {
                this.number = number;
                this.random = random;
            }

            /** A task that was scheduled for a connection. */
            private record Scheduled(Connection connection, AtomicInteger runs) {}

            boolean hasNothingScheduled() {
                return scheduled.stream().allMatch(task -> task.runs.get() == 1 || task.connection.isClosed());
            }

            void run() throws IOException {
                for (int i = 0; i < STEPS; i++) {
                    List<Connection> now = List.copyOf(open);
                    if (!now.isEmpty()) {
                        step(now.get(random.nextInt(now.size())));
                    }
                    steps.incrementAndGet();
                }
                scheduled.forEach(task -> {
                    if (task.runs.get() > 1) {
                        disorder.incrementAndGet();
                    }
                });
            }

            private void step(Connection connection) throws IOException {
                int draw = random.nextInt(300);
                try {
                    if (draw < 200) {
                        send(connection, draw);
                    } else if (draw < 215) {
                        server.broadcast(ByteBuffer.wrap(Client.bytes("b " + broadcasts++ + " " + number + padding())));
                    } else if (draw < 245) {
                        execute(connection);
                    } else if (draw < 270) {
                        AtomicInteger runs = new AtomicInteger();
                        connection.schedule(Duration.ofNanos(random.nextInt(1_000_000)), runs::incrementAndGet);
                        scheduled.add(new Scheduled(connection, runs));
                    } else if (draw < 280) {
                        connection.pauseReading();
                    } else if (draw < 297) {
                        connection.resumeReading();
                    } else {
                        ended.put(connection, true);
                        if (draw == 299) {
                            connection.close();
                        } else {
                            connection.finish();
                        }
                        if (!server.isClosed()) {
                            replace();
                        }
                    }
                } catch (RejectedExecutionException e) {
                    assertThat(server.isClosed()).as("rejected only after the server has closed").isTrue();
                }
            }

            private void replace() throws IOException {
                try {
                    connect(false);
                } catch (SocketException | SSLException e) {
                    // Refused, or reset before connect returned: then the connection was in the backlog of the listener that was closed.
                    assertThat(server.isClosed()).as("only a closed server refuses or resets a new connection: %s", e).isTrue();
                }
            }

            private String padding() {
                return " " + "x".repeat(random.nextInt(1 << random.nextInt(random.nextInt(50) == 0 ? 18 : 11)));
            }

            private void send(Connection connection, int draw) {
                AcceptedMessages own = acceptedMessages.computeIfAbsent(connection, any -> new AcceptedMessages());
                boolean ahead = draw < 40;
                String message = ahead ? "f " + own.first + " " + number + padding()
                        : "o " + own.ordinary + " " + number + " " + broadcasts + padding();
                SendResult result = ahead ? connection.sendFirst(message)
                        : draw < 100 ? connection.offer(message) : connection.send(message);
                assertThat(result).isNotEqualTo(SendResult.FULL);
                if (result == SendResult.QUEUED) {
                    own.first += ahead ? 1 : 0;
                    own.ordinary += ahead ? 0 : 1;
                }
            }

            private void execute(Connection connection) {
                int loop = connection.loop();
                int own = accepted[loop];
                connection.execute(() -> {
                    if (ran[loop]++ != own) {
                        disorder.incrementAndGet();
                    }
                });
                accepted[loop]++;
            }
        }
    }
}
