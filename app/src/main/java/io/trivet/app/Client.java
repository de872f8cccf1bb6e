package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.net.Selectable;
import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** One client of a {@link SelectServer}: its socket, what it sent of a line so far, and the queue of what waits to be sent to it. */
final class Client implements Selectable {
    /** Enough for one turn; a client that takes more waits for the others. */
    private static final int SENT_BYTES_PER_ROUND_MAX = 256 * 1024;

    final TcpStream stream;
    /** {@code host:port}. */
    final String name;
    /** The address as {@code --reply address} appends it. */
    final byte[] address;
    /** What was read, and is not answered yet. */
    final LineBuffer lines;

    /** The peer has finished, and may still read. */
    boolean inputEnded;
    /** We have finished, and only wait for the peer to do so. */
    boolean outputEnded;
    /** Its queue is long, so nothing more is read from it. */
    boolean paused;
    /** When something last came or went. */
    long activeAt;
    /** When the queue last moved, or began. */
    long sentAt;
    /** When we finished. */
    long endedAt;

    private final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>();
    private long queueBytes;
    private boolean headStarted;
    private @Nullable String leaving;

    Client(TcpStream stream, int lineBytesMax, long now) throws IOException {
        this.stream = stream;
        name = Addresses.toString(stream.remoteAddress());
        address = PythonAddress.of(stream.remoteAddress()).getBytes(StandardCharsets.US_ASCII);
        lines = new LineBuffer(lineBytesMax);
        activeAt = now;
    }

    @Override
    public Socket socket() {
        return stream;
    }

    boolean hasQueue() {
        return !queue.isEmpty();
    }

    long queueBytes() {
        return queueBytes;
    }

    void enqueue(byte[] message, long now) {
        if (queue.isEmpty()) {
            sentAt = now;
        }
        queue.add(ByteBuffer.wrap(message));
        queueBytes += message.length;
    }

    /** Takes the oldest message of which nothing was sent out of the queue; null when there is none. */
    @Nullable
    ByteBuffer dropOldest() {
        ByteBuffer head = headStarted ? queue.pollFirst() : null;
        ByteBuffer oldest = queue.pollFirst();
        if (head != null) {
            queue.addFirst(head);
        }
        queueBytes -= oldest == null ? 0 : oldest.remaining();
        return oldest;
    }

    /** Sends what the socket takes, a part of a message at worst. */
    void flush(long now, Journal journal) throws IOException {
        int budget = SENT_BYTES_PER_ROUND_MAX;
        for (ByteBuffer head = queue.peek(); head != null && budget > 0; head = queue.peek()) {
            int sent = stream.write(head);
            if (sent > 0) {
                queueBytes -= sent;
                budget -= sent;
                headStarted = true;
                activeAt = now;
                sentAt = now;
            }
            if (head.hasRemaining()) {
                return; // the socket is full: select tells when there is room
            }
            queue.remove();
            headStarted = false;
            journal.reply(name, head.rewind());
        }
    }

    /** The client is to be closed at the end of the round; the first reason counts. */
    void leave(String reason) {
        if (leaving == null) {
            leaving = reason;
        }
    }

    void leave(IOException e) {
        leave(String.valueOf(e.getMessage()));
    }

    boolean isLeaving() {
        return leaving != null;
    }

    @Nullable
    String reason() {
        return leaving;
    }
}
