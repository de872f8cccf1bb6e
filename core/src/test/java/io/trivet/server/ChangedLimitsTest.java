package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** Limits of a connection that are changed while it is open, and the time since the peer's last byte. */
final class ChangedLimitsTest {
    private static final Handler SILENT = (connection, message) -> {};
    private static final Limits NO_TIMEOUTS = Limits.defaults().withWriteTimeout(Duration.ZERO).withMessageTimeout(Duration.ZERO);

    @EveryNetwork
    void timeoutsCanBeSetChangedAndSwitchedOff(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(NO_TIMEOUTS));
        Client client = stage.client(server);
        stage.client(server);
        stage.until("open", () -> story.size() == 2);
        Connection connection = story.connection(0);
        connection.limits(NO_TIMEOUTS.withIdleTimeout(Duration.ofSeconds(60)));
        stage.settle();
        assertThat(connection.limits().idleTimeout()).isEqualTo(Duration.ofSeconds(60));
        stage.pass(Duration.ofSeconds(50));
        stage.settle();
        assertThat(story.count("close")).isZero();

        connection.limits(NO_TIMEOUTS);
        stage.settle();
        stage.pass(Duration.ofSeconds(1000));
        stage.settle();
        assertThat(story.count("close")).isZero();

        client.send("x"); // the time starts again
        stage.until("received", () -> story.count("message") == 1);
        connection.limits(NO_TIMEOUTS.withIdleTimeout(Duration.ofSeconds(5)));
        stage.settle();
        stage.pass(Duration.ofSeconds(4));
        stage.settle();
        assertThat(story.count("close")).isZero();
        stage.pass(Duration.ofSeconds(2));
        client.expectEnd();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.IDLE_TIMEOUT);
        assertThat(story.connection(1).limits()).as("of the other").isEqualTo(NO_TIMEOUTS);
    }

    @EveryNetwork
    void firstMessageAndMessageTimeoutsChange(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(NO_TIMEOUTS).framing(Framing.lines()));
        Client silent = stage.client(server);
        Client slow = stage.client(server);
        stage.until("open", () -> story.size() == 2);
        story.connection(0).limits(NO_TIMEOUTS.withFirstMessageTimeout(Duration.ofSeconds(3)));
        slow.send("begun");
        stage.until("received", () -> server.stats().total().bytesIn() == 5);
        stage.settle();
        story.connection(1).limits(NO_TIMEOUTS.withMessageTimeout(Duration.ofSeconds(8)));
        stage.settle();
        stage.pass(Duration.ofSeconds(4));
        silent.expectEnd();

        stage.pass(Duration.ofSeconds(5));
        slow.expectEnd();
        stage.until("closed", () -> story.count("close") == 2);
        assertThat(story.reasons()).containsExactly(CloseReason.FIRST_MESSAGE_TIMEOUT, CloseReason.MESSAGE_TIMEOUT);
    }

    @EveryNetwork
    void lengthOfMessagesChangesFromTheNextMessageOn(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            if (message.remaining() == 0) {
                connection.limits(connection.limits().withMessageBytesMax(3));
            }
            connection.send(message);
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("long enough\n\nlong enough\n");
        client.expect("long enough\n\n");
        client.expectEnd();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.MESSAGE_TOO_LONG);
    }

    @EveryNetwork
    void queueThatIsAboveItsNewMarksIsHighAndDrains(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Limits roomy = Stage.ROOMY.withWriteTimeout(Duration.ZERO).withQueueMarks(2 * Stage.OVERSIZED_BYTES,
                Stage.OVERSIZED_BYTES);
        Server server = stage.open(stage.steppedServer(story).limits(roomy));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        stage.fillSocket(connection);
        assertThat(connection.queue().isHigh()).isFalse();
        connection.limits(roomy.withQueueMarks(2000, 1000));
        stage.settle();
        assertThat(connection.queue().isHigh()).isTrue();
        assertThat(connection.queue().highBytes()).isEqualTo(2000);
        assertThat(connection.is(ConnectionRecord.PAUSED_BY_QUEUE)).isTrue();
        assertThat(story.count("drained")).isZero();
        client.receive(Stage.OVERSIZED_BYTES);
        stage.until("drained", () -> story.count("drained") == 1);
        assertThat(connection.is(ConnectionRecord.PAUSED_BY_QUEUE)).isFalse();
    }

    @EveryNetwork
    void capOfTheQueueChanges(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(Stage.ROOMY.withWriteTimeout(Duration.ZERO)));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        stage.fillSocket(connection);
        assertThat(connection.offer("more")).isEqualTo(SendResult.QUEUED);
        connection.limits(connection.limits().withQueueBytesMax(1000));
        assertThat(connection.offer("more")).isEqualTo(SendResult.FULL);
        assertThat(connection.queue().bytesMax()).isEqualTo(1000);
        connection.limits(Stage.ROOMY);
        assertThat(connection.offer("more")).isEqualTo(SendResult.QUEUED);
    }

    @EveryNetwork
    void peerThatOnlyReadsIsIdleForReading(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(NO_TIMEOUTS.withReadIdleTimeout(Duration.ofSeconds(10))));
        Client silent = stage.client(server);
        Client lively = stage.client(server);
        stage.until("open", () -> story.size() == 2);
        for (int i = 0; i < 3; i++) {
            stage.pass(Duration.ofSeconds(4));
            server.broadcast(ByteBuffer.wrap(Client.bytes("tick")));
            lively.send("!"); // one byte is one message, wherever the network cuts
            int sent = i + 1;
            stage.until("received", () -> story.count("message") == sent);
            lively.expect("tick");
            stage.settle();
        }
        assertThat(silent.restText()).isEqualTo("tick".repeat(3)); // what was accepted before is sent
        silent.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks(story.connection(0))).containsExactly("open", "close IDLE_TIMEOUT");
    }

    @EveryNetwork
    void timeOfAPauseDoesNotCountAsIdleForReading(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.steppedServer(story).limits(NO_TIMEOUTS.withReadIdleTimeout(Duration.ofSeconds(10))));
        Client client = stage.client(server);
        stage.until("open", () -> story.size() == 1);
        Connection connection = story.connection(0);
        connection.pauseReading();
        stage.settle();
        stage.pass(Duration.ofSeconds(60));
        stage.settle();
        assertThat(story.count("close")).isZero();
        connection.resumeReading();
        stage.settle();
        stage.pass(Duration.ofSeconds(9));
        stage.settle();
        assertThat(story.count("close")).isZero();
        stage.pass(Duration.ofSeconds(2));
        client.expectEnd();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.reasons()).containsExactly(CloseReason.IDLE_TIMEOUT);
    }
}
