package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.NotSimulated;
import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The bounded send queue: gauges, marks, cap, overflow policies, budget, and write timeout. */
final class QueueTest {
    private static final Handler SILENT = (connection, message) -> {};

    @EveryNetwork
    void gaugesReportQueuedMessages(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lengthPrefixed(4)).limits(Stage.ROOMY));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        MessageQueue queue = story.connection(0).queue();
        assertThat(queue.bytes()).isZero();
        assertThat(queue.messages()).isZero();
        assertThat(queue.isHigh()).isFalse();
        assertThat(queue.bytesMax()).isEqualTo(2 * Stage.OVERSIZED_BYTES);

        stage.fillSocket(story.connection(0));
        int before = queue.bytes();
        assertThat(queue.messages()).as("one, partly sent").isEqualTo(1);
        assertThat(queue.isHigh()).isTrue();
        story.connection(0).send("12345678");
        story.connection(0).send(new byte[0]);
        assertThat(queue.bytes()).isEqualTo(before + 16);
        assertThat(queue.messages()).isEqualTo(3);
        assertHolds(stage, server, story.connection(0));
        assertThat(server.stats().queueBytes()).as("buffers with their capacity").isGreaterThanOrEqualTo(queue.bytes());
        assertThat(server.stats().memory().queues())
                .isBetween(server.stats().queueBytes() - stage.ciphertextMax(), server.stats().queueBytes());
        assertThat(server.connections().getFirst().queueBytes()).isEqualTo(queue.bytes());
        assertThat(server.connections().getFirst().queueMessages()).isEqualTo(3);

        client.receive(Stage.OVERSIZED_BYTES + 4 + 16);
        assertThat(queue.bytes()).isZero();
        assertThat(queue.messages()).isZero();
        assertThat(server.stats().queueBytes()).isZero();
    }

    @EveryNetwork
    void gaugesMatchTheQueueUnderRandomOperations(Stage stage) throws Exception {
        for (Overflow overflow : Overflow.values()) {
            Seeded.run(2, random -> {
                Story story = stage.story(SILENT);
                Server server = stage.open(stage.server(story).framing(Framing.lengthPrefixed(4)).overflow(overflow)
                        .limits(Stage.ROOMY.withQueueBytesMax(Stage.OVERSIZED_BYTES + 2_000_000)));
                Client client = stage.client(server);
                stage.until("open", () -> story.size() == 1);
                Connection connection = story.connection(0);
                stage.fillSocket(connection);
                for (int i = 0; i < 300; i++) {
                    ByteBuffer message = ByteBuffer.allocate(random.nextInt(1 << random.nextInt(19)));
                    switch (random.nextInt(6)) {
                        case 0 -> connection.sendFirst(message);
                        case 1 -> server.broadcast(message);
                        case 2 -> client.available();
                        case 3 -> stage.step();
                        default -> connection.offer(message);
                    }
                    if (connection.isClosed()) {
                        break;
                    }
                    assertThat(connection.queue().bytes())
                            .isEqualTo((int) (bytes(connection.sendQueue()) + bytes(pending(connection))));
                    assertThat(connection.queue().messages())
                            .isEqualTo(messages(connection.sendQueue()) + messages(pending(connection)));
                    assertHolds(stage, server, connection);
                    assertThat(connection.queue().bytes()).isLessThanOrEqualTo(connection.queue().bytesMax());
                }
                server.close();
            });
        }
    }

    /** Returns the backlog that a pending send was started with. */
    private static @Nullable SendQueue pending(Connection connection) {
        PendingSend send = connection.server().loops().get(connection.loop()).pendingSend(connection);
        return send == null ? null : send.queue();
    }

    private static long bytes(@Nullable SendQueue queue) {
        return queue == null ? 0 : queue.bytes();
    }

    private static long held(@Nullable SendQueue queue) {
        return queue == null ? 0 : queue.heldBytes();
    }

    /** Asserts that the budget counts the messages of a connection, and what TLS holds, and nothing else. */
    private static void assertHolds(Stage stage, Server server, Connection connection) {
        long messages = held(connection.sendQueue()) + held(pending(connection));
        assertThat(server.stats().queueBytes()).isBetween(messages, messages + stage.ciphertextMax());
    }

    private static int messages(@Nullable SendQueue queue) {
        return queue == null ? 0 : queue.messages();
    }

    @EveryNetwork(unix = true)
    void messageBeyondTheCapIsRejectedAsAWholeAndClosesTheConnection(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Limits.defaults().withQueueBytesMax(Stage.OVERSIZED_BYTES)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        stage.fillSocket(connection);
        int room = connection.queue().bytesMax() - connection.queue().bytes();
        ByteBuffer tooMuch = ByteBuffer.allocate(room + 1);
        assertThat(connection.offer(tooMuch)).isEqualTo(SendResult.FULL);
        assertThat(tooMuch.position()).as("nothing was accepted").isZero();
        stage.settle();
        assertThat(story.callbacks()).as("a rejected offer has no other effect").containsExactly("open");
        room = connection.queue().bytesMax() - connection.queue().bytes(); // under torture, something may have been sent meanwhile
        assertThat(connection.offer(ByteBuffer.allocate(room))).isEqualTo(SendResult.QUEUED);

        assertThat(connection.send(new byte[1])).isEqualTo(SendResult.FULL);
        assertThat(connection.send(new byte[1])).isEqualTo(SendResult.CLOSED);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.QUEUE_FULL);
        client.close();
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void fullQueueClosesTheConnectionWhenAnotherThreadSends(Stage stage) throws Exception {
        for (Overflow overflow : List.of(Overflow.PAUSE_READING, Overflow.DISCONNECT)) {
            Story story = stage.story(SILENT);
            Server server = stage
                    .start(stage.server(story).overflow(overflow).limits(Limits.defaults().withQueueBytesMax(1 << 20)));
            stage.client(server);
            stage.until("open", () -> story.size() == 1);
            SendResult result = SendResult.QUEUED;
            byte[] message = new byte[100_000];
            for (int i = 0; i < 10_000 && result == SendResult.QUEUED; i++) {
                result = story.connection(0).send(message);
            }
            assertThat(result).isEqualTo(SendResult.FULL);
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(CloseReason.QUEUE_FULL);
        }
    }

    @EveryNetwork(unix = true)
    void pausingKeepsRepliesBelowTheCapWhateverThePeerSends(Stage stage) throws IOException {
        Limits limits = Limits.defaults().withQueueBytesMax(100_000).withQueueMarks(50_000, 20_000);
        int replyBytes = 10_000;
        byte[] reply = FramedEchoTest.patterned(replyBytes);
        List<Integer> levels = new ArrayList<>();
        Story story = stage.story((connection, message) -> {
            levels.add(connection.queue().bytes());
            assertThat(connection.send(reply)).isEqualTo(SendResult.QUEUED);
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).limits(limits));
        Client client = stage.client(server);
        int requests = 3000;
        client.send("?\n".repeat(requests)); // all at once, without reading a byte
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        stage.untilSocketFull(connection);
        assertThat(levels.size()).as("messages delivered").isLessThan(requests);
        assertThat(connection.is(Connection.PAUSED_BY_QUEUE)).isTrue();
        assertThat(server.connections().getFirst().readable()).as("watched for input").isFalse();
        assertThat(server.connections().getFirst().interestReason()).contains("at the high mark");

        byte[] framed = ReferenceFraming.LINES.framed(reply);
        for (int i = 0; i < requests; i++) {
            assertThat(client.receive(framed.length)).isEqualTo(framed);
        }
        assertThat(levels).as("bytes queued when a message was delivered").hasSize(requests).allMatch(level -> level < 50_000);
        client.send("?\n");
        assertThat(client.receive(framed.length)).isEqualTo(framed);
        assertThat(story.count("close")).isZero();
    }

    @EveryNetwork
    void longRepliesAlsoPauseReading(Stage stage) throws IOException {
        byte[] reply = FramedEchoTest.patterned(90_000); // too long for reply batching
        Story story = stage.story((connection, message) -> assertThat(connection.send(reply)).isEqualTo(SendResult.QUEUED));
        Server server = stage
                .open(stage.server(story).framing(Framing.lines()).limits(Limits.defaults().withQueueBytesMax(200_000)));
        Client client = stage.client(server);
        client.send("?\n".repeat(200));
        stage.until("open", () -> story.size() == 1);
        stage.untilSocketFull(story.connection(0));
        byte[] framed = ReferenceFraming.LINES.framed(reply);
        for (int i = 0; i < 200; i++) {
            assertThat(client.receive(framed.length)).isEqualTo(framed);
        }
        assertThat(story.count("close")).isZero();
    }

    @EveryNetwork
    void disconnectPolicyKeepsReadingUpToTheCap(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.send(new byte[50_000]));
        Server server = stage.open(stage.server(story).framing(Framing.lines()).overflow(Overflow.DISCONNECT)
                .limits(Limits.defaults().withQueueBytesMax(500_000)));
        Client client = stage.client(server);
        client.send("?\n".repeat(5000));
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.QUEUE_FULL);
        assertThat(story.connection(0).is(Connection.PAUSED_BY_QUEUE)).isFalse();
        client.close();
    }

    @EveryNetwork(unix = true)
    void dropOldestDropsOnlyMessagesOfWhichNothingHasBeenSent(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                .limits(Limits.defaults().withQueueBytesMax(Stage.OVERSIZED_BYTES + 2)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        byte[] partlySent = stage.fillSocket(connection);
        int room = connection.queue().bytesMax() - connection.queue().bytes();
        int count = room / 1000;
        for (int i = 0; i < count + 5; i++) { // 1,000 bytes each, the last five replace the first five
            assertThat(connection.send(line(i))).isEqualTo(SendResult.QUEUED);
        }
        connection.sendFirst(ByteBuffer.wrap(Client.bytes(line(-1)))); // drops one more, and is itself never dropped
        assertThat(connection.queue().bytes()).isLessThanOrEqualTo(connection.queue().bytesMax());
        stage.settle();
        assertThat(server.stats().total().dropped()).isEqualTo(6);
        assertThat(story.count("dropped 6 6000")).as("one notification for all").isEqualTo(1);
        assertThat(connection.offer(ByteBuffer.allocate(connection.queue().bytesMax()))).as("never fits")
                .isEqualTo(SendResult.FULL);

        assertThat(client.receive(partlySent.length)).as("a partly sent message is not dropped").isEqualTo(partlySent);
        client.receive(1);
        assertThat(client.line()).isEqualTo(line(-1));
        for (int i = 6; i < count + 5; i++) {
            assertThat(client.line()).isEqualTo(line(i));
        }
        assertThat(connection.queue().bytes()).isZero();
    }

    private static String line(int number) {
        return String.format("%0999d", number);
    }

    /** Includes queues so short that all of it is passed to a ring at once, and a few messages at a time. */
    @EveryNetwork
    void dropOldestKeepsASlowReaderWithAShortQueueConnected(Stage stage) throws IOException {
        for (int perTurn : new int[]{3, 8}) {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.server(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                    .limits(Limits.defaults().withQueueBytesMax(8192)));
            Client client = stage.client(server);
            stage.until("open", () -> story.size() == 1);
            Connection connection = story.connection(0);
            int sent = 0;
            while (server.stats().total().dropped() < 50) {
                for (int i = 0; i < perTurn; i++) {
                    assertThat(connection.send(line(sent++))).as("message %d", sent).isEqualTo(SendResult.QUEUED);
                }
                server.turn(Duration.ZERO);
                assertThat(connection.queue().bytes()).isLessThanOrEqualTo(8192);
            }
            connection.finish();
            String[] lines = client.restText().split("\n", -1);
            int expected = 0;
            for (int i = 0; i < lines.length - 1; i++) {
                assertThat(lines[i]).as("complete").hasSize(999);
                assertThat(Integer.parseInt(lines[i])).as("in order").isGreaterThanOrEqualTo(expected);
                expected = Integer.parseInt(lines[i]) + 1;
            }
            assertThat(expected).as("the newest are kept").isEqualTo(sent);
            assertThat(lines.length - 1 + server.stats().total().dropped()).as("received and dropped").isEqualTo(sent);
            server.close();
        }
    }

    @EveryNetwork
    void dropOldestAppliesToSendsOfOtherThreads(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.start(stage.server(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                .limits(Limits.defaults().withQueueBytesMax(100_000)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        int sent = 0;
        while (server.stats().total().dropped() < 100) {
            if (connection.offer(ByteBuffer.wrap(Client.bytes(line(sent)))) == SendResult.QUEUED) {
                sent++;
            }
        }
        connection.finish();
        int expected = 0;
        int received = 0;
        String[] lines = client.restText().split("\n", -1);
        for (int i = 0; i < lines.length - 1; i++) {
            int number = Integer.parseInt(lines[i]);
            assertThat(lines[i]).as("complete").hasSize(999);
            assertThat(number).as("in order").isGreaterThanOrEqualTo(expected);
            expected = number + 1;
            received++;
        }
        assertThat(received + server.stats().total().dropped()).as("received and dropped").isEqualTo(sent);
        client.close();
        stage.until("closed", () -> story.count("close") == 1);
        long reported = story.callbacks().stream().filter(line -> line.startsWith("dropped"))
                .mapToLong(line -> Long.parseLong(line.split(" ", 3)[1])).sum();
        assertThat(reported).isLessThanOrEqualTo(server.stats().total().dropped());
    }

    @Test
    void dropOldestIsRejectedForRawFraming() {
        assertThatThrownBy(() -> Server.builder().overflow(Overflow.DROP_OLDEST).open()).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("raw");
    }

    /** Requests that come in one piece, as with pipelining and raw framing, may have more replies than the queue's cap. */
    @EveryNetwork
    void repliesToOneMessageAreAllDeliveredHoweverManyTheyAre(Stage stage) throws IOException {
        byte[] reply = new byte[5000];
        Story story = stage.story((connection, message) -> {
            while (message.hasRemaining()) {
                if (message.get() == '\n') {
                    assertThat(connection.send(reply)).isEqualTo(SendResult.QUEUED);
                }
            }
        });
        Server server = stage.open(stage.server(story).limits(Limits.defaults().withQueueBytesMax(64 << 10)));
        Client client = stage.client(server);
        client.send("GET\n".repeat(200));
        client.receive(200 * reply.length);
        assertThat(story.count("close")).isZero();
    }

    @EveryNetwork
    void broadcastCountsOnceHoweverManyConnectionsWaitForIt(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        int length = 60_000;
        Server server = stage.open(stage.server(story).framing(Framing.lines())
                .limits(Limits.defaults().withQueueBudgetBytes(3L * length + 20L * stage.ciphertextMax())));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            clients.add(stage.client(server));
        }
        stage.until("open", () -> story.count("open") == 20);
        stage.settle(); // torture may have refused a part of a TLS handshake
        server.broadcast(ByteBuffer.allocate(length));
        assertThat(server.stats().queueBytes()).as("all of them hold it").isLessThanOrEqualTo(length + 1);
        for (Client client : clients) {
            client.receive(length + 1);
        }
        stage.settle();
        assertThat(server.stats().queueBytes()).isZero();
        assertThat(story.count("close")).isZero();
    }

    @EveryNetwork
    void exceedingTheQueueBudgetClosesTheConnection(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story)
                .limits(Stage.ROOMY.withQueueBudgetBytes(Stage.OVERSIZED_BYTES + Stage.OVERSIZED_BYTES / 2)));
        stage.client(server);
        stage.client(server);
        stage.until("open", () -> story.size() == 2);
        stage.fillSocket(story.connection(0));
        story.connection(1).send(new byte[Stage.OVERSIZED_BYTES]);
        story.connection(1).send(new byte[Stage.OVERSIZED_BYTES]);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks(story.connection(1))).containsExactly("open", "close BUDGET_EXCEEDED");
        assertHolds(stage, server, story.connection(0));
    }

    @EveryNetwork
    void partialMessagesCountAgainstTheBudget(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines())
                .limits(Limits.defaults().withMessageBytesMax(1 << 20).withQueueBudgetBytes(1_300_000)));
        for (int i = 1; i <= 3; i++) {
            Client client = stage.client(server);
            int opened = i;
            stage.until("open", () -> story.count("open") == opened); // TLS holds what arrives before, which counts, too
            client.send(new byte[400_000]);
        }
        stage.until("one is closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.BUDGET_EXCEEDED);
        stage.settle();
        assertThat(server.stats().queueBytes()).as("two buffers").isEqualTo(2 << 19);
        assertThat(server.stats().memory().input()).isEqualTo(2 << 19);
    }

    @EveryNetwork
    void onDrainedIsCalledOnceEachTimeTheQueueWasHigh(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY.withQueueMarks(1 << 20, 1000)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        for (int round = 1; round <= 3; round++) {
            stage.fillSocket(connection);
            connection.send(new byte[2 << 20]); // still above the mark: no second call
            assertThat(story.count("drained")).isEqualTo(round - 1);
            client.receive(Stage.OVERSIZED_BYTES + (2 << 20));
            int expected = round;
            stage.until("drained", () -> story.count("drained") == expected);
            stage.settle();
            assertThat(story.count("drained")).isEqualTo(expected);
        }
    }

    @EveryNetwork
    void onDrainedResumesAProducerThatStopsAtTheHighMark(Stage stage) throws IOException {
        int total = 300;
        int[] left = {total};
        Handler pump = new Handler() {
            @Override
            public void onOpen(Connection connection) {
                onDrained(connection);
            }

            @Override
            public void onDrained(Connection connection) {
                while (left[0] > 0 && !connection.queue().isHigh()) {
                    connection.send(new byte[10_000]);
                    left[0]--;
                }
                if (left[0] == 0) {
                    connection.finish();
                }
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        };
        Server server = stage.open(stage.server(pump));
        assertThat(stage.client(server).rest()).hasSize(total * 10_000);
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void onDrainedResumesAProducerOnAnotherThread(Stage stage) throws Exception {
        Object drained = new Object();
        AtomicInteger calls = new AtomicInteger();
        Story story = stage.story(new Handler() {
            @Override
            public void onDrained(Connection connection) {
                synchronized (drained) {
                    calls.incrementAndGet();
                    drained.notifyAll();
                }
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        });
        Server server = stage.start(stage.server(story).limits(Limits.defaults().withQueueMarks(30_000, 10_000)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        int messages = 3000;
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread producer = Thread.ofPlatform().start(() -> {
            try {
                for (int i = 0; i < messages; i++) {
                    assertThat(connection.send(new byte[2000])).isEqualTo(SendResult.QUEUED);
                    synchronized (drained) {
                        int before = calls.get();
                        while (connection.queue().isHigh() && calls.get() == before) {
                            drained.wait(Stage.PATIENCE.toMillis());
                            assertThat(calls.get()).as("calls of onDrained").isGreaterThan(before);
                        }
                    }
                }
                connection.finish();
            } catch (Throwable t) {
                failure.set(t);
                connection.close();
            }
        });
        assertThat(client.rest()).hasSize(messages * 2000);
        producer.join();
        assertThat(failure.get()).isNull();
    }

    @EveryNetwork(unix = true)
    void writeTimeoutClosesAPeerThatReadsNothingButNotASlowOne(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Stage.ROOMY.withWriteTimeout(Duration.ofSeconds(10))));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        stage.fillSocket(connection);
        for (int i = 0; i < 2; i++) {
            stage.pass(Duration.ofSeconds(9));
            int before = connection.queue().bytes();
            stage.until("the peer reads a little", () -> {
                client.receive(1 << 16);
                return connection.queue().bytes() < before;
            });
            stage.untilSocketFull(connection);
            assertThat(story.count("close")).isZero();
        }
        assertThat(connection.queue().oldestAge()).as("since it was sent").isEqualTo(Duration.ofSeconds(18));
        int before = connection.queue().bytes();
        int secondsWithoutProgress = 0;
        while (story.count("close") == 0) {
            assertThat(secondsWithoutProgress).isLessThan(10);
            stage.pass(Duration.ofSeconds(1));
            stage.settle();
            secondsWithoutProgress = connection.queue().bytes() == before || connection.isClosed() ? secondsWithoutProgress + 1
                    : 0;
            before = connection.isClosed() ? before : connection.queue().bytes();
        }
        assertThat(secondsWithoutProgress).isEqualTo(10);
        assertThat(story.reasons()).containsExactly(CloseReason.WRITE_TIMEOUT);
    }

    @EveryNetwork
    void oldestAgeIsTheAgeOfTheOldestQueuedMessage(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                .limits(Stage.ROOMY.withWriteTimeout(Duration.ZERO).withQueueBytesMax(Stage.OVERSIZED_BYTES + 300_000)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        assertThat(connection.queue().oldestAge()).isZero();
        stage.fillSocket(connection);
        stage.pass(Duration.ofSeconds(5));
        connection.send(new byte[200_000]);
        stage.pass(Duration.ofSeconds(5));
        connection.sendFirst(ByteBuffer.allocate(10)); // moves the partly sent message, which keeps its age
        assertThat(connection.queue().oldestAge()).isEqualTo(Duration.ofSeconds(10));
        client.receive(Stage.OVERSIZED_BYTES + 1 + 10 + 1 + 200_000 + 1);
        assertThat(connection.queue().oldestAge()).isZero();
    }

    @Test
    void marksMustBeOrdered() {
        assertThatThrownBy(() -> Limits.defaults().withQueueMarks(10, 20)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Limits.defaults().withQueueMarks(0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Limits.defaults().withQueueMarks(2 << 20, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThat(Limits.defaults().withQueueBytesMax(100).queueHighBytes()).isEqualTo(100);
    }

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void messageSentConcurrentlyWithFinishIsDeliveredOrRejected(Stage stage) throws Exception {
        for (int round = 0; round < 12; round++) {
            Story story = stage.story(SILENT);
            Server server = stage.start(stage.server(story).framing(Framing.lines()));
            Client client = stage.client(server);
            stage.until("open", () -> story.size() == 1);
            Connection connection = story.connection(0);
            AtomicInteger queued = new AtomicInteger();
            CountDownLatch ready = new CountDownLatch(1);
            Thread sender = Thread.ofPlatform().start(() -> {
                ByteBuffer message = ByteBuffer.allocate(1);
                SendResult result = SendResult.QUEUED;
                while (result != SendResult.CLOSED) {
                    result = connection.offer(message.clear());
                    queued.addAndGet(result == SendResult.QUEUED ? 1 : 0);
                    ready.countDown();
                }
            });
            ready.await();
            connection.finish();
            sender.join();
            assertThat(client.rest().length).as("bytes of messages that were queued").isEqualTo(2 * queued.get());
            client.close();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(CloseReason.FINISHED);
            server.close();
        }
    }

    @Test
    void shortSharedMessagesAreCollectedInFewBuffers() {
        Lane lane = new Lane(LoopParts.pool(new Budget(1 << 20)));
        for (int i = 0; i < 60; i++) {
            SharedMessage message = new SharedMessage(new Budget(1), new SharedBuffers(0),
                    ByteBuffer.allocateDirect(2).put((byte) i).put((byte) ~i).flip());
            lane.putShared(Chunk.ofShared(message, 0), 0);
        }
        assertThat(lane.messages()).isEqualTo(60);
        assertThat(lane.bytes()).isEqualTo(120);
        ByteBuffer[] parts = new ByteBuffer[64];
        int count = lane.parts(parts, 0);
        assertThat(count).isLessThanOrEqualTo(2);
        int next = 0;
        for (int i = 0; i < count; i++) {
            for (int at = parts[i].position(); at < parts[i].limit(); at++, next++) {
                assertThat(parts[i].get(at)).isEqualTo((byte) (next % 2 == 0 ? next / 2 : ~(next / 2)));
            }
        }
        assertThat(next).isEqualTo(120);
    }

    @EveryNetwork
    void messagesSubmittedByAnotherThreadCountAgainstTheBudget(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story)
                .limits(Limits.defaults().withQueueBytesMax(8 << 20).withQueueBudgetBytes(1 << 20)));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        List<SendResult> results = new ArrayList<>();
        Thread sender = Thread.ofPlatform().start(() -> { // while the loop does not turn
            for (int i = 0; i < 32; i++) {
                results.add(story.connection(0).send(new byte[64 << 10]));
            }
        });
        sender.join();
        assertThat(server.stats().queueBytes()).isLessThanOrEqualTo(1 << 20);
        assertThat(results.subList(0, 15)).containsOnly(SendResult.QUEUED);
        assertThat(results.subList(15, 32)).as("beyond 1 MiB with their tasks").doesNotContain(SendResult.QUEUED);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.BUDGET_EXCEEDED);
    }
}
