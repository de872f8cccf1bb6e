package io.trivet.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.net.Capability;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/**
 * The fixture of one test run on one engine. It opens sockets and pollers of the engine's network and closes them at the end,
 * waits for readiness, and records what the engine cannot do. Waiting uses the network's clock, so that it works on a simulated
 * network too.
 */
public final class Lab implements AutoCloseable {
    /** The timeout for what should happen at once. */
    public static final Duration PATIENCE = Slowness.scaled(Duration.ofSeconds(10));

    /** Port 0 of 127.0.0.1: a bind chooses a free port. */
    public static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private static final Duration POLL_INTERVAL = Duration.ofMillis(1);

    private final Engine engine;
    private final String run;
    private final Network network;
    private final Deque<AutoCloseable> toClose = new ArrayDeque<>();

    Lab(Engine engine, String run) {
        this.engine = engine;
        this.run = run;
        this.network = engine.opener().get();
    }

    /** Returns the name of the engine. */
    public String engine() {
        return engine.name();
    }

    /** Returns the network under test. */
    public Network network() {
        return network;
    }

    /** Closes a resource at the end of the test. The last one is closed first. */
    public synchronized <C extends AutoCloseable> C keep(C resource) {
        toClose.push(resource);
        return resource;
    }

    @Override
    public synchronized void close() throws IOException {
        IOException failure = null;
        while (!toClose.isEmpty()) {
            try {
                toClose.pop().close();
            } catch (Exception e) {
                failure = failure == null ? new IOException("a resource could not be closed after the test", e) : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    // What the engine cannot do.

    /**
     * Returns whether the engine lacks a capability that the test needs. If so, verifies that using it throws, and records the
     * message as the reason in the table.
     */
    public boolean refuses(Capability capability, ThrowingCallable use) {
        if (network.supports(capability)) {
            return false;
        }
        assertThatThrownBy(use).isInstanceOfSatisfying(UnsupportedOperationException.class, e -> {
            assertThat(e.getMessage()).as("the message names what can").isNotBlank();
            cannot(e.getMessage());
        });
        return true;
    }

    /** Records that the engine refused, as the test has verified: the table shows <em>cannot</em> instead of <em>pass</em>. */
    public void cannot(String reason) {
        EngineTable.refused(run, reason);
    }

    /** Records that the case does not apply to this engine. */
    public void doesNotApply(String reason) {
        EngineTable.notApplicable(run, reason);
    }

    // Sockets.

    /** Opens a listener on a free port of 127.0.0.1. */
    public TcpListener listener() throws IOException {
        return keep(network.listen(FREE_PORT, 128));
    }

    /** Opens a connection over 127.0.0.1. Both ends are connected. */
    public Pair pair() throws IOException {
        try (TcpListener listener = network.listen(FREE_PORT, 1)) {
            return pair(listener);
        }
    }

    /** Opens a connection to a listener of this network. Both ends are connected. */
    public Pair pair(TcpListener listener) throws IOException {
        TcpStream client = keep(network.connect(listener.localAddress()));
        TcpStream server = accept(listener);
        eventually("connected", client::finishConnect);
        return new Pair(client, server);
    }

    /** Waits for a connection and accepts it. */
    public TcpStream accept(TcpListener listener) throws IOException {
        TcpStream[] accepted = new TcpStream[1];
        eventually("a connection is accepted", () -> (accepted[0] = listener.accept()) != null);
        return keep(accepted[0]);
    }

    /** Opens a UDP socket on a free port of 127.0.0.1. */
    public UdpSocket udp() throws IOException {
        return keep(network.udp(FREE_PORT));
    }

    /** Opens a pipe. */
    public Pipe pipe() throws IOException {
        return keep(network.pipe());
    }

    /** Opens a poller. */
    public Poller poller() throws IOException {
        return keep(network.poller());
    }

    // Readiness.

    /**
     * Returns the lists in which select returns a socket now: {@code rw-} is readable and writable. On an engine without urgent
     * data the third list is not requested.
     */
    public String lists(Socket socket) throws IOException {
        List<Socket> one = List.of(socket);
        List<Socket> third = network.supports(Capability.URGENT_DATA) ? one : List.of();
        Ready<Socket> ready = Select.on(network).select(one, one, third, Duration.ZERO);
        return (ready.readable().isEmpty() ? "-" : "r") + (ready.writable().isEmpty() ? "-" : "w")
                + (ready.exceptional().isEmpty() ? "-" : "x");
    }

    /** Waits until select returns a socket in exactly these lists. */
    public void awaitLists(Socket socket, String expected) throws IOException {
        long start = network.clock().nanoTime();
        String lists = lists(socket);
        while (!lists.equals(expected)) {
            assertThat(since(start)).as("%s is in lists %s, expected %s", socket, lists, expected).isLessThan(PATIENCE);
            pause(POLL_INTERVAL);
            lists = lists(socket);
        }
    }

    /** Asserts that select returns a socket in exactly these lists, now and a little later. */
    public void staysInLists(Socket socket, String expected) throws IOException {
        assertThat(lists(socket)).isEqualTo(expected);
        pause(Duration.ofMillis(20));
        assertThat(lists(socket)).as("a little later").isEqualTo(expected);
    }

    /** Waits until a condition holds. */
    public void eventually(String what, Condition condition) throws IOException {
        long start = network.clock().nanoTime();
        while (!condition.holds()) {
            assertThat(since(start)).as("time until: %s", what).isLessThan(PATIENCE);
            pause(POLL_INTERVAL);
        }
    }

    /** Sleeps on the network's clock: a select with three empty lists and a timeout. */
    public void pause(Duration duration) throws IOException {
        Select.on(network).select(List.of(), List.of(), List.of(), duration);
    }

    /** A condition of sockets. */
    @FunctionalInterface
    public interface Condition {
        /** Returns whether the condition holds now. */
        boolean holds() throws IOException;
    }

    /** Polls until an event is reported. Returns the events. */
    public List<Event> await(Poller poller) throws IOException {
        ReadyEvents out = new ReadyEvents(64);
        long start = network.clock().nanoTime();
        while (poller.poll(out, PATIENCE.toNanos()) == 0) {
            assertThat(since(start)).as("time until an event").isLessThan(PATIENCE);
        }
        return events(out);
    }

    /** Polls once without waiting. Returns the events. */
    public static List<Event> poll(Poller poller) throws IOException {
        ReadyEvents out = new ReadyEvents(64);
        poller.poll(out, 0);
        return events(out);
    }

    /** Returns the entries of an event buffer. */
    public static List<Event> events(ReadyEvents out) {
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < out.size(); i++) {
            events.add(new Event(out.token(i), out.events(i)));
        }
        return events;
    }

    /**
     * An event reported by a poller.
     *
     * @param token the token of the registration
     * @param bits the events, as bits of {@link Interest}
     */
    public record Event(long token, int bits) {
        @Override
        public String toString() {
            return token + ":" + Interest.toString(bits);
        }
    }

    // Bytes.

    /** Returns a buffer with these characters, one byte each. */
    public static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Writes a text completely, and waits for room in the send buffer if necessary. */
    public void send(TcpStream stream, String text) throws IOException {
        ByteBuffer buffer = bytes(text);
        eventually("all is sent", () -> {
            stream.write(buffer);
            return !buffer.hasRemaining();
        });
    }

    /** Fills a pipe, however few bytes each write accepts. */
    public void fill(Pipe.Sink sink) throws IOException {
        ByteBuffer page = ByteBuffer.allocate(4096);
        while (lists(sink).contains("w")) {
            sink.write(page.clear());
        }
    }

    /** Reads once. Returns the characters, "" if the read would block, or null at the end of input. */
    public static String read(TcpStream stream) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        int count = stream.read(buffer);
        return count < 0 ? null : new String(buffer.array(), 0, count, StandardCharsets.ISO_8859_1);
    }

    /** Waits for {@code count} characters and reads them. */
    public String receive(TcpStream stream, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        eventually(count + " bytes arrive", () -> {
            assertThat(stream.read(buffer)).as("bytes read after %d of %d", buffer.position(), count).isNotNegative();
            return !buffer.hasRemaining();
        });
        return new String(buffer.array(), StandardCharsets.ISO_8859_1);
    }

    /** Reads until the end of input. */
    public void awaitEnd(TcpStream stream) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        eventually("the end of input", () -> stream.read(buffer.clear()) < 0);
    }

    /** Returns the time since an earlier reading of the network's clock. */
    private Duration since(long start) {
        return Duration.ofNanos(network.clock().nanoTime() - start);
    }
}
