package io.trivet.sim;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Operations on a caller's buffers, shared by the simulated and the tortured sockets. */
final class Buffers {
    private Buffers() {}

    /** A read or a write that moves a buffer's position. */
    @FunctionalInterface
    interface Transfer {
        int move(ByteBuffer buffer) throws IOException;
    }

    /** Returns the number of bytes remaining in some buffers. */
    static long remaining(ByteBuffer[] buffers, int from, int count) {
        long bytes = 0;
        for (int i = from; i < from + count; i++) {
            bytes += buffers[i].remaining();
        }
        return bytes;
    }

    /** Runs a transfer on only the first bytes of a buffer, and then restores the buffer's limit. */
    static int limited(ByteBuffer buffer, int bytes, Transfer transfer) throws IOException {
        int limit = buffer.limit();
        buffer.limit(buffer.position() + bytes);
        try {
            return transfer.move(buffer);
        } finally {
            buffer.limit(limit);
        }
    }
}
