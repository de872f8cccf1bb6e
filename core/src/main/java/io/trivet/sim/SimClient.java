package io.trivet.sim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.NetworkException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A scripted client on a {@link SimNetwork}. The methods from {@link #send} to {@link #reset} append a step to its script and
 * return at once. The client performs the steps one after the other while the network runs, so that several clients are active
 * at the same time. It always reads, unless {@link #pauseReading} stops it, and records what it has received and how its
 * connection has ended.
 *
 * {@snippet :
 * SimHost host = network.host(InetAddress.ofLiteral("10.0.0.1"));
 * SimClient ann = SimClient.connect(host, server.address(), "ann")
 *         .sendInPieces("hello\n")       // cut anywhere
 *         .await("HELLO\n")              // the next steps wait for the reply
 *         .endOutput();
 * network.run(Duration.ofMinutes(1));
 * network.stopFaults();
 * network.run(Duration.ofMinutes(1));
 * ClientOracle.expecting("HELLO\n").check(ann);
 * }
 *
 * <p>If the connection ends, the client closes its socket and performs no further step. A script never fails, and never times out:
 * the test decides how long the network runs, and what it expects. Faults affect the client's connect, reads and writes as they
 * affect those of any other program on its host.
 *
 * <p><b>Threads.</b> Not thread-safe: used by the thread that uses the network.
 */
public final class SimClient {
    private static final int READ_BYTES_MAX = 64 << 10;
    private static final long STREAM = 0x636c69656e74L; // "client"
    private static final long GAP_NANOS_MAX = 20_000_000;

    /** One step of the script. */
    private record Step(String description, Action action) {}

    /** Performs a step, or a part of it. Returns whether the step is done. */
    @FunctionalInterface
    private interface Action {
        boolean perform() throws IOException;
    }

    private final class ClientLoop implements Loop {
        @Override
        public int turn() {
            return SimClient.this.turn();
        }

        @Override
        public long nextDeadline() {
            return pausedUntil > host.kernel.now() && end == ClientEnd.OPEN ? deadline(pausedUntil) : NO_DEADLINE;
        }

        private long deadline(long elapsedNanos) {
            long nanoTime = host.clock().nanoTime() + elapsedNanos - host.kernel.now();
            return nanoTime == NO_DEADLINE ? nanoTime + 1 : nanoTime;
        }
    }

    private final SimHost host;
    private final String name;
    private final SimRandom random;
    private final Deque<Step> steps = new ArrayDeque<>();
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private final ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES_MAX);
    private final @Nullable SimTcpStream stream;
    private final @Nullable InetSocketAddress address;
    /** How often the network's clock had jumped when the client was made. */
    private final long jumpsAtStart;
    private long jumpsAtEnd;
    private ClientEnd end = ClientEnd.OPEN;
    private @Nullable IOException failure;
    private boolean connected;
    private boolean reads = true;
    /** The time until which no step is performed, since the network was created. */
    private long pausedUntil;
    /** The position in the received bytes after the last text that was awaited. */
    private int searchFrom;
    /** Set when a turn has done something or has to try again. */
    private boolean worked;

    private SimClient(SimHost host, InetSocketAddress server, @Nullable String name) throws IOException {
        this.host = host;
        jumpsAtStart = clockJumps();
        SimTcpStream opened = null;
        NetworkException refusal = null;
        try {
            opened = (SimTcpStream) host.connect(server);
        } catch (NetworkException e) {
            refusal = e;
        }
        stream = opened;
        address = opened == null ? null : opened.localAddress();
        String source = address == null ? host.address().getHostAddress() : Addresses.toString(address);
        this.name = name == null ? "client " + source : name;
        random = new SimRandom(host.kernel.seed, STREAM + (address == null ? 0 : address.getPort()));
        if (refusal != null) {
            end(ClientEnd.REFUSED, "cannot connect: " + refusal.getMessage(), refusal);
        } else {
            trace("connects from " + source);
            host.attach(new ClientLoop());
        }
    }

    /**
     * Starts to connect a client to a server.
     *
     * @param host the host of the client; not that of the server, unless they are to share descriptors
     * @param server the address of the server
     * @return the client, connecting; {@link ClientEnd#REFUSED} if no socket can be opened
     * @throws java.net.UnknownHostException the address is unresolved
     * @throws IOException another error
     */
    public static SimClient connect(SimHost host, InetSocketAddress server) throws IOException {
        return new SimClient(host, server, null);
    }

    /**
     * Starts to connect a client to a server.
     *
     * @param host the host of the client; not that of the server, unless they are to share descriptors
     * @param server the address of the server
     * @param name the client's name in the trace and in messages
     * @return the client, connecting; {@link ClientEnd#REFUSED} if no socket can be opened
     * @throws java.net.UnknownHostException the address is unresolved
     * @throws IOException another error
     */
    public static SimClient connect(SimHost host, InetSocketAddress server, String name) throws IOException {
        return new SimClient(host, server, Objects.requireNonNull(name));
    }

    // ---- the script

    /**
     * Sends a text, in as few writes as the socket allows.
     *
     * @param text the text, sent in UTF-8
     * @return this
     */
    public SimClient send(String text) {
        return send(text.getBytes(UTF_8));
    }

    /**
     * Sends bytes, in as few writes as the socket allows.
     *
     * @param bytes the bytes, which are copied
     * @return this
     */
    public SimClient send(byte[] bytes) {
        byte[] copy = bytes.clone();
        ByteBuffer left = ByteBuffer.wrap(copy);
        return then("to send " + copy.length + " bytes", () -> write(copy, left, copy.length));
    }

    /**
     * Sends a text in pieces: cut at random places, with pauses of up to 20 milliseconds between some of them. The seed of the
     * network decides.
     *
     * @param text the text, sent in UTF-8
     * @return this
     */
    public SimClient sendInPieces(String text) {
        return sendInPieces(text.getBytes(UTF_8));
    }

    /**
     * Sends bytes in pieces: cut at random places, with pauses of up to 20 milliseconds between some of them. The seed of the
     * network decides.
     *
     * @param bytes the bytes, which are copied
     * @return this
     */
    public SimClient sendInPieces(byte[] bytes) {
        byte[] copy = bytes.clone();
        ByteBuffer left = ByteBuffer.wrap(copy);
        return then("to send " + copy.length + " bytes in pieces", () -> {
            int whole = left.remaining();
            int piece = whole > 1 && random.below(4) > 0 ? random.part(whole) : whole;
            boolean done = write(copy, left, left.position() + piece);
            if (!done && random.below(2) == 0) {
                pauseUntil(random.between(1, GAP_NANOS_MAX));
            }
            return done;
        });
    }

    /**
     * Waits until a text arrives, after what an earlier {@code await} has found.
     *
     * @param text the text, received in UTF-8
     * @return this
     */
    public SimClient await(String text) {
        byte[] wanted = text.getBytes(UTF_8);
        int[] searched = {-1};
        return then("for " + EscapedBytes.quote(wanted), () -> {
            if (searched[0] == received.size()) {
                return false; // nothing more has arrived
            }
            searched[0] = received.size();
            int at = EscapedBytes.indexOf(received.toByteArray(), wanted, searchFrom);
            if (at >= 0) {
                searchFrom = at + wanted.length;
            }
            return at >= 0;
        });
    }

    /**
     * Waits until a number of bytes has been received since the start.
     *
     * @param count the total number of bytes
     * @return this
     */
    public SimClient awaitBytes(int count) {
        return then("until it has received " + count + " bytes", () -> received.size() >= count);
    }

    /**
     * Waits for a duration.
     *
     * @param duration the simulated time
     * @return this
     */
    public SimClient pause(Duration duration) {
        long nanos = duration.toNanos();
        boolean[] started = {false};
        return then("for " + duration, () -> {
            if (!started[0]) {
                started[0] = true;
                pauseUntil(nanos);
                return nanos <= 0;
            }
            return true;
        });
    }

    /**
     * Stops reading: the buffers fill up, and then the server's queue.
     *
     * @return this
     */
    public SimClient pauseReading() {
        return then("to stop reading", () -> {
            trace("stops reading");
            reads = false;
            return true;
        });
    }

    /**
     * Reads again after {@link #pauseReading}.
     *
     * @return this
     */
    public SimClient resumeReading() {
        return then("to read again", () -> {
            trace("reads again");
            reads = true;
            return true;
        });
    }

    /**
     * Ends the output (half-close). The server reads to the end of its input; the client still reads.
     *
     * @return this
     */
    public SimClient endOutput() {
        return then("to end its output", () -> {
            trace("ends its output");
            stream().shutdownOutput();
            return true;
        });
    }

    /**
     * Closes the connection. If received bytes are unread or more arrive, the kernel resets it.
     *
     * @return this
     */
    public SimClient close() {
        return then("to close", () -> {
            end(ClientEnd.CLOSED, "closes its connection", null);
            return true;
        });
    }

    /**
     * Resets the connection (SO_LINGER with 0, then close).
     *
     * @return this
     */
    public SimClient reset() {
        return then("to reset", () -> {
            stream().setOption(StandardSocketOptions.SO_LINGER, 0);
            end(ClientEnd.CLOSED, "resets its connection", null);
            return true;
        });
    }

    private SimClient then(String description, Action action) {
        steps.add(new Step(description, action));
        host.kernel.progress();
        return this;
    }

    // ---- what the client has seen

    /**
     * Returns how the connection has ended.
     *
     * @return {@link ClientEnd#OPEN} as long as it has not
     */
    public ClientEnd end() {
        return end;
    }

    /**
     * Returns why the connection could not be established, or was reset.
     *
     * @return the error; null if there was none
     */
    public @Nullable IOException failure() {
        return failure;
    }

    /**
     * Returns whether all steps were performed.
     *
     * @return false if steps are left, also when the connection has ended
     */
    public boolean isDone() {
        return steps.isEmpty();
    }

    /**
     * Returns the bytes that the socket has accepted from the client. The server need not have received them.
     *
     * @return a copy
     */
    public byte[] sent() {
        return sent.toByteArray();
    }

    /**
     * Returns all bytes that the client has received.
     *
     * @return a copy
     */
    public byte[] received() {
        return received.toByteArray();
    }

    /**
     * Returns all bytes that the client has received, as text.
     *
     * @return the text, decoded as UTF-8
     */
    public String receivedText() {
        return received.toString(UTF_8);
    }

    /**
     * Returns the lines that the client has received completely, each ended by a newline.
     *
     * @return the lines, without the newlines
     */
    public List<String> receivedLines() {
        String text = receivedText();
        return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    }

    /**
     * Returns the faults that have affected the connection, as {@link SimNetwork#faultsOf} records them.
     *
     * @return a copy, in the order of the constants; empty if there were none
     */
    public Set<Fault> faults() {
        EnumSet<Fault> faults = EnumSet.noneOf(Fault.class);
        if (address != null) {
            faults.addAll(host.kernel.faultsOf(address));
        }
        return Collections.unmodifiableSet(faults);
    }

    /**
     * Returns the client's own address, by which the server and {@link SimNetwork#faultsOf} know it.
     *
     * @return the address; null if no socket could be opened
     */
    public @Nullable InetSocketAddress address() {
        return address;
    }

    /** Returns whether the server has closed the connection before it had read all that the client had sent. */
    boolean wasLeftUnread() {
        return address != null && host.kernel.leftUnread(address);
    }

    /** Returns whether the clock has jumped since the client was made, and before its end, so that a deadline may have expired early. */
    boolean hasClockJumped() {
        return (end == ClientEnd.OPEN ? clockJumps() : jumpsAtEnd) > jumpsAtStart;
    }

    private long clockJumps() {
        return host.kernel.faults.count(Fault.CLOCK_JUMP);
    }

    /** Returns whether it reads what arrives; false between {@link #pauseReading} and {@link #resumeReading}. */
    boolean isReading() {
        return reads;
    }

    /** Returns what the client waits for; empty if all steps were performed. */
    String waitsFor() {
        Step next = steps.peek();
        return next == null ? "" : "waits " + next.description;
    }

    /** Returns the client's name. */
    @Override
    public String toString() {
        return name;
    }

    // ---- the run

    private int turn() {
        if (end != ClientEnd.OPEN) {
            return 0;
        }
        worked = false;
        try {
            if (connected || finishConnect()) {
                read();
                performSteps();
            }
        } catch (IOException e) {
            fail(e);
        }
        return worked ? 1 : 0;
    }

    private boolean finishConnect() throws IOException {
        if (stream().end.isConnecting()) {
            return false;
        }
        worked = true;
        connected = stream().finishConnect();
        if (!connected && stream().end.isClosed()) { // the fault CONNECT_LATE has hidden that it was connected
            ErrorCode error = stream().end.takeError();
            if (error == null) {
                end(ClientEnd.REFUSED, "was closed before it was connected", null);
            } else {
                fail(new NetworkException("connect", stream(), error));
            }
        }
        return connected;
    }

    private void read() throws IOException {
        if (!reads || (stream().end.ready() & (Interest.READ | Interest.ERROR | Interest.HANG_UP)) == 0) {
            return;
        }
        worked = true;
        int count = stream().read(buffer.clear());
        if (count > 0) {
            received.write(buffer.array(), 0, count);
            if (host.kernel.isTraced()) {
                byte[] all = received.toByteArray();
                trace("receives " + EscapedBytes.quote(all, all.length - count, all.length));
            }
        } else if (count < 0) {
            end(ClientEnd.ENDED, "reads the end of its input", null);
        }
    }

    private void performSteps() throws IOException {
        while (end == ClientEnd.OPEN && !steps.isEmpty() && host.kernel.now() >= pausedUntil) {
            if (!steps.getFirst().action.perform()) {
                return;
            }
            worked = true;
            steps.removeFirst();
        }
    }

    /** Writes bytes from the position of their buffer up to a limit. Returns whether nothing is left of the whole. */
    private boolean write(byte[] bytes, ByteBuffer left, int limit) throws IOException {
        int from = left.position();
        int whole = left.limit();
        if (from < whole && (stream().end.room() > 0 || stream().end.refusesWrites())) {
            worked = true;
            try {
                stream().write(left.limit(limit));
            } finally {
                left.limit(whole);
            }
            sent.write(bytes, from, left.position() - from);
            if (left.position() > from && host.kernel.isTraced()) {
                trace("sends " + EscapedBytes.quote(bytes, from, left.position()));
            }
        }
        return left.position() == whole;
    }

    private void pauseUntil(long nanos) {
        pausedUntil = host.kernel.now() + nanos;
    }

    private void fail(IOException cause) {
        worked = true;
        // If the server has ended its output before it resets, the error is EPIPE.
        boolean isReset = cause instanceof NetworkException failed
                && (failed.code() == ErrorCode.ECONNRESET || failed.code() == ErrorCode.EPIPE);
        if (!connected && !isReset) {
            end(ClientEnd.REFUSED, "cannot connect: " + cause.getMessage(), cause);
        } else if (stream().end.hidesError()) {
            // The server has ended its output before: only the output has failed, and what has arrived is still there.
            trace("can send no more: " + cause.getMessage());
            steps.clear();
            reads = true; // the step that reads again may be one of them
            steps.add(new Step("for the end of its input", () -> false));
        } else {
            end(ClientEnd.RESET, "is reset: " + cause.getMessage(), cause);
        }
    }

    private void end(ClientEnd how, String event, @Nullable IOException cause) {
        end = how;
        jumpsAtEnd = clockJumps();
        failure = cause;
        trace(event);
        if (stream != null) {
            stream.close();
        }
    }

    private void trace(String event) {
        if (host.kernel.isTraced()) {
            host.kernel.trace(name + " " + event);
        }
    }

    private SimTcpStream stream() {
        return Objects.requireNonNull(stream);
    }
}
