package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A message to several connections. */
final class BroadcastTest {
    private static final Handler SILENT = (connection, message) -> {};

    @EveryNetwork
    void aMessageReachesTheChosenConnectionsAlone(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(stage.client(server));
            int opened = i + 1;
            stage.until("open", () -> story.count("open") == opened);
        }
        List<Connection> all = IntStream.range(0, 4).mapToObj(story::connection).toList();
        all.get(2).close();
        stage.until("closed", () -> story.count("close") == 1);
        ByteBuffer message = ByteBuffer.wrap(Client.bytes("to three"));
        server.broadcast(message, all.subList(0, 3));
        assertThat(message.hasRemaining()).isFalse();
        server.broadcast(ByteBuffer.wrap(Client.bytes("to nobody")), List.of());
        server.broadcast(ByteBuffer.wrap(Client.bytes("to all")));
        assertThat(clients.get(0).line()).isEqualTo("to three");
        assertThat(clients.get(0).line()).isEqualTo("to all");
        assertThat(clients.get(1).line()).isEqualTo("to three");
        assertThat(clients.get(1).line()).isEqualTo("to all");
        assertThat(clients.get(3).line()).isEqualTo("to all");
    }

    @EveryNetwork
    void aConnectionThatIsNamedTwiceGetsTheMessageTwice(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Client client = stage.client(server);
        stage.until("open", () -> story.count("open") == 1);
        Connection connection = story.connection(0);
        String text = "abc".repeat(400);
        server.broadcast(ByteBuffer.wrap(Client.bytes(text)), List.of(connection, connection, connection));
        for (int i = 0; i < 3; i++) {
            assertThat(client.line()).isEqualTo(text);
        }
    }

    @EveryNetwork
    void aMessageToSeveralIsHeldOnce(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        int length = 60_000;
        Server server = stage.open(stage.server(story).framing(Framing.lines())
                .limits(Limits.defaults().withQueueBudgetBytes(3L * length + 20L * stage.ciphertextMax())));
        List<Client> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            clients.add(stage.client(server));
        }
        stage.until("open", () -> story.count("open") == 20);
        List<Connection> receivers = clients.stream().map(each -> story.connection(clients.indexOf(each))).toList();
        stage.settle(); // torture may have refused a part of a TLS handshake
        server.broadcast(ByteBuffer.allocate(length), receivers);
        assertThat(server.stats().queueBytes()).as("all of them hold it").isLessThanOrEqualTo(length + 1);
        for (Client client : clients) {
            client.receive(length + 1);
        }
        stage.settle();
        assertThat(server.stats().queueBytes()).isZero();
        assertThat(story.count("close")).isZero();
    }

    @EveryNetwork
    void aConnectionOfAnotherServerGetsNothing(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story).framing(Framing.lines()));
        Server other = stage.open(stage.server(stage.story(SILENT)).framing(Framing.lines()));
        Client client = stage.client(server);
        stage.until("open", () -> story.count("open") == 1);
        other.broadcast(ByteBuffer.wrap(Client.bytes("astray")), List.of(story.connection(0)));
        server.broadcast(ByteBuffer.wrap(Client.bytes("right")), List.of(story.connection(0)));
        assertThat(client.line()).isEqualTo("right");
    }
}
