package io.trivet.tls;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The direct buffers in which the connections of one {@link TlsProactor} hold bytes. Counts their sizes, and keeps a few of the most
 * common one for reuse. One thread.
 */
final class HeldBuffers {
    private static final int BYTES_MIN = 512;
    /** The size of a buffer for any record: the most common one, since a bulk transfer ends most reads within a record. */
    private static final int RECORD_BYTES = TlsEngine.RECORD_BYTES_MAX;
    private static final int SPARE_MAX = 16;

    private final ArrayDeque<ByteBuffer> spare = new ArrayDeque<>();
    private long bytes;

    /** Returns the size of all buffers that are in use. */
    long bytes() {
        return bytes;
    }

    /**
     * Appends bytes to a buffer, which is replaced by a larger one if it has too little room. The bytes are counted by what has
     * arrived, never by a length that the peer has announced.
     *
     * @param held the buffer, filled from 0 to its position, or null for none
     * @param more the bytes; its position moves to its limit
     * @return the buffer to use from now on
     */
    ByteBuffer append(@Nullable ByteBuffer held, ByteBuffer more) {
        ByteBuffer to = held;
        if (to == null || to.remaining() < more.remaining()) {
            int before = to == null ? 0 : to.position();
            to = acquire(Math.max(before + more.remaining(), 2 * before));
            if (held != null) {
                to.put(held.flip());
                release(held);
            }
        }
        return to.put(more);
    }

    private ByteBuffer acquire(int needed) {
        int size = BYTES_MIN;
        while (size < needed) {
            size *= 2;
        }
        if (needed <= RECORD_BYTES && size > RECORD_BYTES / 2) {
            size = RECORD_BYTES;
        }
        ByteBuffer reused = size == RECORD_BYTES ? spare.pollLast() : null;
        bytes += size;
        return reused != null ? reused.clear() : ByteBuffer.allocateDirect(size);
    }

    void release(ByteBuffer buffer) {
        bytes -= buffer.capacity();
        if (buffer.capacity() == RECORD_BYTES && spare.size() < SPARE_MAX) {
            spare.addLast(buffer);
        }
    }
}
