package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.net.Selectable;
import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/** One connection of {@code trivet connect}: what is still to be sent on it, and what came. */
final class ClientConnection implements Selectable {
    /** Of what came, so much is kept to be shown. */
    private static final int KEPT_BYTES_MAX = 1 << 20;

    final TcpStream stream;
    /** Our own address, which is the name by which the server knows us. */
    final String name;
    /** The server has finished, or is gone. */
    boolean inputEnded;

    private final ArrayDeque<ByteBuffer> output = new ArrayDeque<>();
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private long saidBytes;
    private long receivedBytes;
    private long receivedBeforeBytes;
    private int lastMessageBytes;
    private boolean outputEnded;

    ClientConnection(TcpStream stream) throws IOException {
        this.stream = stream;
        this.name = Addresses.toString(stream.localAddress());
    }

    @Override
    public Socket socket() {
        return stream;
    }

    void say(byte[] message) {
        output.add(ByteBuffer.wrap(message));
        saidBytes += message.length;
        receivedBeforeBytes = receivedBytes;
        lastMessageBytes = message.length;
    }

    boolean hasOutput() {
        return !output.isEmpty();
    }

    /** Sends what the socket takes. */
    void flush() throws IOException {
        for (ByteBuffer head = output.peek(); head != null; head = output.peek()) {
            stream.write(head);
            if (head.hasRemaining()) {
                return;
            }
            output.remove();
        }
    }

    /** One read into the buffer, which is then ready to be read from; false at the end of input. */
    boolean receive(ByteBuffer buffer) throws IOException {
        int count = stream.read(buffer.clear());
        buffer.flip();
        if (count < 0) {
            inputEnded = true;
            return false;
        }
        receivedBytes += count;
        byte[] bytes = new byte[Math.clamp((long) KEPT_BYTES_MAX - kept.size(), 0, count)];
        buffer.get(0, bytes);
        kept.writeBytes(bytes);
        return true;
    }

    /** Tells the server that nothing more will come, and goes on reading. */
    void finish() throws IOException {
        if (!outputEnded && !inputEnded) {
            outputEnded = true;
            stream.shutdownOutput();
        }
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
