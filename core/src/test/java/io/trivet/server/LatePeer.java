package io.trivet.server;

import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.util.Arrays;

/** The other end of a connection of a {@link LateNetwork}: what it sends lies here until the proactor takes it. */
final class LatePeer {
    /** The bytes that both sockets hold while the peer reads nothing. */
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

    LatePeer(InetSocketAddress address) {
        this.address = address;
    }

    // The test's side.

    void send(byte[] bytes) {
        sent = Client.join(sent, bytes);
    }

    void finish() {
        finished = true;
    }

    void reset() {
        reset = true;
    }

    /** Reads whatever comes, or nothing. */
    void reads(boolean really) {
        reading = really;
        readAll();
    }

    /** What has come so far. */
    byte[] received() {
        return received.toByteArray();
    }

    int receivedBytes() {
        return received.size();
    }

    /** Whether the server has ended its output. */
    boolean hasSeenTheEnd() {
        return ended;
    }

    boolean isGone() {
        return closed;
    }

    // The network's side.

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

    /** How much of the server's it would take now. */
    int room() {
        return WINDOW_BYTES - (received.size() - read);
    }

    void give(byte[] bytes) {
        received.writeBytes(bytes);
        readAll();
    }

    private void readAll() {
        read = reading ? received.size() : read;
    }

    void serverEnded() {
        ended = true;
    }

    void serverClosed() {
        ended = true;
        closed = true;
    }
}
