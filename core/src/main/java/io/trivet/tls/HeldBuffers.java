package io.trivet.tls;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The direct buffers in which the connections of one {@link TlsProactor} hold bytes. Counts their sizes, and keeps a few of each size
 * up to that of a record for reuse: direct memory is freed only by a garbage collection. One thread, except {@link #memoryBytes}.
 */
final class HeldBuffers {
    private static final int BYTES_MIN = 512;
    /** The size of a buffer for any record: the most common one, since a bulk transfer ends most reads within a record. */
    private static final int RECORD_BYTES = TlsEngine.RECORD_BYTES_MAX;
    private static final int SPARE_MAX = 16;

    /** Unused buffers: the first deque has those of {@link #BYTES_MIN} bytes, the next ones those of twice the size; the last, records. */
    private final List<ArrayDeque<ByteBuffer>> spare = new ArrayList<>();
    private long bytes;
    /** The size of all buffers, in use or not. Written by one thread. */
    private final AtomicLong memoryBytes = new AtomicLong();

    HeldBuffers() {
        for (int size = BYTES_MIN; size < RECORD_BYTES; size *= 2) {
            spare.add(new ArrayDeque<>());
        }
    }

    /** Returns the size of all buffers that are in use. */
    long bytes() {
        return bytes;
    }

    /** Returns the size of all buffers, including unused ones. Any thread. */
    long memoryBytes() {
        return memoryBytes.getOpaque();
    }

    /**
     * Appends bytes to a buffer, which is replaced by a larger one if it has too little room. The bytes are counted by what has
     * arrived, never by a length that the peer has announced.
     *
     * @param held the buffer, filled from 0 to its position, or null for none
     * @param more the bytes; its position moves to its limit
     * @return the buffer to use from now on
     * @throws TlsException there is no memory; the buffer stays as it was
     */
    ByteBuffer append(@Nullable ByteBuffer held, ByteBuffer more) throws TlsException {
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

    private ByteBuffer acquire(int needed) throws TlsException {
        int size = BYTES_MIN;
        while (size < needed) {
            size *= 2;
        }
        if (needed <= RECORD_BYTES && size > RECORD_BYTES / 2) {
            size = RECORD_BYTES;
        }
        ByteBuffer reused = size <= RECORD_BYTES ? spareOf(size).pollLast() : null;
        ByteBuffer buffer = reused != null ? reused.clear() : allocate(size);
        bytes += size;
        addMemory(reused != null ? 0 : size);
        return buffer;
    }

    /** Allocates a buffer. If there is no memory, only the connection that needs it fails. */
    private static ByteBuffer allocate(int size) throws TlsException {
        try {
            return ByteBuffer.allocateDirect(size);
        } catch (OutOfMemoryError e) {
            throw new TlsException("there is no direct memory for " + size + " bytes of a TLS connection: "
                    + "-XX:MaxDirectMemorySize or -Xmx raises the limit", e);
        }
    }

    private ArrayDeque<ByteBuffer> spareOf(int size) {
        return size == RECORD_BYTES ? spare.getLast() : spare.get(Integer.numberOfTrailingZeros(size / BYTES_MIN));
    }

    void release(ByteBuffer buffer) {
        int size = buffer.capacity();
        bytes -= size;
        if (size <= RECORD_BYTES && spareOf(size).size() < SPARE_MAX) {
            spareOf(size).addLast(buffer);
        } else {
            addMemory(-size);
        }
    }

    private void addMemory(int added) {
        memoryBytes.setOpaque(memoryBytes.getPlain() + added);
    }

    /** Drops the unused buffers. */
    void clear() {
        for (ArrayDeque<ByteBuffer> unused : spare) {
            unused.forEach(buffer -> addMemory(-buffer.capacity()));
            unused.clear();
        }
    }
}
