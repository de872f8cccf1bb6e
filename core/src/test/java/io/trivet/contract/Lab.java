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
 * The place where one test runs on one engine: its network, sockets and pollers that are closed at the end, waiting for readiness, and
 * the words for what the engine cannot do. Waiting goes by the network's own clock, so that it works on a simulated one too.
 */
public final class Lab implements AutoCloseable {
    /** How long anything may take that should happen at once. */
    public static final Duration PATIENCE = Duration.ofSeconds(10);

    /** Any free port of 127.0.0.1. */
    public static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private static final Duration STEP = Duration.ofMillis(1);

    private final Engine engine;
    private final String run;
    private final Network network;
    private final Deque<AutoCloseable> kept = new ArrayDeque<>();

    Lab(Engine engine, String run) {
        this.engine = engine;
        this.run = run;
        this.network = engine.opener().get();
    }

    /** The engine's name. */
    public String engine() {
        return engine.name();
    }

    /** The network under test. */
    public Network network() {
        return network;
    }

    /** Has something closed at the end of the test, the last first. */
    public synchronized <C extends AutoCloseable> C keep(C resource) {
        kept.push(resource);
        return resource;
    }

    @Override
    public synchronized void close() throws IOException {
        IOException failure = null;
        while (!kept.isEmpty()) {
            try {
                kept.pop().close();
            } catch (Exception e) {
                failure = failure == null ? new IOException("something could not be closed after the test", e) : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    // What an engine cannot do.

    /**
     * For a test that needs a capability: true when the engine lacks it; then the use has been seen to be refused, and its message is
     * the reason in the table.
     */
    public boolean refuses(Capability capability, ThrowingCallable use) {
        if (network.supports(capability)) {
            return false;
        }
        assertThatThrownBy(use).isInstanceOfSatisfying(UnsupportedOperationException.class, e -> {
            assertThat(e.getMessage()).as("a refusal says what can").isNotBlank();
            cannot(e.getMessage());
        });
        return true;
    }

    /** The test has seen the engine refuse: the table says <em>cannot</em> instead of <em>pass</em>. */
    public void cannot(String reason) {
        EngineTable.refused(run, reason);
    }

    /** The case means nothing on this engine. */
    public void doesNotApply(String reason) {
        EngineTable.notApplicable(run, reason);
    }

    // Sockets.

    /** A listener on a free port of 127.0.0.1. */
    public TcpListener listener() throws IOException {
        return keep(network.listen(FREE_PORT, 128));
    }

    /** A connection over 127.0.0.1, both ends ready for use. */
    public Pair pair() throws IOException {
        try (TcpListener listener = network.listen(FREE_PORT, 1)) {
            return pair(listener);
        }
    }

    /** A connection to a listener of ours, both ends ready for use. */
    public Pair pair(TcpListener listener) throws IOException {
        TcpStream client = keep(network.connect(listener.localAddress()));
        TcpStream server = accept(listener);
        eventually("connected", client::finishConnect);
        return new Pair(client, server);
    }

    /** The next connection, waited for. */
    public TcpStream accept(TcpListener listener) throws IOException {
        TcpStream[] accepted = new TcpStream[1];
        eventually("a connection is accepted", () -> (accepted[0] = listener.accept()) != null);
        return keep(accepted[0]);
    }

    /** A UDP socket on a free port of 127.0.0.1. */
    public UdpSocket udp() throws IOException {
        return keep(network.udp(FREE_PORT));
    }

    /** A pipe. */
    public Pipe pipe() throws IOException {
        return keep(network.pipe());
    }

    /** A poller. */
    public Poller poller() throws IOException {
        return keep(network.poller());
    }

    // Readiness.

    /**
     * In which lists a socket stands right now: {@code rw-} is readable and writable. Where the engine has no third list it is left
     * out.
     */
    public String lists(Socket socket) throws IOException {
        List<Socket> one = List.of(socket);
        List<Socket> third = network.supports(Capability.URGENT_DATA) ? one : List.of();
        Ready<Socket> ready = Select.on(network).select(one, one, third, Duration.ZERO);
        return (ready.readable().isEmpty() ? "-" : "r") + (ready.writable().isEmpty() ? "-" : "w")
                + (ready.exceptional().isEmpty() ? "-" : "x");
    }

    /** Waits until a socket stands in exactly these lists. */
    public void awaitLists(Socket socket, String expected) throws IOException {
        long begun = network.clock().nanoTime();
        String lists = lists(socket);
        while (!lists.equals(expected)) {
            assertThat(since(begun)).as("%s stands in %s, should stand in %s", socket, lists, expected).isLessThan(PATIENCE);
            pause(STEP);
            lists = lists(socket);
        }
    }

    /** A socket stands in exactly these lists, and a little later as well. */
    public void staysInLists(Socket socket, String expected) throws IOException {
        assertThat(lists(socket)).isEqualTo(expected);
        pause(Duration.ofMillis(20));
        assertThat(lists(socket)).as("a little later").isEqualTo(expected);
    }

    /** Waits until a condition holds. */
    public void eventually(String what, Condition condition) throws IOException {
        long begun = network.clock().nanoTime();
        while (!condition.holds()) {
            assertThat(since(begun)).as("in time: %s", what).isLessThan(PATIENCE);
            pause(STEP);
        }
    }

    /** Lets the network's time pass: three empty lists and a timeout are a sleep. */
    public void pause(Duration duration) throws IOException {
        Select.on(network).select(List.of(), List.of(), List.of(), duration);
    }

    /** A condition about sockets. */
    @FunctionalInterface
    public interface Condition {
        /** Whether it holds now. */
        boolean holds() throws IOException;
    }

    /** Polls until something is reported, and gives it. */
    public List<Event> await(Poller poller) throws IOException {
        ReadyEvents out = new ReadyEvents(64);
        long begun = network.clock().nanoTime();
        while (poller.poll(out, PATIENCE.toNanos()) == 0) {
            assertThat(since(begun)).as("in time: an event").isLessThan(PATIENCE);
        }
        return events(out);
    }

    /** What is ready now. */
    public static List<Event> poll(Poller poller) throws IOException {
        ReadyEvents out = new ReadyEvents(64);
        poller.poll(out, 0);
        return events(out);
    }

    /** The entries of a buffer. */
    public static List<Event> events(ReadyEvents out) {
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < out.size(); i++) {
            events.add(new Event(out.token(i), out.events(i)));
        }
        return events;
    }

    /**
     * What a poller reported.
     *
     * @param token whose
     * @param bits what, as bits of {@link Interest}
     */
    public record Event(long token, int bits) {
        @Override
        public String toString() {
            return token + ":" + Interest.toString(bits);
        }
    }

    // Bytes.

    /** A buffer with these characters. */
    public static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Writes all of a text, waiting for room. */
    public void send(TcpStream stream, String text) throws IOException {
        ByteBuffer buffer = bytes(text);
        eventually("all is sent", () -> {
            stream.write(buffer);
            return !buffer.hasRemaining();
        });
    }

    /** Fills a pipe, however little one write takes. */
    public void fill(Pipe.Sink sink) throws IOException {
        ByteBuffer page = ByteBuffer.allocate(4096);
        while (lists(sink).contains("w")) {
            sink.write(page.clear());
        }
    }

    /** What one read gives now: the characters, "" when it would block, null at the end of input. */
    public static String read(TcpStream stream) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        int count = stream.read(buffer);
        return count < 0 ? null : new String(buffer.array(), 0, count, StandardCharsets.ISO_8859_1);
    }

    /** Reads that many characters, waiting for them. */
    public String receive(TcpStream stream, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        eventually(count + " bytes arrive", () -> {
            assertThat(stream.read(buffer)).as("bytes read after %d of %d", buffer.position(), count).isNotNegative();
            return !buffer.hasRemaining();
        });
        return new String(buffer.array(), StandardCharsets.ISO_8859_1);
    }

    /** Waits for the end of input. */
    public void awaitEnd(TcpStream stream) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        eventually("the end of input", () -> stream.read(buffer.clear()) < 0);
    }

    /** How long ago that was: only differences of a clock mean something. */
    private Duration since(long begun) {
        return Duration.ofNanos(network.clock().nanoTime() - begun);
    }
}
