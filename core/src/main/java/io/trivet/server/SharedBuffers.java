package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The buffers of {@linkplain SharedMessage shared messages}, in sizes of powers of two. They are reused, because a new direct buffer for
 * each broadcast costs far more than the copy of its bytes: memory of the C library, an object for the collector to track, and the work of
 * the thread that frees it. Any thread.
 */
final class SharedBuffers {
    private static final int SHIFT_MIN = 6;
    /**
     * A longer message gets a buffer of its own length: for it the copy costs more than the allocation, and up to half of a larger buffer would be
     * unused.
     */
    private static final int SHIFT_MAX = 13;
    private static final int SIZES = SHIFT_MAX - SHIFT_MIN + 1;
    /** Maximum number of bytes kept for reuse. Further buffers are left to the garbage collector. */
    private static final long SPARE_BYTES_MAX = 4L << 20;

    /** Each size has its own limit, so that many messages of one length leave room for others. */
    private long spareBytesMaxOfSize;
    private final List<ArrayDeque<ByteBuffer>> spare = IntStream.rangeClosed(SHIFT_MIN, SHIFT_MAX)
            .mapToObj(_ -> new ArrayDeque<ByteBuffer>()).toList();
    private long spareBytes;

    /**
     * Creates an empty pool.
     *
     * @param budgetBytes the server's budget, of which at most a sixteenth is kept for reuse
     */
    SharedBuffers(long budgetBytes) {
        spareBytesMaxOfSize = Math.min(SPARE_BYTES_MAX, budgetBytes / 16) / SIZES;
    }

    /**
     * Returns a cleared, big-endian buffer with room for at least this number of bytes. It is on the heap if the JVM has no more direct
     * memory.
     */
    ByteBuffer acquire(int bytes) {
        int size = sizeClass(bytes);
        if (size >= SIZES) {
            return DirectMemory.allocate(bytes);
        }
        ByteBuffer buffer = takeSpare(size);
        return buffer == null ? DirectMemory.allocate(1 << (size + SHIFT_MIN)) : buffer.clear();
    }

    private synchronized @Nullable ByteBuffer takeSpare(int size) {
        ByteBuffer buffer = spare.get(size).pollLast();
        spareBytes -= buffer == null ? 0 : buffer.capacity();
        return buffer;
    }

    /** Takes back a buffer that is not used any more. */
    synchronized void release(ByteBuffer buffer) {
        int size = sizeClass(buffer.capacity());
        if (buffer.isDirect() && size < SIZES && (spare.get(size).size() + 1L) * buffer.capacity() <= spareBytesMaxOfSize) {
            spareBytes += buffer.capacity();
            spare.get(size).addLast(buffer);
        }
    }

    /** Keeps nothing from now on. */
    synchronized void end() {
        spareBytesMaxOfSize = 0;
        spareBytes = 0;
        spare.forEach(ArrayDeque::clear);
    }

    /** Returns the bytes that are kept for reuse. */
    synchronized long spareBytes() {
        return spareBytes;
    }

    private static int sizeClass(int bytes) {
        return Math.max(0, Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, bytes) - 1) - SHIFT_MIN);
    }
}
