package io.trivet.server;

/**
 * Receives the result of a {@link FrameDecoder}. All indices refer to the buffer that the server passes to the decoder. Valid only
 * during the call of the decoder, on its thread.
 */
public final class Frame {
    /** The payload's indices in a frame that is not to be delivered. */
    private static final int SKIPPED = -1;

    private int from;
    private int to;
    private int searchFrom;
    private int scannedTo;
    private long payloadAtLeast;
    private int payloadFrom;
    private int payloadTo;
    /** The index after the frame; equal to {@code from} if it is incomplete. */
    private int end;

    Frame() {}

    // ---- for decoders

    /**
     * Reports a whole message.
     *
     * @param payloadFrom the index of the first byte to deliver to the handler
     * @param payloadTo the index after the last byte to deliver; equal to payloadFrom if the message is empty
     * @param end the index after the frame, where the next frame begins
     * @throws IllegalArgumentException the indices are not in order, or not within the bytes that have arrived
     * @throws IllegalStateException this call of the decoder has reported a frame already
     */
    public void message(int payloadFrom, int payloadTo, int end) {
        if (payloadFrom < from || payloadTo < payloadFrom || end < payloadTo || end > to || end <= from) {
            throw new IllegalArgumentException("the decoder reported a message from " + payloadFrom + " to " + payloadTo
                    + " in a frame to " + end + ", and the bytes are those from " + from + " to " + to);
        }
        report(end);
        this.payloadFrom = payloadFrom;
        this.payloadTo = payloadTo;
    }

    /**
     * Reports bytes that are not to be delivered, such as a keep-alive or padding.
     *
     * @param end the index after them, where the next frame begins
     * @throws IllegalArgumentException the index is not within the bytes that have arrived, or no byte would be skipped
     * @throws IllegalStateException this call of the decoder has reported a frame already
     */
    public void skip(int end) {
        if (end <= from || end > to) {
            throw new IllegalArgumentException(
                    "the decoder skipped to " + end + ", and the bytes are those from " + from + " to " + to);
        }
        report(end);
        payloadFrom = SKIPPED;
        payloadTo = SKIPPED;
    }

    private void report(int end) {
        if (this.end != from) {
            throw new IllegalStateException("the decoder reported two frames in one call");
        }
        this.end = end;
    }

    /**
     * Reports a lower bound of the length of an incomplete message. If it is more than {@link Limits#messageBytesMax}, the
     * connection is closed at once with {@link io.trivet.observe.CloseReason#MESSAGE_TOO_LONG}, before the message arrives. The
     * server never allocates memory by this number, and ignores it if the frame is complete.
     *
     * @param bytes the lower bound, without the frame
     */
    public void payloadAtLeast(long bytes) {
        payloadAtLeast = bytes;
    }

    /**
     * Reports how far the incomplete bytes were searched, so that the next call need not search them again: see {@link
     * #searchFrom}. A decoder that has found the end of a header, but not yet the whole body, can report the end of the header.
     *
     * @param index the index after the last byte that was searched
     * @throws IllegalArgumentException the index is not within the bytes that have arrived
     */
    public void scannedTo(int index) {
        if (index < from || index > to) {
            throw new IllegalArgumentException(
                    "the decoder searched to " + index + ", and the bytes are those from " + from + " to " + to);
        }
        scannedTo = index;
    }

    /**
     * Returns where to continue a search that an earlier call has begun.
     *
     * @return the index that the earlier call passed to {@link #scannedTo}, adjusted if the bytes have moved; the index of the
     *     first byte if there was no such call
     */
    public int searchFrom() {
        return searchFrom;
    }

    // ---- for the delivery

    /**
     * Prepares for a call of the decoder.
     *
     * @param scanned the number of bytes that were searched before
     */
    void begin(int from, int to, int scanned) {
        this.from = from;
        this.to = to;
        searchFrom = from + scanned;
        scannedTo = from;
        payloadAtLeast = 0;
        end = from;
    }

    boolean isIncomplete() {
        return end == from;
    }

    boolean isSkipped() {
        return payloadTo == SKIPPED;
    }

    int end() {
        return end;
    }

    int payloadFrom() {
        return payloadFrom;
    }

    int payloadTo() {
        return payloadTo;
    }

    /** Returns the length of the message; 0 if it is skipped. */
    int payloadBytes() {
        return payloadTo - payloadFrom;
    }

    /** Returns a lower bound of the incomplete message's length. May come from the peer: never allocate by it. */
    long payloadAtLeast() {
        return payloadAtLeast;
    }

    /** Returns how many bytes of the incomplete message were searched. */
    int scanned() {
        return scannedTo - from;
    }
}
