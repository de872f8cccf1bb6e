package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Completions;
import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The server on a {@link LateProactor}, which completes late and in any order, also after a stop, as a ring of the kernel does.
 */
final class LateCompletionsTest {
    private static final int TURNS_MAX = 200_000;
    private static final Handler SILENT = (connection, message) -> {};

    /** A server on a late network. On close, checks that nothing is left queued and that no rule of the proactor was violated. */
    private static final class Scene implements AutoCloseable {
        final LateNetwork network;
        final Story story;
        private final Server server;

        Scene(Random random, boolean alwaysPending, Handler handler, Framing framing, Limits limits, Overflow overflow)
                throws IOException {
            network = new LateNetwork(random, alwaysPending);
            story = new Story(handler);
            server = Server.builder().network(network).listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 80))
                    .framing(framing).limits(limits).overflow(overflow).handler(story).open();
        }

        void until(String what, Stage.Condition condition) throws IOException {
            for (int i = 0; !condition.holds(); i++) {
                assertThat(i).as("turns until: %s", what).isLessThan(TURNS_MAX);
                server.turn(Duration.ZERO);
            }
        }

        void turns(int count) throws IOException {
            for (int i = 0; i < count; i++) {
                server.turn(Duration.ZERO);
            }
        }

        @Override
        public void close() {
            server.close();
            story.assertInOrder();
            story.assertAllClosed();
            for (int i = 0; i < story.size(); i++) {
                assertThat(story.connection(i).queue().bytes()).isZero();
                assertThat(story.connection(i).queue().messages()).isZero();
            }
            assertThat(server.stats().queueBytes()).isZero();
            assertThat(network.late().violations()).isEmpty();
        }
    }

    @Test
    void echoIsUnchangedWithEveryFraming() throws Exception {
        for (ReferenceFraming frames : ReferenceFraming.ALL_BUT_RAW) {
            Seeded.run(6, random -> {
                Handler echo = (connection, message) -> {
                    switch (random.nextInt(3)) {
                        case 0 -> connection.send(message);
                        case 1 -> connection.send(message.slice());
                        default -> connection.send(ByteBuffer.allocate(message.remaining()).put(message).flip());
                    }
                };
                try (Scene scene = new Scene(random, random.nextBoolean(), echo, frames.framing(),
                        Limits.defaults().withMessageBytesMax(200_000), Overflow.PAUSE_READING)) {
                    List<LatePeer> peers = new ArrayList<>();
                    List<byte[]> sent = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        List<byte[]> messages = new ArrayList<>();
                        for (int j = 0; j < 60; j++) {
                            messages.add(frames.message(random, 1 << random.nextInt(j % 20 == 19 ? 17 : 12)));
                        }
                        peers.add(scene.network.peer());
                        sent.add(frames.framed(messages));
                        peers.getLast().send(sent.getLast());
                        peers.getLast().finish();
                    }
                    for (int i = 0; i < 3; i++) {
                        LatePeer peer = peers.get(i);
                        scene.until("end of input", peer::outputHasEnded);
                        assertThat(peer.received()).as("%s", frames).isEqualTo(sent.get(i));
                    }
                    scene.until("closed", () -> scene.story.count("close") == 3);
                    assertThat(scene.story.reasons()).containsOnly(CloseReason.PEER_FINISHED);
                }
            });
        }
    }

    @Test
    void pausingKeepsRepliesBelowTheCapEvenIfReceivingStopsLate() throws Exception {
        Seeded.run(20, random -> {
            Limits limits = Limits.defaults().withQueueBytesMax(100_000).withQueueMarks(50_000, 20_000);
            byte[] reply = FramedEchoTest.patterned(10_000);
            List<Integer> levels = new ArrayList<>();
            Handler answering = (connection, message) -> {
                levels.add(connection.queue().bytes());
                assertThat(connection.send(reply)).isEqualTo(SendResult.QUEUED);
            };
            try (Scene scene = new Scene(random, random.nextBoolean(), answering, Framing.lines(), limits,
                    Overflow.PAUSE_READING)) {
                LatePeer peer = scene.network.peer();
                peer.reads(false);
                int requests = 500;
                peer.send(Client.bytes("?\n".repeat(requests)));
                peer.finish();
                scene.turns(2000);
                assertThat(levels.size()).isLessThan(requests);
                peer.reads(true);
                scene.until("answered", () -> peer.receivedBytes() == requests * 10_001);
                assertThat(levels).hasSize(requests).allMatch(level -> level < 50_000);
                scene.until("closed", () -> scene.story.count("close") == 1);
                assertThat(scene.story.reasons()).containsExactly(CloseReason.PEER_FINISHED);
            }
        });
    }

    @Test
    void inputCompletedBeforeAStopIsHeldCountedAndDeliveredLater() throws Exception {
        Seeded.run(10, random -> {
            int bytes = 3 * LateProactor.COMPLETED_BYTES_MAX;
            int[] got = {0};
            int[] pauseAt = {100_000};
            byte[] sent = new byte[bytes];
            random.nextBytes(sent);
            Handler handler = (connection, message) -> {
                byte[] piece = new byte[message.remaining()];
                message.get(piece);
                assertThat(piece).isEqualTo(Arrays.copyOfRange(sent, got[0], got[0] + piece.length));
                got[0] += piece.length;
                if (got[0] >= pauseAt[0]) {
                    connection.pauseReading();
                }
            };
            try (Scene scene = new Scene(random, true, handler, Framing.raw(), Limits.defaults(), Overflow.PAUSE_READING)) {
                LatePeer peer = scene.network.peer();
                peer.send(sent);
                scene.until("paused", () -> got[0] >= pauseAt[0]);
                Connection connection = scene.story.connection(0);
                while (got[0] < bytes) {
                    int given = got[0];
                    scene.turns(300);
                    assertThat(got[0]).as("nothing is delivered while reading is paused").isEqualTo(given);
                    assertThat(scene.network.late().completedBytes(peer)).as("all that had completed was delivered").isZero();
                    int held = connection.partialInput() == null ? 0 : connection.partialInput().bytes();
                    assertThat(scene.server.stats().queueBytes()).as("held input counts")
                            .isEqualTo(held == 0 ? 0 : connection.partialInput().heldBytes());
                    assertThat(held).isEqualTo(bytes - peer.available() - got[0]);
                    pauseAt[0] = got[0] + 300_000;
                    connection.resumeReading();
                    scene.until("delivered", () -> got[0] >= Math.min(bytes, pauseAt[0]));
                }
                scene.turns(100);
                assertThat(scene.server.stats().queueBytes()).isZero();
            }
        });
    }

    @Test
    void lateInputThatExceedsTheBudgetClosesTheConnection() throws Exception {
        Seeded.run(10, random -> {
            Handler handler = (connection, message) -> connection.pauseReading();
            Limits limits = Limits.defaults().withQueueBudgetBytes(300_000);
            try (Scene scene = new Scene(random, true, handler, Framing.lines(), limits, Overflow.PAUSE_READING)) {
                scene.network.late().completeAtOnce();
                for (int i = 0; i < 4; i++) {
                    scene.network.peer().send(Client.bytes("x\n".repeat(400_000)));
                }
                scene.until("all are closed", () -> {
                    assertThat(scene.server.stats().queueBytes()).isLessThanOrEqualTo(300_000);
                    return scene.story.count("close") == 4;
                });
                assertThat(scene.story.reasons()).containsOnly(CloseReason.BUDGET_EXCEEDED);
            }
        });
    }

    @Test
    void memoryOfAPendingSendIsNotReusedUntilTheConnectionIsReleased() throws Exception {
        Seeded.run(20, random -> {
            Handler echo = (connection, message) -> {
                connection.send(message);
                if (random.nextInt(20) == 0) {
                    connection.close();
                }
            };
            try (Scene scene = new Scene(random, true, echo, Framing.lines(), Limits.defaults(), Overflow.PAUSE_READING)) {
                for (int round = 0; round < 60; round++) {
                    LatePeer peer = scene.network.peer();
                    peer.reads(random.nextBoolean());
                    for (int i = 0; i < 20; i++) {
                        peer.send(ReferenceFraming.LINES.framed(ReferenceFraming.LINES.message(random, 1 << random.nextInt(14))));
                    }
                    if (random.nextInt(3) == 0) {
                        peer.reset();
                    }
                    scene.turns(random.nextInt(20));
                }
                scene.turns(500);
            }
        });
    }

    @Test
    void lateCallsAndCompletionsOfAClosedConnectionDoNotReachTheNewOwnerOfItsSlot() throws Exception {
        Seeded.run(20, random -> {
            Handler echo = (connection, message) -> connection.send(message);
            try (Scene scene = new Scene(random, random.nextBoolean(), echo, Framing.lines(), Limits.defaults(),
                    Overflow.PAUSE_READING)) {
                LatePeer first = scene.network.peer();
                scene.until("open", () -> scene.story.size() == 1);
                Connection gone = scene.story.connection(0);
                long stale = gone.handle;
                first.finish();
                scene.until("released", first::isClosed);
                LatePeer second = scene.network.peer();
                scene.until("open", () -> scene.story.size() == 2);
                Connection current = scene.story.connection(1);
                assertThat(Proactor.slot(current.handle)).isEqualTo(Proactor.slot(stale));
                assertThat(current.handle).isNotEqualTo(stale);
                assertThat(current.id()).isNotEqualTo(gone.id());

                assertThat(gone.send("lost")).isEqualTo(SendResult.CLOSED);
                gone.pauseReading();
                gone.finishOutput();
                gone.finish();
                gone.close();
                Completions loop = scene.server.loops().getFirst().dispatcher();
                ByteBuffer memory = ByteBuffer.allocateDirect(2).put(0, Client.bytes("!\n"));
                loop.received(stale, memory, 0, 2);
                loop.inputEnded(stale);
                loop.sent(stale, 7);
                loop.failed(stale, new IOException("of the previous owner of the slot"));
                loop.closed(stale);

                second.send(Client.bytes("hello\n"));
                scene.until("echoed", () -> second.receivedBytes() == 6);
                assertThat(scene.story.callbacks(current)).containsExactly("open", "message hello");
                assertThat(scene.server.connections()).hasSize(1);
            }
        });
    }

    @Test
    void orderIsKeptWhileSendsArePending() throws Exception {
        Seeded.run(40, random -> {
            Story[] story = new Story[1];
            List<byte[]> first = new ArrayList<>();
            List<byte[]> rest = new ArrayList<>();
            try (Scene scene = new Scene(random, random.nextInt(4) == 0, SILENT, Framing.lengthPrefixed(4),
                    Limits.defaults().withQueueBytesMax(64 << 20), Overflow.PAUSE_READING)) {
                story[0] = scene.story;
                LatePeer peer = scene.network.peer();
                scene.until("open", () -> scene.story.size() == 1);
                Connection connection = scene.story.connection(0);
                peer.reads(false);
                for (int i = 0; i < 300; i++) {
                    byte[] message = new byte[5 + random.nextInt(1 << random.nextInt(17))];
                    random.nextBytes(message);
                    boolean ahead = random.nextInt(4) == 0;
                    message[0] = (byte) (ahead ? 1 : 0);
                    (ahead ? first : rest).add(message);
                    ByteBuffer buffer = ByteBuffer.wrap(message);
                    if (ahead) {
                        connection.sendFirst(buffer);
                    } else if (random.nextInt(3) == 0) {
                        scene.server.broadcast(buffer);
                    } else {
                        connection.send(buffer);
                    }
                    if (random.nextInt(3) == 0) {
                        scene.turns(1);
                    }
                    if (random.nextInt(30) == 0) {
                        peer.reads(random.nextBoolean());
                    }
                }
                peer.reads(true);
                connection.finish();
                scene.until("end of input", peer::outputHasEnded);
                List<byte[]> got = ReferenceFraming.ALL_BUT_RAW.getLast().messages(peer.received());
                assertThat(got.stream().filter(message -> message[0] == 1).toList())
                        .usingElementComparator(Arrays::compare).containsExactlyElementsOf(first);
                assertThat(got.stream().filter(message -> message[0] == 0).toList())
                        .usingElementComparator(Arrays::compare).containsExactlyElementsOf(rest);
            }
        });
    }

    @Test
    void dropOldestDropsCompleteMessagesWhileSendsArePending() throws Exception {
        Seeded.run(30, random -> {
            try (Scene scene = new Scene(random, random.nextBoolean(), SILENT, Framing.lengthPrefixed(4),
                    Limits.defaults().withQueueBytesMax(300_000), Overflow.DROP_OLDEST)) {
                LatePeer peer = scene.network.peer();
                scene.until("open", () -> scene.story.size() == 1);
                Connection connection = scene.story.connection(0);
                int sent = 0;
                for (int i = 0; i < 1000; i++) {
                    peer.reads(random.nextInt(3) == 0);
                    byte[] message = new byte[4 + random.nextInt(20_000)];
                    ByteBuffer.wrap(message).putInt(i);
                    if (connection.offer(ByteBuffer.wrap(message)) == SendResult.QUEUED) {
                        sent++;
                    }
                    assertThat(connection.queue().bytes()).isLessThanOrEqualTo(300_000);
                    if (random.nextInt(4) == 0) {
                        scene.turns(1);
                    }
                }
                peer.reads(true);
                connection.finish();
                scene.until("end of input", peer::outputHasEnded);
                List<Integer> numbers = ReferenceFraming.ALL_BUT_RAW.getLast().messages(peer.received()).stream()
                        .map(message -> ByteBuffer.wrap(message).getInt()).toList();
                assertThat(numbers).isSorted().doesNotHaveDuplicates();
                assertThat(numbers.size() + scene.server.stats().total().dropped()).isEqualTo(sent);
            }
        });
    }

    @Test
    void stuckPendingSendHasAWriteTimeoutAndAnAge() throws Exception {
        for (int bytes : new int[]{300_000, 1000}) { // from the send queue, and as a direct reply
            Seeded.run(5, random -> {
                Handler handler = (connection, message) -> connection.send(new byte[bytes]);
                try (Scene scene = new Scene(random, true, handler, Framing.lines(),
                        Limits.defaults().withWriteTimeout(Duration.ofSeconds(10)).withQueueMarks(1 << 20, 1 << 20),
                        Overflow.PAUSE_READING)) {
                    LatePeer peer = scene.network.peer();
                    peer.reads(false);
                    peer.deliver(new byte[LatePeer.WINDOW_BYTES]); // the window is full
                    peer.send(Client.bytes("?\n"));
                    scene.until("the request is received", () -> scene.story.count("message") == 1);
                    scene.turns(50);
                    Connection connection = scene.story.connection(0);
                    assertThat(scene.server.loops().getFirst().pendingSend(connection)).isNotNull();
                    scene.network.step(Duration.ofSeconds(9));
                    scene.turns(50);
                    assertThat(connection.queue().oldestAge()).isEqualTo(Duration.ofSeconds(9));
                    assertThat(connection.state()).isEqualTo(ConnectionState.OPEN);
                    scene.network.step(Duration.ofSeconds(1));
                    scene.until("closed", () -> scene.story.count("close") == 1);
                    assertThat(scene.story.reasons()).containsExactly(CloseReason.WRITE_TIMEOUT);
                }
            });
        }
    }

    @Test
    void closeWaitsForBytesAcceptedByTheProactorButNotYetSent() throws Exception {
        for (boolean readsAtLast : new boolean[]{true, false}) {
            Seeded.run(5, random -> {
                Handler handler = (connection, message) -> connection.send(message);
                try (Scene scene = new Scene(random, true, handler, Framing.lines(),
                        Limits.defaults().withWriteTimeout(Duration.ofSeconds(10)), Overflow.PAUSE_READING)) {
                    LatePeer peer = scene.network.peer();
                    peer.reads(false);
                    peer.deliver(new byte[LatePeer.WINDOW_BYTES]); // the window is full
                    scene.until("open", () -> scene.story.size() == 1);
                    scene.network.late().acceptEarly();
                    peer.send(Client.bytes("all of it\n"));
                    peer.finish();
                    scene.until("answered", () -> scene.story.count("message") == 1);
                    scene.turns(200);
                    scene.network.step(Duration.ofSeconds(9));
                    scene.turns(200);
                    assertThat(scene.story.count("close")).isZero();
                    if (readsAtLast) {
                        peer.reads(true);
                        scene.until("closed", () -> scene.story.count("close") == 1);
                        assertThat(scene.story.reasons()).containsExactly(CloseReason.PEER_FINISHED);
                        assertThat(peer.receivedBytes()).isEqualTo(LatePeer.WINDOW_BYTES + 10);
                    } else {
                        scene.network.step(Duration.ofSeconds(1));
                        scene.until("closed", () -> scene.story.count("close") == 1);
                        assertThat(scene.story.reasons()).containsExactly(CloseReason.WRITE_TIMEOUT);
                    }
                }
            });
        }
    }

    @Test
    void connectsCanCompleteLate() throws Exception {
        Seeded.run(20, random -> {
            Story made = new Story((connection, message) -> connection.finish());
            try (Scene scene = new Scene(random, random.nextBoolean(), SILENT, Framing.lines(), Limits.defaults(),
                    Overflow.PAUSE_READING)) {
                InetAddress host = InetAddress.ofLiteral("10.0.0.9");
                scene.server.connect(new InetSocketAddress(host, 7), made).send("hello");
                scene.server.connect(new InetSocketAddress(host, 1), made).send("no listener");
                Connection impatient = scene.server.connect(new InetSocketAddress(host, 8), made);
                scene.turns(random.nextInt(3));
                impatient.close();
                scene.until("connected", () -> scene.network.connected().stream().anyMatch(peer -> peer.address.getPort() == 7));
                LatePeer peer = scene.network.connected().stream().filter(called -> called.address.getPort() == 7).findFirst()
                        .orElseThrow();
                scene.until("received", () -> peer.receivedBytes() == 6);
                peer.send(Client.bytes("bye\n"));
                peer.finish();
                scene.until("closed", () -> made.count("close") == 3);
                assertThat(made.reasons()).hasSize(3).contains(CloseReason.CONNECT_FAILED, CloseReason.CLOSED);
                assertThat(made.callbacks(made.connection(0))).isNotEmpty();
            }
            made.assertInOrder();
            made.assertAllClosed();
        });
    }

    @Test
    void randomOperationsLoseDuplicateAndLeakNothing() throws Exception {
        Seeded.run(40, random -> {
            Handler handler = new Handler() {
                @Override
                public void onMessage(Connection connection, ByteBuffer message) {
                    switch (random.nextInt(40)) {
                        case 0 -> connection.pauseReading();
                        case 1 -> connection.finish();
                        case 2 -> connection.close();
                        case 3 -> throw new IllegalStateException("random failure");
                        case 4 -> connection.finishOutput();
                        case 5 -> connection.schedule(Duration.ofSeconds(1), connection::resumeReading);
                        default -> connection.send(message);
                    }
                }

                @Override
                public void onDrained(Connection connection) {
                    connection.resumeReading();
                }
            };
            try (LogLines log = new LogLines();
                    Scene scene = new Scene(random, random.nextBoolean(), handler, Framing.lines(),
                            Limits.defaults().withQueueBytesMax(200_000).withQueueBudgetBytes(3_000_000),
                            List.of(Overflow.values()).get(random.nextInt(3)))) {
                List<LatePeer> peers = new ArrayList<>();
                List<StringBuilder> sent = new ArrayList<>();
                for (int step = 0; step < 1500; step++) {
                    if (peers.isEmpty() || random.nextInt(40) == 0) {
                        peers.add(scene.network.peer());
                        sent.add(new StringBuilder());
                    }
                    int index = random.nextInt(peers.size());
                    LatePeer peer = peers.get(index);
                    switch (random.nextInt(12)) {
                        case 0 -> peer.reads(random.nextBoolean());
                        case 1 -> peer.finish();
                        case 2 -> {
                            if (random.nextInt(10) == 0) {
                                peer.reset();
                            }
                        }
                        case 3 -> scene.network.step(Duration.ofMillis(random.nextInt(500)));
                        default -> {
                            String line = index + " " + step + " " + "x".repeat(random.nextInt(1 << random.nextInt(14))) + "\n";
                            sent.get(index).append(line);
                            peer.send(Client.bytes(line));
                        }
                    }
                    scene.turns(random.nextInt(3));
                }
                for (int i = 0; i < scene.story.size(); i++) {
                    scene.story.connection(i).resumeReading();
                }
                peers.forEach(peer -> peer.reads(true));
                peers.forEach(LatePeer::finish);
                scene.server.drain(Duration.ofSeconds(30));
                for (int i = 0; !scene.server.isClosed(); i++) {
                    scene.turns(1);
                    if (i % 200 == 199) {
                        scene.network.step(Duration.ofSeconds(1));
                    }
                    assertThat(i).as("turns until it is closed").isLessThan(TURNS_MAX);
                }
                assertThat(log.lines("has stopped")).isEmpty();
                for (int i = 0; i < peers.size(); i++) {
                    assertIsSubsequenceOfLines(new String(peers.get(i).received(), StandardCharsets.ISO_8859_1),
                            sent.get(i).toString());
                }
            }
        });
    }

    /** Checks that the received lines were sent, in this order, each once; the last one may be truncated. */
    private static void assertIsSubsequenceOfLines(String received, String sent) {
        int at = 0;
        String[] lines = received.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            boolean last = i == lines.length - 1;
            int found = sent.indexOf(last ? lines[i] : lines[i] + "\n", at);
            assertThat(found).as("received line %d, position in the lines sent: %.30s", i, lines[i]).isNotNegative();
            at = found + lines[i].length();
        }
    }
}
