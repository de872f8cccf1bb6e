package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Finds the next frame of received bytes by a call of the connection's decoder, and holds it to the limits. What has been searched
 * of an incomplete message is not searched again. One thread; one object serves all connections of a loop in turn.
 */
final class FrameFinder {
    /**
     * Maximum number of bytes that the frame of an incomplete message may add to the longest message. It bounds a decoder that
     * never finds an end.
     */
    static final int FRAME_OVERHEAD_MAX = 1024;

    private final Frame frame = new Frame();
    /** The number of bytes at the front that were searched, and contain no end of a message. */
    private int scanned;
    private long messageBytes;

    /** Prepares for bytes of which the given number at the front were searched before, by {@link #find}. */
    void begin(int scannedBefore) {
        scanned = scannedBefore;
    }

    /**
     * Calls the decoder with the bytes between two indices. The methods below have the result.
     *
     * @param in the bytes, for decoders that are built in
     * @param view a read-only view of them, for the others. They may change its position, limit and order, as a handler may
     * @throws Exception the decoder has thrown it, declared or not: the bytes break the protocol
     */
    void find(Framing framing, FrameDecoder decoder, ByteBuffer in, ByteBuffer view, int from, int to, int messageBytesMax)
            throws Exception {
        // Raw input has no message ends: it is cut at the maximum length of a message.
        int end = framing.isRaw() && to - from > messageBytesMax ? from + messageBytesMax : to;
        frame.begin(from, end, scanned);
        ByteBuffer bytes = framing.isBuiltIn() ? in : view.limit(end).position(from).order(ByteOrder.BIG_ENDIAN);
        decoder.decode(bytes, from, end, frame);
        boolean isIncomplete = frame.isIncomplete();
        messageBytes = isIncomplete ? Math.max(frame.payloadAtLeast(), (long) to - from - FRAME_OVERHEAD_MAX)
                : frame.isSkipped() ? 0 : frame.payloadTo() - frame.payloadFrom();
        scanned = isIncomplete ? frame.scanned() : 0;
    }

    /**
     * Returns the length of the message; of an incomplete one, a lower bound, which may come from the peer: never allocate by it.
     * If it is above the limit, the connection must end.
     */
    long messageBytes() {
        return messageBytes;
    }

    boolean isIncomplete() {
        return frame.isIncomplete();
    }

    /** Returns true if the frame is not to be delivered. */
    boolean isSkipped() {
        return frame.isSkipped();
    }

    int payloadFrom() {
        return frame.payloadFrom();
    }

    int payloadTo() {
        return frame.payloadTo();
    }

    /** Returns the index after the frame. */
    int end() {
        return frame.end();
    }

    /** Returns the number of bytes of the incomplete message that need not be searched again. */
    int scanned() {
        return scanned;
    }
}
