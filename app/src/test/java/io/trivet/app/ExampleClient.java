package io.trivet.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;

/**
 * A client of an example's server, which never waits: {@link #step} writes and reads what is possible, in pieces of random length.
 * Bytes are characters of Latin-1. A client that receives a wrong byte, or a byte too many, throws an AssertionError.
 */
abstract class ExampleClient {
    /** How its connection has ended. */
    enum End {
        OPEN,
        /** The server has ended it: the client has read the end of its input. */
        ENDED,
        /** It was reset, or not established. */
        CUT,
        /** The client has closed it. */
        LEFT
    }

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(150);

    final String name;
    final Random random;
    final ExampleNetwork network;
    End end = End.OPEN;
    /** When the last byte was written, and the longest time between two bytes. */
    private long writtenNanos;
    private long silenceNanos;
    private final boolean isSlow;
    /** A time before it has connected. */
    final long startedNanos;
    private TcpStream stream;
    private InetSocketAddress address;
    private boolean connected;
    private final StringBuilder unsent = new StringBuilder();
    private boolean finishing;
    private boolean finished;
    /** The number of bytes that the network has accepted. */
    private long written;
    private long queued;

    ExampleClient(ExampleNetwork network, String name, Random random) {
        this.network = network;
        this.name = name;
        this.random = new Random(random.nextLong());
        isSlow = random.nextInt(4) == 0;
        startedNanos = network.clock().nanoTime();
        try {
            stream = network.connect(random.nextInt(100));
        } catch (IOException e) {
            end = End.CUT;
        }
    }

    /** Called before each attempt to write and read: sends, or finishes, or leaves, when it is time to. */
    abstract void act();

    /** Passes on received bytes. */
    abstract void received(String bytes);

    /** Called when the connection has ended. Fails if it must not end so, or now. */
    abstract void ended();

    boolean isOver() {
        return end != End.OPEN;
    }

    boolean isConnected() {
        return connected && !isOver();
    }

    boolean awaitsWritable() {
        return !isOver() && (!connected || !unsent.isEmpty());
    }

    TcpStream stream() {
        return stream;
    }

    long now() {
        return network.clock().nanoTime();
    }

    /** Sends bytes as soon as the network takes them. Returns the number of bytes sent up to their end. */
    long send(String bytes) {
        unsent.append(bytes);
        queued += bytes.length();
        return queued;
    }

    /** Returns the number of bytes that the network has accepted. */
    long written() {
        return written;
    }

    /** Returns the longest time in which it has not written a byte. */
    long silenceNanos() {
        return Math.max(silenceNanos, now() - writtenNanos);
    }

    /** Ends the output after what was sent. */
    void finish() {
        finishing = true;
    }

    /** Closes the connection now. */
    void leave() {
        over(End.LEFT);
    }

    boolean mayBeCut() {
        return address == null || network.mayCut(address);
    }

    /** Fails unless the condition holds. */
    void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(name + " " + otherwise);
        }
    }

    /** Continues as far as possible. */
    void step() {
        if (isOver()) {
            return;
        }
        try {
            if (!connected) {
                connected = stream.finishConnect();
                if (!connected) {
                    if (now() - startedNanos > CONNECT_TIMEOUT.toNanos()) {
                        over(End.CUT);
                    }
                    return;
                }
                address = stream.localAddress();
                writtenNanos = now();
            }
            act();
            write();
            read();
        } catch (IOException e) {
            over(End.CUT);
        }
    }

    private void write() throws IOException {
        for (int pieces = random.nextInt(4); pieces >= 0 && !isOver() && !unsent.isEmpty(); pieces--) {
            int length = Math.min(unsent.length(), 1 + random.nextInt(random.nextBoolean() ? 20 : 5_000));
            int count = stream.write(ByteBuffer.wrap(unsent.substring(0, length).getBytes(ISO_8859_1)));
            unsent.delete(0, count);
            written += count;
            if (count > 0) {
                silenceNanos = silenceNanos();
                writtenNanos = now();
            }
        }
        if (finishing && !finished && !isOver() && unsent.isEmpty()) {
            finished = true;
            stream.shutdownOutput();
        }
    }

    private void read() throws IOException {
        if (isSlow && random.nextInt(4) > 0) {
            return;
        }
        for (int pieces = random.nextInt(4); pieces >= 0 && !isOver(); pieces--) {
            ByteBuffer piece = ByteBuffer.allocate(1 + random.nextInt(random.nextBoolean() ? 20 : 20_000));
            int count = stream.read(piece);
            if (count < 0) {
                over(End.ENDED);
            } else if (count > 0) {
                received(new String(piece.array(), 0, count, ISO_8859_1));
            }
        }
    }

    private void over(End how) {
        end = how;
        try {
            stream.close();
        } catch (IOException e) {
            throw new AssertionError(name + " cannot close", e);
        }
        ended();
    }

    /** Closes it after a failure. */
    void abandon() {
        try {
            if (stream != null) {
                stream.close();
            }
        } catch (IOException e) {
            // The run has failed already.
        }
    }

    @Override
    public String toString() {
        return name + " (" + end + ", " + written + " of " + queued + " bytes written)";
    }
}
