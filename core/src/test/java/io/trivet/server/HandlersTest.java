package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.observe.CloseReason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;

/** Handlers that call the server from unusual places. */
final class HandlersTest {
    private static final Handler SILENT = (connection, message) -> {};

    @EveryNetwork
    void handlerBlockingTheLoopInsideATaskIsLogged(Stage stage) throws IOException {
        try (LogLines log = new LogLines()) {
            AtomicReference<Watchdog> watchdog = new AtomicReference<>();
            Story story = stage.story(new Handler() {
                @Override
                public void onMessage(Connection connection, ByteBuffer message) {}

                @Override
                public void onDropped(Connection connection, int messages, long bytes) {
                    watchdog.get().look();
                    stage.pass(Duration.ofMillis(150));
                    watchdog.get().look();
                }
            });
            Server server = stage.open(stage.steppedServer(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                    .limits(Limits.defaults().withQueueBytesMax(Stage.OVERSIZED_BYTES + 2).withWriteTimeout(Duration.ZERO)));
            watchdog.set(stage.watchdog(server, Duration.ofMillis(100)));
            stage.client(server);
            stage.until("open", () -> story.size() == 1);
            Connection connection = story.connection(0);
            stage.fillSocket(connection);
            while (server.stats().total().dropped() == 0) {
                connection.send(new byte[1000]);
            }
            stage.until("onDropped is called", () -> story.count("dropped") == 1);
            assertThat(log.lines("a callback or task has held")).hasSize(1);
        }
    }

    @EveryNetwork
    void callbacksWithinATaskAreDistinguished(Stage stage) throws IOException {
        Story story = stage.story(SILENT);
        Server server = stage.open(stage.server(story));
        stage.client(server);
        stage.until("open", () -> story.size() == 1);
        LoopActivity activity = new LoopActivity(() -> {});
        Callbacks callbacks = new Callbacks(activity, new CloseRequests(server.log()), server.log());
        List<Long> marks = new ArrayList<>();
        Runnable look = () -> marks.add(activity.mark());
        for (int i = 0; i < 2; i++) {
            callbacks.task(() -> {
                look.run();
                callbacks.timer(story.connection(0), look);
                callbacks.timer(story.connection(0), look);
                look.run();
            });
            assertThat(activity.mark() & 1).as("no callback is running").isZero();
        }
        assertThat(marks).hasSize(8).doesNotHaveDuplicates().allMatch(mark -> (mark & 1) != 0);
    }

    @EveryNetwork
    void drainEndsEvenIfAHandlerReconnectsOnEveryClose(Stage stage) throws IOException {
        Server other = stage.open(stage.server(SILENT));
        Story outgoing = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onClose(Connection connection, CloseReason reason) {
                connection.server().connect(other.address(), this);
            }
        });
        Server server = stage.open(stage.server(SILENT));
        server.connect(other.address(), outgoing);
        stage.until("open", () -> outgoing.count("open") == 1);
        server.drain(Stage.PATIENCE);
        stage.until("drained", server::isClosed);
        assertThat(outgoing.reasons()).containsExactly(CloseReason.DRAINED);
        assertThatThrownBy(() -> server.connect(other.address(), outgoing)).isInstanceOf(RejectedExecutionException.class);
    }

    @EveryNetwork
    void drainEndsAtItsDeadlineEvenIfAHandoverIsPending(Stage stage) throws IOException {
        Server server = stage.open(stage.steppedServer(SILENT));
        server.loops().getFirst().table().expect(); // a handover that never arrives
        server.drain(Duration.ofSeconds(1));
        stage.settle();
        assertThat(server.isClosed()).isFalse();
        stage.pass(Duration.ofSeconds(1));
        stage.until("closed", server::isClosed);
        server.loops().getFirst().table().uncount();
    }

    @EveryNetwork
    void sendingFromOnDroppedDoesNotRepeatForever(Stage stage) throws IOException {
        int[] dropped = {0, 0};
        Story story = stage.story(new Handler() {
            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}

            @Override
            public void onDropped(Connection connection, int messages, long bytes) {
                dropped[0] += messages;
                dropped[1]++;
                connection.server().broadcast(ByteBuffer.wrap(Client.bytes("dropped messages: " + messages)));
            }
        });
        Server server = stage.open(stage.server(story).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                .limits(Limits.defaults().withQueueBytesMax(Stage.OVERSIZED_BYTES + 2_000).withWriteTimeout(Duration.ZERO)));
        List<Client> clients = List.of(stage.client(server), stage.client(server));
        stage.until("open", () -> story.size() == 2);
        for (int i = 0; i < 2; i++) {
            stage.fillSocket(story.connection(i));
        }
        for (int i = 0; i < 2; i++) {
            Connection connection = story.connection(i);
            for (int n = 0; n < 50_000; n++) {
                connection.send(""); // the oldest: a notice displaces many of them
            }
            while (connection.queuedBytes() < Stage.OVERSIZED_BYTES) {
                connection.send("x".repeat(999));
            }
            while (server.stats().total().dropped() == 0
                    || (i == 1 && connection.queuedBytes() < Stage.OVERSIZED_BYTES + 1_000)) {
                connection.send("");
            }
        }
        for (int i = 0; i < 100; i++) {
            story.connection(0).send("x".repeat(i)); // so that a message no longer than the notice is queued
            server.turn(Duration.ZERO);
        }
        stage.settle();
        assertThat(dropped[1]).isBetween(1, 300);
        story.connection(0).finish();
        story.connection(1).finish();
        for (Client client : clients) {
            client.rest();
            client.finish();
        }
        stage.until("closed", () -> story.count("close") == 2);
        assertThat((long) dropped[0]).as("all drops are reported").isEqualTo(server.stats().total().dropped());
    }

    @EveryNetwork
    void dropsWhileConnectingAreReportedAfterOnOpen(Stage stage) throws IOException {
        Server other = stage.open(stage.server(SILENT));
        Story outgoing = stage.story(SILENT);
        Server server = stage.open(stage.server(SILENT).framing(Framing.lines()).overflow(Overflow.DROP_OLDEST)
                .limits(Limits.defaults().withQueueBytesMax(1000)));
        server.turn(Duration.ZERO);
        Connection connection = server.connect(other.address(), outgoing);
        for (int i = 0; i < 25; i++) {
            assertThat(connection.send(new byte[99])).isEqualTo(SendResult.QUEUED);
        }
        stage.until("onDropped is called", () -> outgoing.count("dropped") == 1);
        assertThat(outgoing.callbacks()).startsWith("open", "dropped 15 1500");
    }

    @EveryNetwork
    void drainBetweenTurnsCallsHandlersInTheNextTurn(Stage stage) throws IOException {
        Story story = stage.story(new Handler() {
            @Override
            public void onOpen(Connection connection) {
                connection.server().close(); // at the end of the turn
            }

            @Override
            public void onMessage(Connection connection, ByteBuffer message) {}
        });
        Server server = stage.open(stage.server(story));
        server.turn(Duration.ZERO);
        Client client = stage.pendingClient(server); // in the backlog
        server.drain(Stage.PATIENCE);
        assertThat(story.callbacks()).isEmpty();
        client.endsInOrder();
        stage.until("closed", server::isClosed);
        stage.until("onClose is called", () -> story.count("close") == 1);
        assertThat(story.callbacks()).containsExactly("open", "close SERVER_CLOSED");
    }
}
