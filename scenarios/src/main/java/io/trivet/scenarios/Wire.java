package io.trivet.scenarios;

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
    /** What was called taken and had not left, as the server was told last; 0: all has left, or it may ask again. */
    long unsentBytes;
    /** Of such bytes, how many there were when the server was told that some have left; {@link Long#MAX_VALUE}: that was not told. */
    long unsentBefore = Long.MAX_VALUE;
    /** Since when an end of the output waits for such bytes; -1: none does. */
    long endWaitsSinceNanos = -1;
    /** What was called taken, and had not left when the connection was closed. */
    long cutBytes;
    /** By how many polls something was taken last. */
    long takenPolls;
    /** It was seen that something called taken was refused. */
    boolean isTight;

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

    /** Some of what had been called taken before has left. */
    void unsentHasLeft(long nowNanos) {
        unsentBefore = unsentBytes;
        unsentBytes = 0;
        takenNanos = nowNanos;
        activeNanos = nowNanos;
    }

    /** Whether an end of the output waits for what was called taken, as far as the server knows. */
    boolean endWaits() {
        return endWaitsSinceNanos >= 0 && unsentBytes > 0;
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
