package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A peer can tell a complete stream from a cut one: an end of input means that everything accepted was delivered, otherwise it
 * gets a reset.
 */
final class HonestEndingsTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final Handler ECHO = (connection, message) -> connection.send(message);
    private static final int MESSAGE_MAX = 1000;
    private static final String TOO_LONG = "x".repeat(2 * MESSAGE_MAX) + "\n";
    private static final Limits LIMITS = Limits.defaults().withMessageBytesMax(MESSAGE_MAX);
    private static final Duration LINGER = LIMITS.lingerTimeout();
    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    /**
     * For each timeout that a peer can exceed by not sending: limits with it and no other, and queues that never pause reading.
     */
    private static final Map<CloseReason, Limits> TIMEOUTS = timeouts(Stage.ROOMY.withMessageTimeout(Duration.ZERO)
            .withWriteTimeout(Duration.ZERO).withQueueMarks(2 * Stage.OVERSIZED_BYTES, 0));

    private static Map<CloseReason, Limits> timeouts(Limits none) {
        return Map.of(CloseReason.MESSAGE_TIMEOUT, none.withMessageTimeout(TIMEOUT),
                CloseReason.FIRST_MESSAGE_TIMEOUT, none.withFirstMessageTimeout(TIMEOUT),
                CloseReason.IDLE_TIMEOUT, none.withIdleTimeout(TIMEOUT));
    }

    /** However TCP cuts the stream: in one piece, behind each message, and in the middle of one. */
    @EveryNetwork(unix = true)
    void repliesBeforeATooLongMessageAreDelivered(Stage stage) throws IOException {
        for (List<String> pieces : List.of(List.of("a\nb\n" + TOO_LONG), List.of("a\n", "b\n", TOO_LONG),
                List.of("a\nb", "\n" + TOO_LONG))) {
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.server(story).framing(Framing.lines()).limits(LIMITS));
            Client client = stage.client(server);
            for (String piece : pieces) {
                client.send(piece);
                stage.step();
            }
            assertThat(client.restText()).isEqualTo("a\nb\n");
            client.finish();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TOO_LONG);
            server.close();
        }
    }

    @EveryNetwork
    void repliesBeforeAHandlersExceptionAreDeliveredAndNothingAfterIt(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            boolean isBad = Story.text(message.duplicate()).equals("bad");
            connection.send(message);
            if (isBad) {
                throw new IllegalStateException("as asked");
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lengthPrefixed(1)));
        Client client = stage.client(server);
        client.send("\001a\003bad\001c");
        assertThat(client.restText()).isEqualTo("\001a\003bad");
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.HANDLER_FAILED);
        assertThat(story.count("message")).isEqualTo(2);
    }

    @EveryNetwork
    void peerThatBrokeARuleAndDoesNotReadGetsAResetAfterTheLingerTimeout(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).framing(Framing.lines())
                .limits(Stage.ROOMY.withMessageBytesMax(MESSAGE_MAX).withWriteTimeout(Duration.ZERO)
                        .withQueueMarks(2 * Stage.OVERSIZED_BYTES, 0)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.fillSocket(story.connection(0));
        client.send(TOO_LONG);
        stage.settle();
        assertThat(story.count("close")).as("what was accepted is still being delivered").isZero();
        stage.pass(LINGER.minusMillis(1));
        stage.settle();
        assertThat(story.count("close")).isZero();
        stage.pass(Duration.ofMillis(2));
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TOO_LONG);
        assertThat(client.endsInOrder()).isFalse();
        assertThat(server.stats().queueBytes()).isZero();
    }

    /** The timeout expires while the peer reads nothing. Then the peer reads everything. */
    @EveryNetwork(unix = true)
    void whatWasAcceptedBeforeATimeoutIsDeliveredFirst(Stage stage) throws IOException {
        for (CloseReason reason : TIMEOUTS.keySet()) {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).limits(TIMEOUTS.get(reason)));
            Client client = stage.client(server);
            byte[] message = fillAndExpire(stage, story, client, reason);
            assertThat(story.connection(0).send("too late")).isEqualTo(SendResult.CLOSED);
            assertThat(client.receive(message.length)).isEqualTo(message);
            assertThat(client.restText()).isEqualTo("\n");
            client.finish();
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(reason);
            server.close();
        }
    }

    @EveryNetwork
    void peerThatDoesNotReadAfterATimeoutGetsAResetAfterTheLingerTimeout(Stage stage) throws IOException {
        for (CloseReason reason : TIMEOUTS.keySet()) {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).limits(TIMEOUTS.get(reason)));
            Client client = stage.client(server);
            fillAndExpire(stage, story, client, reason);
            stage.pass(LINGER.minusMillis(1));
            stage.settle();
            assertThat(story.count("close")).isZero();
            stage.pass(Duration.ofMillis(2));
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(reason);
            assertThat(client.endsInOrder()).isFalse();
            server.close();
        }
    }

    private static byte[] fillAndExpire(Stage stage, Story story, Client client, CloseReason reason) throws IOException {
        stage.until("open", () -> story.size() == 1);
        if (reason == CloseReason.MESSAGE_TIMEOUT) {
            client.send("hal");
            stage.until("begun", () -> story.connection(0).partialInput() != null);
        }
        byte[] message = stage.fillSocket(story.connection(0));
        stage.pass(TIMEOUT.plusMillis(3)); // activity is recorded in milliseconds, rounded up
        stage.settle();
        assertThat(story.connection(0).state()).isEqualTo(ConnectionState.DRAINING);
        assertThat(story.count("close")).isZero();
        return message;
    }

    @EveryNetwork
    void timeoutOfAPeerThatHasHalfClosedDeliversTheRestAndEndsAtOnce(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onEndOfInput(Connection connection) {
                // The answer follows later.
            }
        });
        Server server = stage.open(stage.steppedServer(story).limits(TIMEOUTS.get(CloseReason.IDLE_TIMEOUT)));
        Client client = stage.client(server);
        client.finish();
        stage.until("end of input", () -> story.count("end") == 1);
        byte[] message = stage.fillSocket(story.connection(0));
        stage.pass(TIMEOUT.plusMillis(3));
        stage.settle();
        assertThat(client.rest()).isEqualTo(message);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.IDLE_TIMEOUT);
    }

    /** The peer does not read what was sent before finish(); later it does. */
    @EveryNetwork
    void idleTimeoutOfAConnectionThatIsFinishingGivesItTheLingerTimeout(Stage stage) throws IOException {
        for (boolean reads : new boolean[]{true, false}) {
            Story story = stage.story(SILENT);
            Server server = stage.open(stage.steppedServer(story).limits(TIMEOUTS.get(CloseReason.IDLE_TIMEOUT)));
            Client client = stage.client(server);
            stage.until("open", () -> story.size() == 1);
            byte[] message = stage.fillSocket(story.connection(0));
            story.connection(0).finish();
            stage.pass(TIMEOUT.plusMillis(3));
            stage.settle();
            assertThat(story.count("close")).isZero();
            if (reads) {
                assertThat(client.rest()).isEqualTo(message);
                client.finish();
            } else {
                stage.pass(LINGER.plusMillis(1));
            }
            stage.until("closed", () -> story.count("close") == 1);
            assertThat(story.reasons()).containsExactly(CloseReason.IDLE_TIMEOUT);
            if (!reads) {
                assertThat(client.endsInOrder()).isFalse();
            }
            server.close();
        }
    }

    @EveryNetwork
    void withoutALingerTimeoutTheIdleTimeoutEndsADeadPeerAtOnce(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.finish());
        Server server = stage.open(stage.steppedServer(story)
                .limits(TIMEOUTS.get(CloseReason.IDLE_TIMEOUT).withLingerTimeout(Duration.ZERO)));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Client finished = stage.client(server);
        finished.send("!"); // one byte: a second delivery would restart the idle timeout
        stage.until("lingering", () -> story.size() == 2 && story.connection(1).state() == ConnectionState.LINGERING);
        stage.pass(TIMEOUT.plusMillis(3));
        stage.until("closed", () -> story.count("close") == 2);
        assertThat(story.reasons()).containsExactlyInAnyOrder(CloseReason.IDLE_TIMEOUT, CloseReason.FINISHED);
    }

    /** The reply was collected, and not yet sent. */
    @EveryNetwork
    void closeAfterAReplyInTheSameCallbackResetsTheConnection(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            connection.send("dropped");
            connection.close();
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("?\n");
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.CLOSED);
        assertThat(client.endsInOrder()).isFalse();
    }

    /** The message is dropped in the turn in which the connection is closed. */
    @EveryNetwork
    void closeBeforeAMessageOfAnotherThreadArrivesResetsTheConnection(Stage stage) throws Exception {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        Thread other = Thread.ofPlatform().start(() -> {
            connection.execute(connection::close);
            connection.send("accepted");
        });
        other.join();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(client.endsInOrder()).isFalse();
    }

    @EveryNetwork
    void exceededBudgetResetsTheConnection(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY.withQueueBudgetBytes(1 << 20)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        story.connection(0).execute(() -> story.connection(0).send(new byte[Stage.OVERSIZED_BYTES]));
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.BUDGET_EXCEEDED);
        assertThat(client.endsInOrder()).isFalse();
    }

    @EveryNetwork
    void writeTimeoutResetsTheConnection(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Stage.ROOMY));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.fillSocket(story.connection(0));
        stage.pass(Duration.ofSeconds(11));
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.WRITE_TIMEOUT);
        assertThat(client.endsInOrder()).isFalse();
    }

    @EveryNetwork
    void fullQueueResetsTheConnection(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY.withQueueBytesMax(Stage.OVERSIZED_BYTES)));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.fillSocket(story.connection(0));
        assertThat(story.connection(0).send(new byte[Stage.OVERSIZED_BYTES])).isEqualTo(SendResult.FULL);
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.QUEUE_FULL);
        assertThat(client.endsInOrder()).isFalse();
    }

    @EveryNetwork
    void closedServerResetsTheConnection(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        stage.fillSocket(story.connection(0));
        server.close();
        assertThat(story.reasons()).containsExactly(CloseReason.SERVER_CLOSED);
        assertThat(client.endsInOrder()).isFalse();
    }

    @EveryNetwork
    void closeWithNothingQueuedIsAnEnd(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        story.connection(0).send("all of it");
        stage.settle();
        story.connection(0).close();
        assertThat(client.restAfterClose()).isEqualTo("all of it");
        stage.until("closed", () -> story.count("close") == 1);
    }

    @EveryNetwork
    void resetIsSeenByThePeerEvenIfNothingWasDropped(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        story.connection(0).reset();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.CLOSED);
        assertThat(client.endsInOrder()).isFalse();
    }
}
