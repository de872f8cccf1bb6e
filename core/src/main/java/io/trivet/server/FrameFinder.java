package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

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
    private @Nullable Profile profile;
    private FrameDecoder decoder = (in, from, to, frame) -> {
        throw new IllegalStateException("use has not been called");
    };
    private boolean isBuiltIn;
    private int messageBytesMax;
    /** Maximum number of bytes to pass to the decoder. Raw input has no message ends: it is cut at the maximum length of a message. */
    private int bytesMax;
    /** The number of bytes at the front that were searched, and contain no end of a message. */
    private int scanned;
    private long messageBytes;

    /** Prepares for bytes of which the given number at the front were searched before, by {@link #find}. */
    void begin(int scannedBefore) {
        scanned = scannedBefore;
    }

    /**
     * Sets what {@link #find} uses. Nearly free if nothing has changed, so it can be called for each frame.
     *
     * @param settings the framing, and the maximum length of a message
     * @param ofConnection the decoder of the connection
     */
    @SuppressWarnings("ReferenceEquality") // these very objects
    void use(Profile settings, FrameDecoder ofConnection) {
        if (settings != profile || ofConnection != decoder) {
            profile = settings;
            decoder = ofConnection;
            Framing framing = settings.framing();
            isBuiltIn = framing.isBuiltIn();
            messageBytesMax = settings.limits().messageBytesMax();
            bytesMax = framing.isRaw() ? messageBytesMax : Integer.MAX_VALUE;
        }
    }

    /**
     * Calls the decoder with the bytes between two indices. The methods below have the result.
     *
     * @param in the bytes, for decoders that are built in
     * @param view a read-only view of them, for the others. They may change its position, limit and order, as a handler may
     * @return true if there is a whole frame that is not too long
     * @throws Exception the decoder has thrown it, declared or not: the bytes break the protocol
     */
    boolean find(ByteBuffer in, ByteBuffer view, int from, int to) throws Exception {
        int end = to - from > bytesMax ? from + bytesMax : to;
        frame.begin(from, end, scanned);
        ByteBuffer bytes = isBuiltIn ? in : view.limit(end).position(from).order(ByteOrder.BIG_ENDIAN);
        decoder.decode(bytes, from, end, frame);
        if (frame.isIncomplete()) {
            messageBytes = Math.max(frame.payloadAtLeast(), (long) to - from - FRAME_OVERHEAD_MAX);
            scanned = frame.scanned();
            return false;
        }
        scanned = 0;
        messageBytes = frame.payloadBytes();
        return messageBytes <= messageBytesMax;
    }

    /** Returns true if the message is too long, whether it is complete or not: the connection must end. */
    boolean isTooLong() {
        return messageBytes > messageBytesMax;
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
