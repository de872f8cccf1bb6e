package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Network;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.TortureNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Where one test plays on one network: servers, clients, and waiting for what must come. At the end everything is closed, and every server
 * must have told its story in order, and must owe nothing.
 */
final class Stage implements AutoCloseable {
    /** How long anything may take that should happen at once, on a machine with much else to do. */
    static final Duration PATIENCE = Duration.ofSeconds(Integer.getInteger("trivet.patience", 30));

    static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    /** More than the buffers of both sockets hold, however large the kernel lets them grow. */
    static final int STICKING_BYTES = 8 << 20;
    private static final byte[] STICKING = FramedEchoTest.patterned(STICKING_BYTES);
    /** Limits under which a message of that length can wait. */
    static final Limits ROOMY = Limits.defaults().withQueueBytesMax(2 * STICKING_BYTES).withMessageBytesMax(2 * STICKING_BYTES);

    private static final Duration STEP = Duration.ofMillis(1);
    private static final long PAUSE_NANOS = 50_000;

    private final SteppedNetwork stepped;
    private final Network network;
    private final Deque<AutoCloseable> kept = new ArrayDeque<>();
    private final List<Server> servers = new ArrayList<>();
    private final List<Server> opened = new ArrayList<>();
    private final List<Story> stories = new ArrayList<>();

    Stage(Network network) {
        this.network = network;
        stepped = new SteppedNetwork(network);
    }

    /** The network under test. */
    Network network() {
        return network;
    }

    /** The same, in a time that passes only by {@link #pass}. */
    Network stepped() {
        return stepped;
    }

    void pass(Duration duration) {
        stepped.step(duration);
    }

    <C extends AutoCloseable> C keep(C resource) {
        kept.push(resource);
        return resource;
    }

    Story story(Handler handler) {
        Story story = new Story(handler);
        stories.add(story);
        return story;
    }

    // Servers.

    /** A server on a free port, in real time. */
    Server.Builder server(Handler handler) {
        return Server.builder().network(network).listen(FREE_PORT).handler(handler);
    }

    /** A server on a free port, in the stage's time. */
    Server.Builder steppedServer(Handler handler) {
        return Server.builder().network(stepped).listen(FREE_PORT).handler(handler);
    }

    /** Opens a server, which is turned by this thread whenever it waits for something. */
    Server open(Server.Builder builder) throws IOException {
        Server server = builder.open();
        opened.add(server);
        servers.add(server);
        return server;
    }

    /** Starts a server with threads of its own; a simulated network turns it instead. */
    Server start(Server.Builder builder) throws IOException {
        Server server = network.turnsLoops() ? builder.open() : builder.start();
        servers.add(server);
        return server;
    }

    Client client(Server server) throws IOException {
        return keep(new Client(this, server.address()));
    }

    // Waiting.

    /** A condition. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws IOException;
    }

    /** Turns the opened servers until a condition holds, or lets the started ones do their work. */
    void until(String what, Condition condition) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("in time: %s", what).isLessThan(deadline);
            step();
        }
    }

    /** Turns the opened servers once. */
    void step() throws IOException {
        boolean turned = false;
        for (Server server : opened) {
            if (!server.loops().getFirst().isStopped()) {
                server.turn(turned ? Duration.ZERO : STEP);
                turned = true;
            }
        }
        if (!turned && network instanceof SimNetwork simulated) {
            simulated.run(STEP);
        } else if (!turned) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Turns the opened servers until none has anything to do. */
    void settle() throws IOException {
        int enough = network instanceof TortureNetwork ? 8 : 3; // which may pretend a few times in a row that there is nothing
        int quiet = 0;
        while (quiet < enough) {
            int done = 0;
            for (Server server : opened) {
                if (!server.loops().getFirst().isStopped()) {
                    done += server.turn(STEP);
                }
            }
            quiet = done == 0 ? quiet + 1 : 0;
        }
    }

    /** Until a connection's socket takes nothing more, and something waits. */
    void untilStuck(Connection connection) throws IOException {
        int[] before = {-1};
        until("the socket is full", () -> {
            settle();
            int bytes = connection.queuedBytes();
            boolean stuck = bytes > 0 && bytes == before[0] && connection.is(Connection.BLOCKED);
            before[0] = bytes;
            return stuck;
        });
    }

    /** Sends one long message to a client that does not read, until its socket takes no more; the message. */
    byte[] stick(Connection connection) throws IOException {
        byte[] message = STICKING.clone();
        assertThat(connection.send(message)).isEqualTo(SendResult.QUEUED);
        untilStuck(connection);
        return message;
    }

    @Override
    public void close() throws IOException {
        Throwable failure = null;
        for (Server server : servers) {
            server.close();
        }
        while (!kept.isEmpty()) {
            try {
                kept.pop().close();
            } catch (Exception e) {
                failure = failure == null ? e : failure;
            }
        }
        if (failure != null) {
            throw new IOException("something could not be closed after the test", failure);
        }
        for (Story story : stories) {
            story.assertInOrder();
            story.assertAllClosed();
            for (int i = 0; i < story.size(); i++) {
                MessageQueue queue = story.connection(i).queue();
                assertThat(queue.bytes()).as("bytes in the queue of a closed connection").isZero();
                assertThat(queue.messages()).as("messages in the queue of a closed connection").isZero();
            }
        }
        for (Server server : servers) {
            assertThat(server.stats().queueBytes()).as("the budget of a closed server").isZero();
            assertThat(server.stats().total().connections()).as("the connections of a closed server").isZero();
        }
    }
}
