package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Engine;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * Tests each of the few lock-free interactions of a thread and a loop in isolation, many thousand times, with two threads that start at the same
 * moment. The race windows are a few nanoseconds, which a server under load rarely hits. {@code -Dtrivet.hammer.seconds=60} sets the time of each
 * test.
 */
final class RacesTest {
    private static final Duration TIME = HammerTest.TIME;
    private static final int ROUNDS = 2000;

    /** The action of the other thread in a round. */
    private interface Action {
        void run(int round);
    }

    /** A thread that performs an action in the same rounds as the test thread. */
    private static final class RacingThread implements AutoCloseable {
        private final AtomicInteger started = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private final Thread thread;
        private volatile Throwable failure;

        RacingThread(Random random, Action action) {
            thread = Thread.ofPlatform().daemon().start(() -> {
                try {
                    for (int round = 1; round <= ROUNDS; round++) {
                        spinUntil(started, round);
                        spin(random);
                        action.run(round);
                        done.set(round);
                    }
                } catch (Throwable t) {
                    failure = t;
                    done.set(Integer.MAX_VALUE);
                }
            });
        }

        void begin(int round) {
            started.set(round);
        }

        void awaitDone(int round) {
            spinUntil(done, round);
            assertThat(failure).isNull();
        }

        @Override
        public void close() {
            started.set(Integer.MAX_VALUE);
            try {
                assertThat(thread.join(Stage.PATIENCE)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted", e);
            }
        }
    }

    private static void spinUntil(AtomicInteger counter, int value) {
        long deadline = System.nanoTime() + Stage.PATIENCE.toNanos();
        for (int i = 0; counter.get() < value; i++) {
            Thread.onSpinWait();
            if (i % 1000 == 999) {
                LockSupport.parkNanos(1); // lets the other thread run if it has no processor
                assertThat(System.nanoTime()).as("%d is reached", value).isLessThan(deadline);
            }
        }
    }

    private static void spin(Random random) {
        for (int i = random.nextInt(1 << random.nextInt(8)); i > 0; i--) {
            Thread.onSpinWait();
        }
    }

    @Test
    void taskIsAcceptedOrRejectedWhileTheQueueCloses() throws Exception {
        Seeded.runFor(TIME, random -> {
            Random here = new Random(random.nextLong());
            TaskQueue[] tasks = {new TaskQueue()};
            AtomicInteger accepted = new AtomicInteger();
            AtomicInteger ran = new AtomicInteger();
            try (RacingThread other = new RacingThread(new Random(random.nextLong()), round -> {
                try {
                    tasks[0].add(ran::incrementAndGet);
                    accepted.incrementAndGet();
                } catch (RejectedExecutionException e) {
                    // Rejected: the task must not run.
                }
            })) {
                for (int round = 1; round <= ROUNDS; round++) {
                    tasks[0] = new TaskQueue();
                    other.begin(round);
                    spin(here);
                    tasks[0].close();
                    for (Runnable task = tasks[0].take(); task != null; task = tasks[0].take()) {
                        task.run();
                    }
                    other.awaitDone(round);
                    assertThat(tasks[0].isEmpty()).isTrue();
                    assertThat(ran.get()).as("tasks that ran, compared with those accepted, in round %d", round)
                            .isEqualTo(accepted.get());
                }
            }
        });
    }

    @Test
    void loopGoingToSleepIsWokenByAConcurrentTask() throws Exception {
        Engine engine = Engine.ALL.getFirst();
        try (Stage stage = new Stage(engine.opener().get())) {
            Seeded.runFor(TIME, random -> {
                Story story = stage.story((connection, message) -> {});
                Server server = stage.start(stage.server(story));
                stage.client(server);
                stage.until("open", () -> story.size() == 1);
                Connection connection = story.connection(0);
                AtomicInteger ran = new AtomicInteger();
                for (int round = 1; round <= ROUNDS; round++) {
                    connection.execute(ran::incrementAndGet);
                    spinUntil(ran, round); // the loop now has no work, and checks its queue once more before it sleeps
                    spin(random);
                }
                server.close();
            });
        }
    }

    @Test
    void messageRacingWithFinishIsSeenByTheLoopOrRejected() throws Exception {
        try (Stage stage = new Stage(Engine.ALL.getFirst().opener().get())) {
            Story story = stage.story((connection, message) -> {});
            Server server = stage.open(stage.server(story));
            Client client = stage.client(server);
            stage.until("open", () -> story.size() == 1);
            Connection connection = story.connection(0);
            ByteBuffer message = ByteBuffer.allocate(1);
            Seeded.runFor(TIME, random -> {
                Random here = new Random(random.nextLong());
                SendResult[] result = new SendResult[1];
                try (RacingThread other = new RacingThread(new Random(random.nextLong()),
                        round -> result[0] = connection.offer(message.clear()))) {
                    for (int round = 1; round <= ROUNDS; round++) {
                        other.begin(round);
                        spin(here);
                        connection.state(ConnectionState.DRAINING); // what the loop does on finish: sets the state, then checks the queue
                        boolean nothingWaits = connection.queuedMessages() == 0;
                        other.awaitDone(round);
                        assertThat(nothingWaits && result[0] == SendResult.QUEUED).as("queued after the end").isFalse();
                        connection.state(ConnectionState.OPEN);
                        discardReceived(server, client, round);
                    }
                }
            });
        }
    }

    private static void discardReceived(Server server, Client client, int round) throws IOException {
        server.turn(Duration.ZERO);
        if (round % 100 == 0) {
            client.available();
        }
    }
}
