package io.trivet.sim.world;

import java.nio.ByteBuffer;

/** What has gone through one socket of a server, in the eyes of someone who stands between the server and the kernel. */
final class Wire {
    long bytesIn;
    /** Of these, without urgent bytes that the next one has overtaken, and made ordinary ones. */
    long ordinaryIn;
    long bytesOut;
    /** Urgent bytes that were to be sent, whether or not there was room. */
    int urgentsOut;
    /** When the kernel last took something, or the connection began. */
    long takenNanos;
    /** When bytes last went in either direction. */
    long activeNanos;
    boolean receiving;
    long receivingSinceNanos;
    /** When receiving was last stopped; -1: never. */
    long stoppedNanos = -1;
    /** When bytes were received last. */
    long receivedNanos;
    boolean inputEnded;
    /** Its output was ended. */
    boolean outputEnded;
    boolean closed;
    long closedNanos;
    /** The bytes of a send that is pending; 0: none is. */
    long lentBytes;
    /** The last send has not taken all, and room was not told yet. */
    boolean awaitsRoom;

    Wire(long nowNanos) {
        begins(nowNanos);
    }

    /** Only now is there anybody at the other end. */
    void begins(long nowNanos) {
        takenNanos = nowNanos;
        activeNanos = nowNanos;
    }

    void took(long bytes, long nowNanos) {
        bytesOut += bytes;
        takenNanos = nowNanos;
        activeNanos = nowNanos;
    }

    boolean hasLent() {
        return lentBytes > 0;
    }

    static long bytes(ByteBuffer[] parts, int from, int count) {
        long bytes = 0;
        for (int i = from; i < from + count; i++) {
            bytes += parts[i].remaining();
        }
        return bytes;
    }
}
