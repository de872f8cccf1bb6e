package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;

/** One direction ends, and the other goes on. */
final class HalfCloseTest {
    private static final Handler SILENT = (connection, message) -> {};

    @EveryNetwork
    void whatComesAfterOurEndIsDelivered(Stage stage) throws IOException {
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
        assertThat(story.told()).containsExactly("open", "message one", "message two", "message three", "end",
                "close PEER_FINISHED");
    }

    @EveryNetwork
    void outputEndsBehindWhatWaits(Stage stage) throws IOException {
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

    @EveryNetwork
    void connectionEndsWhenBothHaveFinishedInEitherOrder(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {
                connection.finishOutput();
            }

            @Override
            public void onEndOfInput(Connection connection) {
                // It stays open, until we have finished too.
            }
        });
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        client.finish();
        stage.until("the end", () -> story.count("end") == 1);
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
    void finishingBeforeTheConnectIsThereDeliversAndWaitsForTheAnswer(Stage stage) throws IOException {
        Story served = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onEndOfInput(Connection connection) {
                connection.send("answer");
                connection.finish();
            }
        });
        Story made = stage.story(SILENT);
        Server server = stage.open(stage.server(served).framing(Framing.lines()));
        Connection connection = server.connect(server.address(), made);
        connection.send("question");
        connection.finishOutput();
        stage.until("closed", () -> made.count("close") == 1 && served.count("close") == 1);
        assertThat(served.told()).containsExactly("open", "message question", "end", "close PEER_FINISHED");
        assertThat(made.told()).containsExactly("open", "message answer", "end", "close PEER_FINISHED");
    }

    @EveryNetwork
    void drainingEndsOneWhoseOutputHasEnded(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        Client client = stage.client(server);
        stage.until("open", () -> story.count("open") == 1);
        story.connection(0).finishOutput();
        assertThat(client.restText()).isEmpty();
        server.drain(Stage.PATIENCE);
        client.send("not heard any more");
        client.finish();
        stage.until("closed", server::isClosed);
        assertThat(story.told()).containsExactly("open", "close DRAINED");
    }

    @EveryNetwork
    void endingBeforeTheConnectIsThereDeliversWhatWaits(Stage stage) throws IOException {
        Story served = stage.story(SILENT);
        Story made = stage.story(SILENT);
        Server server = stage.open(stage.server(served).framing(Framing.lines()));
        Connection connection = server.connect(server.address(), made);
        assertThat(connection.send("question")).isEqualTo(SendResult.QUEUED);
        connection.finish();
        stage.until("closed", () -> made.count("close") == 1 && served.count("close") == 1);
        assertThat(served.told()).containsExactly("open", "message question", "end", "close PEER_FINISHED");
        assertThat(made.told()).containsExactly("open", "close FINISHED");
    }

    @EveryNetwork
    void drainingBeforeTheConnectIsThereDeliversWhatWaits(Stage stage) throws IOException {
        Story served = stage.story(SILENT);
        Story made = stage.story(SILENT);
        Server server = stage.open(stage.server(served).framing(Framing.lines()));
        Server client = stage.open(Server.builder().network(stage.network()).framing(Framing.lines()));
        assertThat(client.connect(server.address(), made).send("question")).isEqualTo(SendResult.QUEUED);
        client.drain(Stage.PATIENCE);
        stage.until("closed", () -> made.count("close") == 1 && served.count("close") == 1);
        assertThat(served.told()).containsExactly("open", "message question", "end", "close PEER_FINISHED");
        assertThat(made.told()).containsExactly("open", "close DRAINED");
    }

    @EveryNetwork
    void endingBeforeAConnectThatFailsTellsTheFailure(Stage stage) throws IOException {
        Story made = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT)); // before the other closes, or it might be given its port
        Server gone = stage.open(stage.server(SILENT));
        gone.close();
        Connection connection = server.connect(gone.address(), made);
        connection.send("question");
        connection.finish();
        stage.until("closed", () -> made.count("close") == 1);
        assertThat(made.told()).containsExactly("close CONNECT_FAILED");
    }
}
