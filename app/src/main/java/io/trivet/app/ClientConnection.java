package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.net.UnixAddress;
import io.trivet.server.Connection;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;

/** One connection of {@code trivet connect}, with the bytes sent and received on it. */
final class ClientConnection {
    /** Received bytes that are kept for display; later ones are only counted. */
    private static final int KEPT_BYTES_MAX = 1 << 20;

    /** The local address, by which the server knows this connection; of a Unix domain socket, which has none, a number. */
    final String name;
    /** The server has ended its output, or the connection is lost. */
    boolean inputEnded;

    private final Connection connection;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private long sentBytes;
    private long receivedBytes;
    private long receivedBeforeMessageBytes;
    private int lastMessageBytes;

    ClientConnection(Connection connection) {
        this.connection = connection;
        InetSocketAddress local = connection.localAddress();
        name = UnixAddress.isUnix(local) ? "connection " + Long.toHexString(connection.id()) : Addresses.toString(local);
    }

    String serverAddress() {
        return Addresses.toString(connection.remoteAddress());
    }

    /** Returns an executor that runs tasks on the thread that turns the connection's loop. */
    Executor loop() {
        return connection::execute;
    }

    void pauseReading() {
        connection.pauseReading();
    }

    void resumeReading() {
        connection.resumeReading();
    }

    void send(byte[] message) {
        connection.send(message);
        sentBytes += message.length;
        receivedBeforeMessageBytes = receivedBytes;
        lastMessageBytes = message.length;
    }

    /** Returns whether bytes are still waiting in the send queue. */
    boolean hasUnsent() {
        return connection.queue().bytes() > 0;
    }

    void received(ByteBuffer bytes) {
        int count = bytes.remaining();
        receivedBytes += count;
        byte[] copy = new byte[Math.clamp((long) KEPT_BYTES_MAX - kept.size(), 0, count)];
        bytes.get(bytes.position(), copy);
        kept.writeBytes(copy);
    }

    /** Half-closes the connection after everything queued has been sent; reading continues. */
    void finishOutput() {
        connection.finishOutput();
    }

    /** Resets the connection, so that the server does not mistake what it has received for the complete input. */
    void reset() {
        connection.reset();
    }

    /** Returns whether at least as many bytes have arrived since the last message as it has. */
    boolean hasReply() {
        return receivedBytes - receivedBeforeMessageBytes >= lastMessageBytes;
    }

    long sentBytes() {
        return sentBytes;
    }

    long receivedBytes() {
        return receivedBytes;
    }

    /** Returns a copy of the received bytes, up to the first {@link #KEPT_BYTES_MAX}. */
    ByteBuffer kept() {
        return ByteBuffer.wrap(kept.toByteArray());
    }
}
