package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.TortureNetwork;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Relays: the input of a connection is sent to another one, in order, without loss, and is complete or visibly cut. */
final class RelayTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final Duration WRITE = Duration.ofSeconds(10);
    private static final byte[] OVERSIZED = FramedEchoTest.patterned(Stage.OVERSIZED_BYTES);
    /** What may be held of a relay: one receive; on a ring, also what had completed when receiving stopped. */
    private static final int HELD_BYTES_MAX = 1 << 20;

    private static final int CHUNK_BYTES = 256 * 1024;

    private final Transferred transferred = new Transferred();

    /** Two clients of one loop: the relays are between their connections. */
    private record Pair(Stage stage, Server server, Story story, Client left, Client right, Connection ofLeft,
            Connection ofRight) {
        static Pair of(Stage stage, ServerBuilder builder, Story story) throws IOException {
            Server server = stage.open(builder);
            Client left = stage.client(server);
            stage.until("left", () -> story.size() == 1);
            Client right = stage.client(server);
            stage.until("right", () -> story.size() == 2);
            return new Pair(stage, server, story, left, right, story.connection(0), story.connection(1));
        }

        static Pair of(Stage stage, Framing framing) throws IOException {
            Story story = stage.story(SILENT);
            return of(stage, stage.server(story).framing(framing), story);
        }

        void untilClosed() throws IOException {
            stage.until("both are closed", () -> story.count("close") == 2);
        }
    }

    @EveryNetwork(unix = true)
    void inputIsSentInOrderWithMessages(Stage stage) throws IOException {
        AtomicReference<Connection> target = new AtomicReference<>();
        Story story = stage.story((connection, message) -> {
            Connection other = target.get();
            other.send("before");
            assertThat(connection.relayTo(other, -1, transferred)).isEqualTo(SendResult.QUEUED);
            other.send("after");
            other.sendFirst("first");
        });
        Pair pair = Pair.of(stage, stage.server(story).framing(Framing.lines()), story);
        target.set(pair.ofRight);
        pair.left.send("relay\nnot a line, ");
        assertThat(pair.right.line()).isEqualTo("before");
        pair.right.expect("not a line, ");
        pair.left.send("and a line\n");
        pair.right.expect("and a line\n");
        assertThat(transferred.count()).isZero();
        pair.left.finish();
        assertThat(pair.right.line()).isEqualTo("first");
        assertThat(pair.right.line()).isEqualTo("after");
        assertThat(transferred.ends()).containsExactly("23 complete");
        stage.until("the source ends as without a relay", () -> story.callbacks(pair.ofLeft).contains("end"));
        assertThat(story.callbacks(pair.ofLeft)).as("no message").filteredOn(line -> line.startsWith("message")).hasSize(1);
        assertThat(pair.ofRight.queue().messages()).isZero();
        assertThat(pair.ofRight.snapshot().bytesOut()).isEqualTo(7 + 23 + 6 + 6);
        assertThat(pair.ofLeft.snapshot().bytesIn()).isEqualTo(6 + 23);
    }

    @EveryNetwork
    void relayedBytesCountAsTheFirstMessage(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Pair pair = Pair.of(stage, stage.steppedServer(story)
                .limits(Limits.defaults().withFirstMessageTimeout(Duration.ofSeconds(5))), story);
        pair.right.send("message");
        stage.until("the target has received its first message", () -> story.count("message") == 1);
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        pair.left.send("relayed");
        pair.right.expect("relayed");
        stage.pass(Duration.ofMinutes(1));
        stage.settle();
        assertThat(story.count("close")).isZero();
    }

    @EveryNetwork
    void messagesFollowACountedRelayWhereverTheStreamIsCut(Stage stage) throws IOException {
        AtomicReference<Connection> target = new AtomicReference<>();
        Story story = stage.story((connection, message) -> {
            String text = Story.text(message);
            if (text.startsWith("relay ")) {
                connection.relayTo(target.get(), Long.parseLong(text.substring(6)), transferred);
            } else {
                target.get().send("[" + text + "]");
            }
        });
        Pair pair = Pair.of(stage, stage.server(story).framing(Framing.lines()), story);
        target.set(pair.ofRight);
        String stream = "relay 6\nhe\nlloone\nrelay 0\nrelay 1\n\ntwo\n";
        for (int cut = 1; cut < stream.length(); cut++) {
            pair.left.send(stream.substring(0, cut));
            stage.settle();
            pair.left.send(stream.substring(cut));
            pair.right.expect("he\nllo[one]\n\n[two]\n");
        }
        assertThat(transferred.ends()).startsWith("6 complete", "0 complete", "1 complete").doesNotContain("6 cut", "1 cut");
    }

    /** What follows the message is input of the relay; the message is not, whether or not it has arrived at once. */
    @EveryNetwork
    void aConnectionThatIsFinishedInTheSameCallIsRelayed(Stage stage) throws IOException {
        String stream = "relay\nrest";
        for (int cut = 1; cut <= stream.length(); cut++) {
            AtomicReference<Connection> target = new AtomicReference<>();
            Story story = stage.story((connection, message) -> {
                connection.relayTo(target.get(), -1, transferred);
                connection.finish();
            });
            Pair pair = Pair.of(stage, stage.server(story).framing(Framing.lines()), story);
            target.set(pair.ofRight);
            pair.left.send(stream.substring(0, cut));
            stage.settle();
            pair.left.send(stream.substring(cut));
            pair.right.expect("rest");
            pair.left.finish();
            int ended = cut;
            stage.until("the relay ends", () -> transferred.count() == ended);
            assertThat(transferred.ends()).containsOnly("4 complete");
            pair.server.close();
        }
    }

    /** The listener of a relay may start the next one, as a proxy of a protocol with lengths does. */
    @EveryNetwork
    void relayMayFollowARelay(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.lines());
        AtomicInteger left = new AtomicInteger(2000);
        TransferListener again = new TransferListener() {
            @Override
            public void done(Connection connection, long bytes, IOException failure) {
                if (failure == null && left.decrementAndGet() > 0) {
                    assertThat(pair.ofLeft.relayTo(pair.ofRight, 3, this)).isEqualTo(SendResult.QUEUED);
                }
            }
        };
        pair.ofLeft.relayTo(pair.ofRight, 3, again);
        pair.left.send("abc".repeat(1000));
        pair.right.expect("abc".repeat(1000));
        pair.left.send("def".repeat(1000) + "message\n");
        pair.right.expect("def".repeat(1000));
        stage.until("messages follow", () -> pair.story.count("message message") == 1);
    }

    @EveryNetwork(unix = true)
    void manyBytesPassInBothDirectionsAtOnce(Stage stage) throws IOException, NoSuchAlgorithmException {
        long seed = System.nanoTime();
        boolean isReal = !(stage.network() instanceof SimNetwork || stage.network() instanceof TortureNetwork);
        byte[] bytes = new byte[isReal ? 64 << 20 : 4 << 20];
        new Random(seed).nextBytes(bytes);
        Pair pair = Pair.of(stage, Framing.raw());
        assertThat(pair.ofLeft.relayTo(pair.ofRight)).isEqualTo(SendResult.QUEUED);
        assertThat(pair.ofRight.relayTo(pair.ofLeft)).isEqualTo(SendResult.QUEUED);
        MessageDigest atLeft = MessageDigest.getInstance("SHA-256");
        MessageDigest atRight = MessageDigest.getInstance("SHA-256");
        int[] sent = new int[2];
        long[] received = new long[2];
        stage.until("everything has passed", () -> {
            sent[0] += sendChunk(pair.left, bytes, sent[0]);
            sent[1] += sendChunk(pair.right, bytes, sent[1]);
            received[0] += update(atLeft, pair.left.available());
            received[1] += update(atRight, pair.right.available());
            return received[0] + received[1] == 2L * bytes.length;
        });
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
        assertThat(atLeft.digest()).as("to the left, seed " + seed).isEqualTo(digest);
        assertThat(atRight.digest()).as("to the right, seed " + seed).isEqualTo(digest);
        pair.left.finish();
        pair.right.expectEnd();
        assertThat(pair.left.restText()).isEmpty();
        pair.untilClosed();
        assertThat(pair.story.reasons()).containsOnly(CloseReason.PEER_FINISHED);
    }

    private static int sendChunk(Client client, byte[] bytes, int from) throws IOException {
        byte[] chunk = Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + CHUNK_BYTES));
        return chunk.length == 0 ? 0 : client.sendSome(chunk, 0);
    }

    private static int update(MessageDigest digest, byte[] bytes) {
        digest.update(bytes);
        return bytes.length;
    }

    @EveryNetwork(unix = true)
    void halfCloseIsPassedOnThroughAProxy(Stage stage) throws IOException {
        Story upstream = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer line) {
                connection.send("echo " + Story.text(line));
            }

            @Override
            public void onEndOfInput(Connection connection) {
                connection.send("bye");
                connection.finish();
            }
        });
        Server far = stage.open(stage.server(upstream).framing(Framing.lines()));
        Story outgoing = stage.story(SILENT);
        Story story = stage.story(new Handler() {
            @Override
            public void onOpen(Connection client) {
                Connection target = client.connect(far.address(), stage.outgoing(Protocol.of(Framing.raw(), outgoing)), client);
                assertThat(target.attachment()).isSameAs(client);
                assertThat(client.relayTo(target)).isEqualTo(SendResult.QUEUED);
                assertThat(target.relayTo(client)).isEqualTo(SendResult.QUEUED);
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                throw new IllegalStateException("not called");
            }
        });
        Server proxy = stage.open(stage.server(story));
        Client client = stage.client(proxy);
        client.send("one\ntwo\n");
        client.expect("echo one\necho two\n");
        client.finish();
        assertThat(client.restText()).isEqualTo("bye\n");
        stage.until("closed", () -> story.count("close") == 1 && outgoing.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.PEER_FINISHED);
        assertThat(outgoing.reasons()).containsExactly(CloseReason.PEER_FINISHED);
    }

    @EveryNetwork
    void noMoreIsReceivedThanASlowTargetTakes(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.raw());
        pair.ofRight.send("before;");
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        byte[] bytes = Client.join(OVERSIZED, OVERSIZED);
        int[] sent = new int[1];
        int[] quiet = new int[1];
        stage.until("everything is full", () -> {
            int some = sendChunk(pair.left, bytes, sent[0]);
            sent[0] += some;
            stage.settle();
            quiet[0] = some > 0 ? 0 : quiet[0] + 1;
            return quiet[0] > 3;
        });
        assertThat(sent[0]).as("the source is slowed down").isLessThan(bytes.length);
        assertThat(pair.ofLeft.snapshot().interestReason()).contains("relay");
        assertThat(pair.server.stats().queueBytes()).isBetween(0L, (long) HELD_BYTES_MAX);
        assertThat(pair.ofRight.queue().bytes()).as("a relay counts as a small message").isLessThanOrEqualTo(1024);
        pair.right.expect("before;");
        byte[] received = new byte[bytes.length];
        int[] got = new int[1];
        stage.until("everything has arrived", () -> {
            sent[0] += sendChunk(pair.left, bytes, sent[0]);
            byte[] some = pair.right.available();
            System.arraycopy(some, 0, received, got[0], some.length);
            got[0] += some.length;
            return got[0] == bytes.length;
        });
        assertThat(received).isEqualTo(bytes);
        pair.left.finish();
        stage.until("notified", () -> transferred.count() == 1);
        assertThat(transferred.ends()).containsExactly(bytes.length + " complete");
        stage.settle();
        assertThat(pair.server.stats().queueBytes()).isZero();
    }

    @EveryNetwork
    void targetThatAcceptsNothingEndsAfterTheWriteTimeout(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Pair pair = Pair.of(stage, stage.steppedServer(story).limits(Limits.defaults().withWriteTimeout(WRITE)), story);
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        pair.left.send("some");
        pair.right.expect("some");
        stage.pass(WRITE.multipliedBy(3)); // the source has nothing: the target is not to blame
        stage.settle();
        assertThat(transferred.count()).isZero();
        int[] sent = new int[1];
        stage.until("closed", () -> {
            sent[0] += sendChunk(pair.left, OVERSIZED, sent[0]);
            stage.settle();
            boolean isFull = pair.ofLeft.is(ConnectionRecord.PAUSED_BY_RELAY);
            stage.pass(isFull ? WRITE : Duration.ofMillis(1));
            stage.settle();
            return transferred.count() == 1 || sent[0] == OVERSIZED.length;
        });
        pair.untilClosed();
        assertThat(story.reasons()).containsExactlyInAnyOrder(CloseReason.WRITE_TIMEOUT, CloseReason.TRANSFER_FAILED);
        assertThat(story.callbacks(pair.ofRight)).endsWith("close WRITE_TIMEOUT");
        assertThat(pair.right.endsInOrder()).isFalse();
        assertThat(pair.left.endsInOrder()).isFalse();
    }

    @EveryNetwork
    void cutSourceCutsTheTarget(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.raw());
        pair.ofRight.relayTo(pair.ofLeft, -1, transferred);
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        pair.left.send("some");
        pair.right.expect("some");
        pair.left.reset();
        assertThat(pair.right.endsInOrder()).isFalse();
        pair.untilClosed();
        assertThat(pair.story.callbacks(pair.ofLeft)).endsWith("close RESET");
        assertThat(pair.story.callbacks(pair.ofRight)).endsWith("close TRANSFER_FAILED");
        assertThat(transferred.ends()).containsExactlyInAnyOrder("4 cut", "0 cut");
        assertThat(pair.ofRight.failure()).hasMessageContaining("was cut");
    }

    @EveryNetwork
    void cutTargetCutsTheSource(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.raw());
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        pair.left.send("some");
        pair.right.expect("some");
        pair.right.reset();
        stage.until("the next bytes are refused", () -> {
            if (pair.story.count("close") == 0) {
                pair.left.sendSome(new byte[]{1}, 0);
            }
            return pair.story.count("close") == 2;
        });
        assertThat(pair.left.endsInOrder()).isFalse();
        assertThat(pair.story.callbacks(pair.ofRight)).endsWith("close RESET");
        assertThat(pair.story.callbacks(pair.ofLeft)).endsWith("close TRANSFER_FAILED");
        assertThat(transferred.count()).isEqualTo(1);
        assertThat(transferred.failure()).isNotNull();
        assertThat(pair.ofLeft.failure()).hasMessageContaining("was relayed to").hasMessageContaining("reset");
    }

    @EveryNetwork
    void closingEitherConnectionCutsTheOther(Stage stage) throws IOException {
        for (boolean closesSource : new boolean[]{true, false}) {
            Transferred listener = new Transferred();
            Pair pair = Pair.of(stage, Framing.raw());
            pair.ofLeft.relayTo(pair.ofRight, -1, listener);
            pair.left.send("some");
            pair.right.expect("some");
            (closesSource ? pair.ofLeft : pair.ofRight).close();
            pair.untilClosed();
            assertThat(listener.ends()).containsExactly("4 cut");
            assertThat(pair.right.endsInOrder()).as("what was relayed is incomplete").isFalse();
            assertThat(pair.story.reasons()).containsExactlyInAnyOrder(CloseReason.CLOSED, CloseReason.TRANSFER_FAILED);
        }
    }

    /** The peer broke a rule: its own replies are sent, and what it relayed is cut. */
    @EveryNetwork
    void sourceThatBreaksARuleCutsTheTarget(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Pair pair = Pair.of(stage, stage.steppedServer(story).limits(Limits.defaults().withReadIdleTimeout(WRITE)
                .withWriteTimeout(Duration.ZERO)), story);
        pair.ofRight.limits(Limits.defaults());
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        pair.left.send("some");
        pair.right.expect("some");
        pair.ofLeft.send("a reply");
        stage.pass(WRITE.plusMillis(10));
        assertThat(pair.right.endsInOrder()).isFalse();
        assertThat(pair.left.restText()).isEqualTo("a reply");
        pair.left.finish();
        pair.untilClosed();
        assertThat(story.callbacks(pair.ofLeft)).endsWith("close IDLE_TIMEOUT");
        assertThat(story.callbacks(pair.ofRight)).endsWith("close TRANSFER_FAILED");
        assertThat(transferred.ends()).containsExactly("4 cut");
    }

    @EveryNetwork
    void inputThatEndsTooEarlyIsCut(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.raw());
        pair.ofLeft.relayTo(pair.ofRight, 5, transferred);
        pair.left.send("some");
        pair.left.finish();
        assertThat(pair.right.endsInOrder()).isFalse();
        pair.untilClosed();
        assertThat(transferred.ends()).containsExactly("4 cut");
        assertThat(transferred.failure()).isInstanceOf(EOFException.class).hasMessageContaining("4 of 5 bytes");
        assertThat(pair.story.reasons()).containsOnly(CloseReason.TRANSFER_FAILED);
    }

    @EveryNetwork
    void targetThatCannotBeConnectedCutsTheSource(Stage stage) throws IOException {
        Server gone = stage.open(stage.server(SILENT));
        gone.close();
        Story outgoing = stage.story(SILENT);
        Story story = stage.story(new Handler() {
            @Override
            public void onOpen(Connection client) {
                client.relayTo(client.connect(gone.address(), Protocol.of(Framing.raw(), outgoing), null), -1, transferred);
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        });
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        assertThat(client.endsInOrder()).isFalse();
        stage.until("closed", () -> story.count("close") == 1 && outgoing.count("close") == 1);
        assertThat(outgoing.reasons()).containsExactly(CloseReason.CONNECT_FAILED);
        assertThat(story.reasons()).containsExactly(CloseReason.TRANSFER_FAILED);
        assertThat(transferred.ends()).containsExactly("0 cut");
    }

    @EveryNetwork
    void drainLetsRelaysEnd(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.raw());
        pair.ofLeft.relayTo(pair.ofRight);
        pair.ofRight.relayTo(pair.ofLeft);
        pair.left.send("before");
        pair.right.expect("before");
        pair.server.drain(Stage.PATIENCE);
        stage.until("draining", () -> pair.ofLeft.state() == ConnectionState.DRAINING);
        pair.left.send(" after");
        pair.right.expect(" after");
        pair.right.send("and back");
        pair.left.expect("and back");
        pair.left.send("last");
        pair.left.finish();
        assertThat(pair.right.restText()).isEqualTo("last");
        pair.right.send("last");
        pair.right.finish();
        assertThat(pair.left.restText()).isEqualTo("last");
        pair.untilClosed();
        assertThat(pair.story.reasons()).containsOnly(CloseReason.DRAINED);
    }

    /** One direction only: the source has nothing to send, and must go on receiving. */
    @EveryNetwork
    void finishOfTheSourceLetsItsRelayEnd(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.raw());
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        pair.ofLeft.send("reply");
        pair.ofLeft.finish();
        assertThat(pair.left.restText()).isEqualTo("reply");
        stage.settle();
        assertThat(pair.ofLeft.state()).isEqualTo(ConnectionState.DRAINING);
        byte[] bytes = Arrays.copyOf(OVERSIZED, 1 << 20);
        int[] sent = new int[1];
        int[] got = new int[1];
        stage.until("relayed", () -> {
            sent[0] += sendChunk(pair.left, bytes, sent[0]);
            got[0] += pair.right.available().length;
            return got[0] == bytes.length;
        });
        pair.left.finish();
        stage.until("closed", () -> pair.story.callbacks(pair.ofLeft).contains("close FINISHED"));
        assertThat(transferred.ends()).containsExactly(bytes.length + " complete");
    }

    @EveryNetwork
    void finishedSourceWithACountLingersAfterIt(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.raw());
        pair.ofLeft.relayTo(pair.ofRight, 4, transferred);
        pair.ofLeft.finish();
        pair.left.send("some and more");
        pair.right.expect("some");
        assertThat(pair.left.restText()).isEmpty();
        pair.left.finish();
        stage.until("closed", () -> pair.story.callbacks(pair.ofLeft).contains("close FINISHED"));
        assertThat(transferred.ends()).containsExactly("4 complete");
        pair.ofRight.finish();
        pair.right.expectEnd();
    }

    @EveryNetwork
    void drainThatIsOverCutsRelays(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.raw());
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        pair.left.send("some");
        pair.right.expect("some");
        pair.server.drain(Duration.ZERO);
        pair.untilClosed();
        assertThat(pair.right.endsInOrder()).isFalse();
        assertThat(transferred.ends()).containsExactly("4 cut");
    }

    @EveryNetwork
    void pausedSourceIsNotRelayed(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.pauseReading());
        Pair pair = Pair.of(stage, stage.server(story).framing(Framing.lines()), story);
        pair.left.send("body follows\nbo");
        stage.until("paused", () -> story.count("message") == 1);
        pair.left.send("dy");
        pair.ofLeft.relayTo(pair.ofRight, 4, transferred);
        stage.settle();
        assertThat(pair.right.available()).isEmpty();
        pair.ofLeft.resumeReading();
        pair.right.expect("body");
        pair.left.send("a line\n");
        stage.until("messages follow", () -> story.count("message a line") == 1);
        assertThat(transferred.ends()).containsExactly("4 complete");
    }

    @EveryNetwork
    void inputThatHasEndedIsAnEmptyRelay(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onEndOfInput(Connection connection) {}
        });
        Pair pair = Pair.of(stage, stage.server(story), story);
        pair.left.finish();
        stage.until("ended", () -> story.count("end") == 1);
        pair.ofRight.send("message");
        pair.ofLeft.relayTo(pair.ofRight, -1, transferred);
        pair.right.expect("message");
        stage.until("notified", () -> transferred.count() == 1);
        assertThat(transferred.ends()).containsExactly("0 complete");
        pair.ofLeft.relayTo(pair.ofRight);
        pair.right.expectEnd();
        pair.ofLeft.finish();
        assertThat(pair.left.restText()).isEmpty();
    }

    @EveryNetwork
    void nothingOfARelayIsDropped(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Pair pair = Pair.of(stage, stage.server(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                .limits(Limits.defaults().withQueueBytesMax(4000)), story);
        pair.ofRight.send("head");
        pair.ofLeft.relayTo(pair.ofRight, 5, transferred);
        for (int i = 0; i < 10; i++) {
            pair.ofRight.send((char) ('0' + i) + "x".repeat(998));
        }
        stage.until("dropped", () -> story.count("dropped") > 0);
        pair.left.send("body;");
        assertThat(pair.right.line()).isEqualTo("head");
        assertThat(pair.right.line()).startsWith("body;8x");
    }

    @EveryNetwork
    void relayIsRefusedWithAReason(Stage stage) throws IOException {
        Pair pair = Pair.of(stage, Framing.lines());
        Server other = stage.open(stage.server(SILENT));
        Connection elsewhere = other.connect(pair.server.address(), SILENT);
        assertThatThrownBy(() -> pair.ofLeft.relayTo(pair.ofLeft)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("itself");
        assertThatThrownBy(() -> pair.ofLeft.relayTo(elsewhere)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("another server");
        assertThatThrownBy(() -> pair.ofLeft.relayTo(pair.ofRight, -2, transferred)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-2");
        LoopParts.onOtherThread(() -> assertThatThrownBy(() -> pair.ofLeft.relayTo(pair.ofRight))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("relayTo"));
        pair.ofLeft.relayTo(pair.ofRight, 1, transferred);
        assertThatThrownBy(() -> pair.ofLeft.relayTo(pair.ofRight)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("already");
        pair.ofRight.finishOutput();
        assertThat(pair.ofLeft.state()).isEqualTo(ConnectionState.OPEN);
        pair.left.send("x");
        pair.right.expect("x");
        pair.right.expectEnd();
        stage.until("closed", () -> pair.ofRight.isClosed());
        assertThat(pair.ofLeft.relayTo(pair.ofRight)).isEqualTo(SendResult.CLOSED);
        assertThat(pair.ofRight.relayTo(pair.ofLeft)).isEqualTo(SendResult.CLOSED);
        pair.left.send("a line\n");
        stage.until("the source is as before", () -> pair.story.count("message a line") == 1);
        assertThat(transferred.ends()).containsExactly("1 complete");
    }

    @EveryNetwork
    void connectionOfAConnectionIsOnItsLoop(Stage stage) throws IOException {
        Server far = stage.start(stage.server(SILENT));
        AtomicInteger opened = new AtomicInteger();
        Server server = stage.start(stage.server(new Handler() {
            @Override
            public void onOpen(Connection client) {
                for (int i = 0; i < 3; i++) {
                    Connection own = client.connect(far.address(), Protocol.of(Framing.raw(), SILENT), null);
                    assertThat(own.loop()).isEqualTo(client.loop());
                    Connection any = client.server().connect(far.address(), SILENT);
                    if (any.loop() != client.loop()) {
                        assertThatThrownBy(() -> client.relayTo(any)).isInstanceOf(IllegalArgumentException.class)
                                .hasMessageContaining("open the target with connect of this connection");
                        opened.addAndGet(100);
                    }
                    opened.incrementAndGet();
                }
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        }).loops(2));
        stage.client(server);
        stage.until("opened", () -> opened.get() % 100 == 3);
        assertThat(opened.get()).as("other loops were refused").isGreaterThan(100);
        server.drain(Duration.ZERO);
        assertThatThrownBy(() -> server.connect(far.address(), SILENT)).isInstanceOf(RejectedExecutionException.class);
    }
}
