package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;

/** One direction of a connection ends while the other one continues. */
final class HalfCloseTest {
    private static final Handler SILENT = (connection, message) -> {};

    @EveryNetwork(unix = true)
    void inputIsDeliveredAfterOurOutputHasEnded(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {
            connection.send("last");
            connection.finishOutput();
            assertThat(connection.send("too late")).isEqualTo(SendResult.CLOSED);
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        client.send("one\n");
        assertThat(client.restText()).isEqualTo("last\n");
        client.send("two\nthree\n");
        stage.until("delivered", () -> story.count("message") == 3);
        client.finish();
        stage.until("closed", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "message one", "message two", "message three", "end",
                "close PEER_FINISHED");
    }

    @EveryNetwork
    void outputEndsAfterQueuedMessages(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY));
        Client client = stage.client(server);
        stage.until("open", () -> story.count("open") == 1);
        byte[] message = stage.fillSocket(story.connection(0));
        story.connection(0).finishOutput();
        stage.settle();
        assertThat(client.rest()).isEqualTo(message);
        client.send("x");
        stage.until("delivered", () -> story.count("message") == 1);
    }

    @EveryNetwork(unix = true)
    void connectionClosesWhenBothDirectionsHaveEndedInEitherOrder(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.finishOutput();
            }

            @Override
            public void onEndOfInput(Connection connection) {
                // The connection stays open until our output has ended, too.
            }
        });
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        client.finish();
        stage.until("end of input", () -> story.count("end") == 1);
        stage.settle();
        assertThat(story.reasons()).isEmpty();
        story.connection(0).finishOutput();
        stage.until("closed", () -> story.count("close") == 1);
        Client other = stage.client(server);
        other.send("x");
        assertThat(other.restText()).isEmpty();
        assertThat(story.count("close")).isEqualTo(1);
        other.finish();
        stage.until("closed", () -> story.count("close") == 2);
        assertThat(story.reasons()).containsOnly(CloseReason.PEER_FINISHED);
    }

    @EveryNetwork
    void finishOutputWhileConnectingDeliversTheQueueAndWaitsForTheAnswer(Stage stage) throws IOException {
        Story accepted = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onEndOfInput(Connection connection) {
                connection.send("answer");
                connection.finish();
            }
        });
        Story outgoing = stage.story(SILENT);
        Server server = stage.open(stage.server(accepted).framing(Framing.lines()));
        Connection connection = server.connect(server.address(), stage.outgoing(Protocol.of(Framing.lines(), outgoing)), null);
        connection.send("question");
        connection.finishOutput();
        stage.until("closed", () -> outgoing.count("close") == 1 && accepted.count("close") == 1);
        assertThat(accepted.callbacks()).containsExactly("open", "message question", "end", "close PEER_FINISHED");
        assertThat(outgoing.callbacks()).containsExactly("open", "message answer", "end", "close PEER_FINISHED");
    }

    @EveryNetwork
    void drainClosesAConnectionWhoseOutputHasEnded(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.count("open") == 1);
        story.connection(0).finishOutput();
        assertThat(client.restText()).isEmpty();
        server.drain(Stage.PATIENCE);
        client.send("ignored");
        client.finish();
        stage.until("closed", server::isClosed);
        assertThat(story.callbacks()).containsExactly("open", "close DRAINED");
    }

    @EveryNetwork
    void finishWhileConnectingDeliversTheQueue(Stage stage) throws IOException {
        Story accepted = stage.story(SILENT);
        Story outgoing = stage.story(SILENT);
        Server server = stage.open(stage.server(accepted).framing(Framing.lines()));
        Connection connection = server.connect(server.address(), stage.outgoing(Protocol.of(Framing.lines(), outgoing)), null);
        assertThat(connection.send("question")).isEqualTo(SendResult.QUEUED);
        connection.finish();
        stage.until("closed", () -> outgoing.count("close") == 1 && accepted.count("close") == 1);
        assertThat(accepted.callbacks()).containsExactly("open", "message question", "end", "close PEER_FINISHED");
        assertThat(outgoing.callbacks()).containsExactly("open", "close FINISHED");
    }

    @EveryNetwork
    void drainWhileConnectingDeliversTheQueue(Stage stage) throws IOException {
        Story accepted = stage.story(SILENT);
        Story outgoing = stage.story(SILENT);
        Server server = stage.open(stage.server(accepted).framing(Framing.lines()));
        Server client = stage.open(stage.serverWithoutListener());
        Protocol protocol = stage.outgoing(Protocol.of(Framing.lines(), outgoing));
        assertThat(client.connect(server.address(), protocol, null).send("question")).isEqualTo(SendResult.QUEUED);
        client.drain(Stage.PATIENCE);
        stage.until("closed", () -> outgoing.count("close") == 1 && accepted.count("close") == 1);
        assertThat(accepted.callbacks()).containsExactly("open", "message question", "end", "close PEER_FINISHED");
        assertThat(outgoing.callbacks()).containsExactly("open", "close DRAINED");
    }

    @EveryNetwork(unix = true)
    void finishBeforeAFailedConnectReportsTheFailure(Stage stage) throws IOException {
        Story outgoing = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT)); // opened before the other one closes, as it could get the same port otherwise
        Server closedServer = stage.open(stage.server(SILENT));
        closedServer.close();
        Connection connection = server.connect(closedServer.address(), outgoing);
        connection.send("question");
        connection.finish();
        stage.until("closed", () -> outgoing.count("close") == 1);
        assertThat(outgoing.callbacks()).containsExactly("close CONNECT_FAILED");
    }
}
