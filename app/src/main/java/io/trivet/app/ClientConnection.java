package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.server.Connection;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;

/** One connection of {@code trivet connect}: what was said on it, and what came. */
final class ClientConnection {
    /** Of what came, so much is kept to be shown. */
    private static final int KEPT_BYTES_MAX = 1 << 20;

    /** Our own address, which is the name by which the server knows us. */
    final String name;
    /** The server has finished, or is gone. */
    boolean inputEnded;

    private final Connection connection;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private long saidBytes;
    private long receivedBytes;
    private long receivedBeforeBytes;
    private int lastMessageBytes;

    ClientConnection(Connection connection) {
        this.connection = connection;
        name = Addresses.toString(connection.localAddress());
    }

    String server() {
        return Addresses.toString(connection.remoteAddress());
    }

    /** Runs tasks on the thread that turns the connection's loop. */
    Executor loop() {
        return connection::execute;
    }

    void resume() {
        connection.resumeReading();
    }

    void say(byte[] message) {
        connection.send(message);
        saidBytes += message.length;
        receivedBeforeBytes = receivedBytes;
        lastMessageBytes = message.length;
    }

    /** Whether something that was said has not gone yet. */
    boolean hasOutput() {
        return connection.queue().bytes() > 0;
    }

    void received(ByteBuffer bytes) {
        int count = bytes.remaining();
        receivedBytes += count;
        byte[] shown = new byte[Math.clamp((long) KEPT_BYTES_MAX - kept.size(), 0, count)];
        bytes.get(bytes.position(), shown);
        kept.writeBytes(shown);
    }

    /** Tells the server that nothing more will come, behind all that was said, and goes on reading. */
    void finish() {
        connection.finishOutput();
    }

    /** Whether as many bytes as the last message has came since it was said. */
    boolean hasReply() {
        return receivedBytes - receivedBeforeBytes >= lastMessageBytes;
    }

    long saidBytes() {
        return saidBytes;
    }

    long receivedBytes() {
        return receivedBytes;
    }

    ByteBuffer kept() {
        return ByteBuffer.wrap(kept.toByteArray());
    }
}
