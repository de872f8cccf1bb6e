package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.NotSimulated;
import io.trivet.linux.CrampedRing;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;

/** Which threads may turn an opened server: one after the other, and virtual ones. */
final class TurningThreadsTest {
    private static final Handler ECHO = (connection, message) -> connection.send(message);
    private static final int CLIENTS = 20;

    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void virtualThreadCanTurn(Stage stage) throws Exception {
        serveFrom(stage, List.of(Thread.ofVirtual().factory()));
    }

    /** The connections of the first thread are served by the next ones, whatever the kernel did when that thread ended. */
    @EveryNetwork
    @NotSimulated(NotSimulated.THREADS)
    void anotherThreadCanTurnAfterTheFirstHasEnded(Stage stage) throws Exception {
        ThreadFactory platform = Thread.ofPlatform().factory();
        ThreadFactory virtual = Thread.ofVirtual().factory();
        serveFrom(stage, List.of(platform, platform, virtual, platform, virtual, virtual));
    }

    /** Serves all clients from one thread, which then ends; and again from the next. */
    private static void serveFrom(Stage stage, List<ThreadFactory> factories) throws Exception {
        List<Socket> clients = new ArrayList<>();
        try (Server server = stage.server(ECHO).open()) {
            for (ThreadFactory factory : factories) {
                Turner turner = new Turner(stage, server, factory);
                try {
                    for (int i = 0; i < CLIENTS; i++) {
                        Socket client = stage.keep(stage.socket(server));
                        clients.add(client);
                    }
                    exchange(clients, "hello");
                    sendAll(clients, "unanswered"); // the last turn may leave replies that no call has handed over yet
                } finally {
                    turner.end();
                }
                Turner next = new Turner(stage, server, factory);
                try {
                    receiveAll(clients, "unanswered");
                    for (Socket client : clients.subList(0, CLIENTS / 2)) {
                        client.close();
                    }
                    clients.subList(0, CLIENTS / 2).clear();
                    exchange(clients, "again");
                } finally {
                    next.end();
                }
            }
            assertThat(server.isClosed()).isFalse();
        }
        for (Socket client : clients) {
            assertThat(endOfInput(client)).as("the server closes every connection").isTrue();
        }
    }

    private static void exchange(List<Socket> clients, String message) throws IOException {
        sendAll(clients, message);
        receiveAll(clients, message);
    }

    private static void sendAll(List<Socket> clients, String message) throws IOException {
        for (Socket client : clients) {
            client.getOutputStream().write(message.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static void receiveAll(List<Socket> clients, String message) throws IOException {
        for (Socket client : clients) {
            assertThat(new String(client.getInputStream().readNBytes(message.length()), StandardCharsets.UTF_8))
                    .isEqualTo(message);
        }
    }

    private static boolean endOfInput(Socket client) {
        try (InputStream in = client.getInputStream()) {
            return in.read() < 0;
        } catch (IOException e) {
            return true;
        }
    }

    /**
     * A thread that turns a server until it is stopped. On a ring whose completion queue has eight places it ends as
     * docs/troubleshooting.md recommends, when a turn has done nothing: otherwise the queue may have overflowed when the thread
     * ends, and the connections concerned are failed.
     */
    private static final class Turner {
        private final Server server;
        private final boolean endsWhenIdle;
        private final Thread thread;
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private volatile boolean ending;

        Turner(Stage stage, Server server, ThreadFactory factory) {
            this.server = server;
            endsWhenIdle = CrampedRing.isNetwork(stage.network());
            thread = factory.newThread(this::turn);
            thread.start();
        }

        @SuppressWarnings("ThreadPriorityCheck") // not for an order of threads, but to unmount a virtual one
        private void turn() {
            try {
                while (!ending) {
                    server.turn(Duration.ofMillis(20));
                    Thread.yield(); // a virtual thread may continue on another carrier
                }
                while (endsWhenIdle && server.turn(Duration.ZERO) > 0) {
                    Thread.yield();
                }
            } catch (Throwable t) {
                failure.set(t);
            }
        }

        void end() throws InterruptedException {
            ending = true;
            thread.join();
            assertThat(failure.get()).isNull();
        }
    }
}
