package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Protocols per listener and per outgoing connection, and a handler object per connection. */
final class ProtocolTest {
    private static final Handler ECHO = Connection::send;

    /** Counts the messages of its connection in a field. */
    private static final class Counting implements Handler {
        private int messages;

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            connection.send("message " + ++messages);
        }
    }

    @EveryNetwork
    void listenersHaveProtocolsOfTheirOwn(Stage stage) throws IOException {
        Story lines = stage.story(ECHO);
        Story lengths = stage.story(ECHO);
        Story own = stage.story(ECHO);
        Server server = stage.open(stage.server(own)
                .listen(Stage.FREE_PORT, Protocol.of(Framing.lines(), lines)
                        .withLimits(Limits.defaults().withMessageBytesMax(10).withQueueBytesMax(1000)))
                .listen(Stage.FREE_PORT, Protocol.of(Framing.lengthPrefixed(2), lengths).withOverflow(Overflow.DISCONNECT)));
        Client raw = stage.client(server);
        Client line = stage.keep(new Client(stage, server.addresses().get(1)));
        Client length = stage.keep(new Client(stage, server.addresses().get(2)));

        raw.send("as it comes");
        raw.expect("as it comes");
        line.send("one\ntwo\n");
        line.expect("one\ntwo\n");
        length.send("\0\3one\0\0");
        length.expect("\0\3one\0\0");
        assertThat(lines.connection(0).queue().bytesMax()).isEqualTo(1000);
        assertThat(lengths.connection(0).queue().bytesMax()).isEqualTo(Limits.defaults().queueBytesMax());

        line.send("longer than ten\n");
        line.expectEnd();
        stage.until("closed", () -> lines.count("close") == 1);
        assertThat(lines.reasons()).containsExactly(CloseReason.MESSAGE_TOO_LONG);
        length.send("\0\17longer than ten");
        length.expect("\0\17longer than ten");
    }

    @EveryNetwork
    void timeoutsAreThoseOfTheListener(Stage stage) throws IOException {
        Story patient = stage.story(ECHO);
        Story hasty = stage.story(ECHO);
        Server server = stage.open(stage.steppedServer(patient)
                .listen(Stage.FREE_PORT, Protocol.of(Framing.raw(), hasty)
                        .withLimits(Limits.defaults().withIdleTimeout(Duration.ofSeconds(5)))));
        stage.client(server);
        Client idle = stage.keep(new Client(stage, server.addresses().get(1)));
        stage.until("both are open", () -> patient.size() == 1 && hasty.size() == 1);
        stage.pass(Duration.ofSeconds(6));
        idle.expectEnd();
        stage.until("closed", () -> hasty.count("close") == 1);
        assertThat(hasty.reasons()).containsExactly(CloseReason.IDLE_TIMEOUT);
        assertThat(patient.count("close")).isZero();
    }

    @EveryNetwork
    void eachConnectionHasAHandlerOfItsOwn(Stage stage) throws IOException {
        List<Counting> handlers = new ArrayList<>();
        Supplier<Handler> factory = () -> {
            handlers.add(new Counting());
            return handlers.getLast();
        };
        Server server = stage.open(stage.server(ECHO).handlers(factory).framing(Framing.lines())
                .listen(Stage.FREE_PORT, Protocol.perConnection(Framing.lines(), factory)));
        Client one = stage.client(server);
        Client two = stage.client(server);
        Client three = stage.keep(new Client(stage, server.addresses().get(1)));
        one.send("a\nb\n");
        one.expect("message 1\nmessage 2\n");
        two.send("a\n");
        two.expect("message 1\n");
        three.send("a\n");
        three.expect("message 1\n");
        one.send("c\n");
        one.expect("message 3\n");
        assertThat(handlers).hasSize(3);
    }

    @EveryNetwork
    void handlerThatCannotBeMadeEndsItsConnectionAlone(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            AtomicInteger made = new AtomicInteger();
            Story story = stage.story(ECHO);
            Server server = stage.open(stage.steppedServer(ECHO).handlers(() -> switch (made.incrementAndGet()) {
                case 2 -> throw new IllegalStateException("no database");
                case 3 -> null;
                default -> story;
            }));
            Client first = stage.client(server);
            stage.until("open", () -> story.size() == 1);
            stage.client(server).expectEnd();
            stage.pass(Duration.ofSeconds(2)); // the log omits lines of a kind that follow each other at once
            stage.client(server).expectEnd();
            Client last = stage.client(server);
            first.send("still");
            first.expect("still");
            last.send("here");
            last.expect("here");
            assertThat(log.lines("no database")).hasSize(1);
            assertThat(log.lines("the supplier of handlers returned null")).hasSize(1);
            stage.until("both are closed", () -> server.stats().total().closed() == 2);
            assertThat(server.connections()).hasSize(2);
        }
    }

    @EveryNetwork
    void outgoingConnectionHasAProtocolOfItsOwn(Stage stage) throws IOException {
        Server server = stage.open(stage.server(ECHO).listen(Stage.FREE_PORT, Protocol.of(Framing.lengthPrefixed(4), ECHO)));
        Story client = stage.story((connection, message) -> {});
        Connection out = server.connect(server.addresses().get(1), Protocol.perConnection(Framing.lengthPrefixed(4), () -> client)
                .withLimits(Limits.defaults().withQueueBytesMax(12345)), "attached");
        out.send("hello");
        stage.until("the echo arrives", () -> client.callbacks().contains("message hello"));
        assertThat(out.attachment()).isEqualTo("attached");
        assertThat(out.queue().bytesMax()).isEqualTo(12345);
        out.finish();
        stage.until("closed", () -> client.count("close") == 1);
    }

    @Test
    void settingsThatDoNotFitTogetherAreRefusedAtTheStart() throws IOException {
        Protocol dropping = Protocol.of(Framing.raw(), ECHO).withOverflow(Overflow.DROP_OLDEST);
        SimNetwork network = SimNetwork.of(1, FaultPlan.none());
        assertThatThrownBy(() -> Server.builder().network(network).listen(Stage.FREE_PORT, dropping).open())
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("DROP_OLDEST");
        assertThatThrownBy(() -> Server.builder().network(network).listen(Stage.FREE_PORT).open())
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("handler");
        try (Server server = Server.builder().network(network)
                .listen(Stage.FREE_PORT, Protocol.of(Framing.lines(), ECHO).withOverflow(Overflow.DROP_OLDEST)).open()) {
            assertThatThrownBy(() -> server.connect(server.address(), dropping, null)).isInstanceOf(IllegalStateException.class);
        }
    }
}
