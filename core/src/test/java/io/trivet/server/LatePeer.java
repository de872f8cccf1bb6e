package io.trivet.server;

import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.util.Arrays;

/** The peer of a connection of a {@link LateNetwork}. What it sends is kept here until the proactor receives it. */
final class LatePeer {
    /** The number of bytes that both sockets can hold while the peer does not read. */
    static final int WINDOW_BYTES = 100_000;

    final InetSocketAddress address;
    private byte[] sent = {};
    private int taken;
    private boolean finished;
    private boolean reset;
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private int read;
    private boolean reading = true;
    private boolean ended;
    private boolean closed;
    private boolean serverReset;

    LatePeer(InetSocketAddress address) {
        this.address = address;
    }

    // Called by the test.

    void send(byte[] bytes) {
        sent = Client.join(sent, bytes);
    }

    void finish() {
        finished = true;
    }

    void reset() {
        reset = true;
    }

    /** Starts or stops reading. */
    void reads(boolean enabled) {
        reading = enabled;
        readAll();
    }

    /** Returns what the server has sent so far. */
    byte[] received() {
        return received.toByteArray();
    }

    int receivedBytes() {
        return received.size();
    }

    /** Returns whether the server has ended its output. */
    boolean outputHasEnded() {
        return ended;
    }

    /** Returns whether the server has closed the connection. */
    boolean isClosed() {
        return closed;
    }

    /** Returns whether the server has reset the connection. */
    boolean wasReset() {
        return serverReset;
    }

    // Called by the network.

    boolean isReset() {
        return reset;
    }

    boolean hasFinished() {
        return finished && taken == sent.length;
    }

    int available() {
        return sent.length - taken;
    }

    byte[] take(int count) {
        byte[] bytes = Arrays.copyOfRange(sent, taken, taken + count);
        taken += count;
        return bytes;
    }

    /** Returns how many bytes it can accept now. */
    int room() {
        return WINDOW_BYTES - (received.size() - read);
    }

    void deliver(byte[] bytes) {
        received.writeBytes(bytes);
        readAll();
    }

    private void readAll() {
        read = reading ? received.size() : read;
    }

    void serverEnded() {
        ended = true;
    }

    void serverClosed(boolean withReset) {
        serverReset |= withReset;
        ended = true;
        closed = true;
    }
}
