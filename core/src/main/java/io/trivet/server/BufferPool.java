package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Direct buffers of one loop, in sizes of powers of two, kept for the next who needs one. An idle connection holds none. One thread.
 */
final class BufferPool {
    private static final int SHIFT_MIN = 10;
    private static final int SHIFT_MAX = 22;
    /** So much is kept at most; what is given back beyond it is left to the collector. */
    private static final long BYTES_KEPT_MAX = 32L << 20;

    private final ByteBuffer[][] kept = new ByteBuffer[SHIFT_MAX - SHIFT_MIN + 1][16];
    private final int[] counts = new int[SHIFT_MAX - SHIFT_MIN + 1];
    private long bytesKept;

    /** A buffer with at least so much room, cleared, big-endian. */
    ByteBuffer take(int bytes) {
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

    void giveBack(ByteBuffer buffer) {
        int size = sizeClass(buffer.capacity());
        if (size >= kept.length || bytesKept + buffer.capacity() > BYTES_KEPT_MAX) {
            return;
        }
        if (counts[size] == kept[size].length) {
            kept[size] = java.util.Arrays.copyOf(kept[size], counts[size] * 2);
        }
        kept[size][counts[size]++] = buffer;
        bytesKept += buffer.capacity();
    }

    private static int sizeClass(int bytes) {
        return Math.max(0, Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, bytes) - 1) - SHIFT_MIN);
    }
}
