package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.LoopObserver;
import io.trivet.observe.ReadState;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a server reports to those who watch it: events of its loops, the ends of connections, listeners, and reasons. */
final class ObserveTest {
    /** Records the events as text. */
    private static class Recorder implements LoopObserver {
        final List<String> events = new ArrayList<>();
        int turns;

        @Override
        public void event(int loop, LoopEvent event, long connection, long amount) {
            events.add(event + " " + connection + " " + amount);
        }

        @Override
        public void turned(int loop, long waitNanos, long workNanos, int done) {
            assertThat(waitNanos).isNotNegative();
            assertThat(workNanos).isNotNegative();
            turns++;
        }

        long sum(String event) {
            return events.stream().filter(line -> line.startsWith(event + " "))
                    .mapToLong(line -> Long.parseLong(line.substring(event.length() + 1))).sum();
        }

        /** Returns the position of the last event of a kind, or -1. */
        int last(String event) {
            return events.lastIndexOf(events.stream().filter(line -> line.startsWith(event + " ")).reduce("", (_, next) -> next));
        }

        List<String> kinds() {
            return events.stream().map(event -> event.substring(0, event.indexOf(' '))).distinct().toList();
        }
    }

    @EveryNetwork
    void observerSeesTheConversationOfAClient(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.send(message));
        Server server = stage.open(stage.server(story));
        Recorder recorder = new Recorder();
        server.observe(recorder);
        Client client = stage.client(server);
        client.send("hello");
        client.expect("hello");
        long id = story.connection(0).id();
        client.close();
        stage.until("closed", () -> server.connections().isEmpty());
        assertThat(recorder.kinds()).containsSubsequence("ACCEPTED", "OPENED", "RECEIVED", "DELIVERED", "INPUT_ENDED", "CLOSED");
        assertThat(recorder.events).contains("ACCEPTED -1 0", "OPENED " + id + " 0", "INPUT_ENDED " + id + " 0",
                "CLOSED " + id + " 0");
        assertThat(recorder.sum("RECEIVED " + id)).isEqualTo(5); // in pieces, on a network that cuts them
        assertThat(recorder.sum("SENT " + id)).isEqualTo(5);
        assertThat(recorder.turns).isPositive();

        server.observe(null);
        int before = recorder.turns;
        stage.client(server).send("unseen");
        stage.until("received", () -> story.count("message") == 2);
        assertThat(recorder.turns).isLessThanOrEqualTo(before + 1);
    }

    @EveryNetwork
    void observerSeesAFullSocketAndItsRoom(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> {});
        Server server = stage.open(stage.server(story).limits(Stage.ROOMY));
        Client client = stage.client(server);
        client.send("hello");
        stage.until("received", () -> story.count("message") > 0);
        Recorder recorder = new Recorder();
        server.observe(recorder);
        stage.fillSocket(story.connection(0));
        ConnectionSnapshot full = server.connections().getFirst();
        assertThat(full.readState()).isEqualTo(ReadState.PAUSED_BY_QUEUE);
        assertThat(full.writeTimeout()).isEqualTo(Duration.ofSeconds(10));
        client.receive(Stage.OVERSIZED_BYTES);
        stage.until("sent", () -> story.connection(0).queue().bytes() == 0);
        stage.until("drained", () -> recorder.kinds().contains("QUEUE_LOW"));
        assertThat(recorder.kinds()).contains("QUEUE_HIGH", "SENT", "QUEUE_LOW");
        stage.until("it waits for nothing more", () -> !server.connections().getFirst().writable());
        assertThat(server.connections().getFirst().interestReason()).isEqualTo("read");
        assertThat(recorder.last("SOCKET_DRAINED")).as("it has left wlist: %s", recorder.kinds())
                .isGreaterThanOrEqualTo(recorder.last("SOCKET_FULL"));
    }

    @EveryNetwork
    void queueIsLowOnlyAfterItWasHighAndBothComeAfterTheMessagesThatFillIt(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.send(message));
        Server server = stage.open(stage.server(story).limits(Limits.defaults().withQueueMarks(64, 32)));
        Recorder recorder = new Recorder();
        server.observe(recorder);
        Client client = stage.client(server);
        String message = "x".repeat(100);
        for (int i = 0; i < 50; i++) { // each reply reaches the high mark, and fits into the socket
            client.send(message);
            client.expect(message);
        }
        int delivered = 0;
        boolean isHigh = false;
        for (String event : recorder.events) {
            if (event.startsWith("DELIVERED ")) {
                delivered++;
            } else if (event.startsWith("QUEUE_HIGH ")) {
                assertThat(isHigh).as("high twice: %s", recorder.events).isFalse();
                assertThat(delivered).as("nothing was delivered before: %s", recorder.events).isPositive();
                isHigh = true;
            } else if (event.startsWith("QUEUE_LOW ")) {
                assertThat(isHigh).as("low without high: %s", recorder.events).isTrue();
                isHigh = false;
            }
        }
    }

    @EveryNetwork
    void endsOfConnectionsAreKeptAndCounted(Stage stage) throws IOException {
        Story story = stage.story((connection, message) -> connection.close());
        Server server = stage.open(stage.server(story));
        for (int i = 0; i < LoopTrace.CLOSED_MAX + 2; i++) {
            Client client = stage.client(server);
            client.send("x");
            client.endsInOrder(); // or with a reset, if torture has let TLS send only a part of its session tickets
            client.close();
        }
        stage.until("closed", () -> server.stats().closed().getOrDefault(CloseReason.CLOSED, 0L) == LoopTrace.CLOSED_MAX + 2);
        assertThat(server.stats().closed()).hasSize(1);
        List<ClosedConnection> ends = server.recentlyClosed();
        assertThat(ends).hasSize(LoopTrace.CLOSED_MAX);
        assertThat(ends.getFirst().reason()).isEqualTo(CloseReason.CLOSED);
        assertThat(ends.getFirst().bytesIn()).isEqualTo(1);
        assertThat(ends.getFirst().remoteAddress()).isNotNull();
        assertThat(ends.getFirst().sinceClosed()).isLessThanOrEqualTo(ends.getLast().sinceClosed());
    }

    @EveryNetwork
    void listenersSayWhyTheyAreNotWatched(Stage stage) throws IOException {
        Server server = stage.open(stage.server(stage.story((connection, message) -> {}))
                .limits(Limits.defaults().withConnectionsMax(1)));
        assertThat(server.listeners()).containsExactly(new ListenerSnapshot(server.address(), ListenerSnapshot.State.ACCEPTING));
        stage.client(server);
        stage.until("at the limit", () -> server.listeners().getFirst().state() == ListenerSnapshot.State.AT_LIMIT);
        server.drain(Duration.ZERO);
        stage.until("drained", server::isClosed);
        assertThat(server.listeners().getFirst().state()).isEqualTo(ListenerSnapshot.State.CLOSED);
    }

    @Test
    void observerThatThrowsIsDetachedAndLogged() throws IOException {
        try (Stage stage = new Stage(io.trivet.net.Network.system()); LogLines log = new LogLines()) {
            Server server = stage.open(stage.server(stage.story((connection, message) -> connection.send(message))));
            server.observe(new Recorder() {
                @Override
                public void event(int loop, LoopEvent event, long connection, long amount) {
                    throw new IllegalStateException("no more");
                }
            });
            Client client = stage.client(server);
            client.send("hello");
            client.expect("hello");
            assertThat(log.lines()).anyMatch(line -> line.contains("the observer of the loops threw, and is detached"));
        }
    }

    @Test
    void observerMayMakeALoopStandStillBetweenTwoTurns() throws Exception {
        CountDownLatch paused = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        try (Server server = Server.builder().listen(Stage.FREE_PORT).onMessage((connection, message) -> connection.send(message))
                .start()) {
            server.observe(new Recorder() {
                @Override
                public void turned(int loop, long waitNanos, long workNanos, int done) {
                    paused.countDown();
                    try {
                        released.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
            });
            try {
                server.execute(() -> {}); // it may be waiting since its first turn
                assertThat(paused.await(30, TimeUnit.SECONDS)).as("the loop turns so that the observer sees it").isTrue();
                long turns = server.stats().total().turns();
                server.execute(() -> {});
                assertThat(server.stats().total().turns()).as("it stands still").isEqualTo(turns);
            } finally {
                server.observe(null);
                released.countDown();
            }
            CountDownLatch ran = new CountDownLatch(1);
            server.execute(ran::countDown);
            assertThat(ran.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
