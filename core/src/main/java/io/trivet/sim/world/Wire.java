package io.trivet.sim.world;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** What has gone through one socket of a server, in the eyes of someone who stands between the server and the kernel. */
final class Wire {
    long bytesIn;
    long bytesOut;
    /** When the kernel last took something, or the connection began. */
    long takenNanos;
    /** When bytes last went in either direction. */
    long activeNanos;
    boolean receiving;
    boolean inputEnded;
    boolean closed;
    long closedNanos;
    private ByteBuffer @Nullable [] lent;
    private long lentBytes;
    private long lentSum;

    Wire(long nowNanos) {
        takenNanos = nowNanos;
        activeNanos = nowNanos;
    }

    void took(long bytes, long nowNanos) {
        bytesOut += bytes;
        takenNanos = nowNanos;
        activeNanos = nowNanos;
    }

    boolean hasLent() {
        return lent != null;
    }

    long lentBytes() {
        return lentBytes;
    }

    /** Remembers memory that is lent to a pending send, and what is in it. */
    void lend(ByteBuffer[] parts, int from, int count) {
        ByteBuffer[] copies = new ByteBuffer[count];
        for (int i = 0; i < count; i++) {
            copies[i] = parts[from + i].duplicate();
        }
        lentBytes = bytes(copies, 0, count);
        lent = copies;
        lentSum = sum(copies);
    }

    /** The memory comes back: whether it is as it was. */
    boolean giveBack() {
        ByteBuffer[] copies = lent;
        lent = null;
        return copies == null || sum(copies) == lentSum;
    }

    static long bytes(ByteBuffer[] parts, int from, int count) {
        long bytes = 0;
        for (int i = from; i < from + count; i++) {
            bytes += parts[i].remaining();
        }
        return bytes;
    }

    private static long sum(ByteBuffer[] buffers) {
        CRC32C sum = new CRC32C();
        for (ByteBuffer buffer : buffers) {
            sum.update(buffer.duplicate());
        }
        return sum.getValue();
    }
}
