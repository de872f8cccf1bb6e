package io.trivet.sim;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A send that was submitted to a ring. It has a view of the caller's memory, and a copy of the bytes, to check that the memory
 * does not change before the completion. If the socket refuses a silent send, only the copy is kept.
 */
final class RingSend {
    private final List<ByteBuffer> parts = new ArrayList<>(2);
    private byte[] bytes = new byte[0];
    /** A view of {@link #bytes}. */
    private ByteBuffer copy = ByteBuffer.wrap(bytes);
    private int length;
    private int sent;
    /** The ring buffer that was lent to this send; negative if none was. */
    int buffer = -1;
    /** The kernel does not process the send before this time. */
    long dueNanos;
    /** The connection was closed, but the cancellation of the send comes too late. */
    boolean outlivesClose;
    /** The kernel has started to process the send. */
    boolean started;
    /**
     * The send was accepted at once. It completes only if the socket refuses some bytes (liburing:
     * {@code IOSQE_CQE_SKIP_SUCCESS}).
     */
    boolean silent;

    void start(ByteBuffer[] buffers, int from, int count, int total) {
        if (bytes.length < total) {
            bytes = new byte[Math.max(total, 2 * bytes.length)];
            copy = ByteBuffer.wrap(bytes);
        }
        length = total;
        sent = 0;
        outlivesClose = false;
        started = false;
        silent = false;
        int at = 0;
        for (int i = from; i < from + count; i++) {
            ByteBuffer part = buffers[i].slice();
            parts.add(part);
            part.get(0, bytes, at, part.remaining());
            at += part.remaining();
        }
    }

    int length() {
        return length;
    }

    int sent() {
        return sent;
    }

    int remaining() {
        return length - sent;
    }

    /** Writes the next bytes to a flow, after {@linkplain #check checking} that the caller's memory is unchanged. */
    void write(Object connection, Flow flow, int count) {
        check(connection);
        flow.write(copy.limit(sent + count).position(sent), count);
        sent += count;
    }

    /**
     * Throws an exception if the caller's memory has changed. It belongs to the kernel until the completion is delivered, even if
     * the send was cancelled.
     */
    void check(Object connection) {
        int at = 0;
        for (int i = 0; i < parts.size(); i++) {
            ByteBuffer part = parts.get(i);
            if (part.mismatch(copy.limit(at + part.remaining()).position(at)) >= 0) {
                throw new IllegalStateException(
                        "the memory of a pending send on " + connection + " has changed before its completion");
            }
            at += part.remaining();
        }
    }

    /** Writes the kept bytes to a socket. Returns how many bytes it accepted. */
    int writeKept(SimTcpStream stream) throws IOException {
        int count = stream.write(copy.limit(length).position(sent));
        sent += count;
        return count;
    }

    /**
     * Releases the caller's memory. The unsent bytes of a silent send can still be {@linkplain #writeKept written} from the copy.
     */
    void releaseMemory() {
        parts.clear();
        buffer = -1;
    }
}
