package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The direct buffers of one loop, in sizes of powers of two. Released buffers are kept for reuse, up to a bound. An idle
 * connection holds none. One thread.
 */
final class BufferPool {
    private static final int SHIFT_MIN = 10;
    private static final int SHIFT_MAX = 22;
    /** Maximum number of bytes kept for reuse. A released buffer that would exceed it is left to the garbage collector. */
    private static final long BYTES_KEPT_MAX = 32L << 20;

    private final ByteBuffer[][] kept = new ByteBuffer[SHIFT_MAX - SHIFT_MIN + 1][16];
    private final int[] counts = new int[SHIFT_MAX - SHIFT_MIN + 1];
    private long bytesKept;

    /** Returns a cleared, big-endian buffer with room for at least that many bytes. */
    ByteBuffer acquire(int bytes) {
        int size = sizeClass(bytes);
        if (size >= kept.length) {
            return ByteBuffer.allocateDirect(bytes);
        }
        if (counts[size] == 0) {
            return ByteBuffer.allocateDirect(1 << (size + SHIFT_MIN));
        }
        ByteBuffer buffer = kept[size][--counts[size]];
        bytesKept -= buffer.capacity();
        return buffer.clear().order(ByteOrder.BIG_ENDIAN);
    }

    void release(ByteBuffer buffer) {
        int size = sizeClass(buffer.capacity());
        if (size >= kept.length || bytesKept + buffer.capacity() > BYTES_KEPT_MAX) {
            return;
        }
        if (counts[size] == kept[size].length) {
            kept[size] = Arrays.copyOf(kept[size], counts[size] * 2);
        }
        kept[size][counts[size]++] = buffer;
        bytesKept += buffer.capacity();
    }

    private static int sizeClass(int bytes) {
        return Math.max(0, Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, bytes) - 1) - SHIFT_MIN);
    }
}
