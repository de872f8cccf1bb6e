package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Puts the frame of a {@link FrameEncoder} around outgoing messages, and checks what the encoder does. Immutable; any thread. */
final class FrameWriter {
    private static final byte[] NO_TAIL = {};

    private final @Nullable FrameEncoder encoder;
    private final byte[] tail;
    private final long payloadMax;

    /** Creates a writer; null: messages are sent as they are. */
    FrameWriter(@Nullable FrameEncoder encoder) {
        this.encoder = encoder;
        tail = encoder == null ? NO_TAIL : encoder.tail().clone();
        payloadMax = encoder == null ? Integer.MAX_VALUE : encoder.messageBytesMax();
    }

    /**
     * Returns the length of a message with its frame.
     *
     * @throws IllegalArgumentException the message is too long for the frame
     */
    int frameLength(int payload) {
        long length = payload > payloadMax ? Long.MAX_VALUE : (long) headLength(payload) + payload + tail.length;
        if (length > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "a message of " + payload + " bytes does not fit into its frame, which holds at most "
                            + Math.min(payloadMax, Integer.MAX_VALUE - tail.length));
        }
        return (int) length;
    }

    /** Returns the number of bytes that precede a message of that length. */
    int headLength(int payload) {
        int length = encoder == null ? 0 : encoder.headLength(payload);
        if (length < 0) {
            throw new IllegalStateException("the frame encoder wants a head of " + length + " bytes");
        }
        return length;
    }

    /**
     * Writes the bytes that precede a message.
     *
     * @param headLength the number of these bytes
     * @param payload the length of the message
     * @throws IllegalStateException the encoder wrote a different number of bytes. As after any exception of the encoder, the
     *     position of the buffer is unchanged
     */
    void putHead(ByteBuffer out, int headLength, int payload) {
        if (encoder == null || headLength == 0) {
            return;
        }
        int start = out.position();
        int limit = out.limit();
        out.limit(start + headLength);
        int end = start;
        try {
            encoder.putHead(out, payload);
            end = out.position();
        } finally {
            // The encoder may have changed the byte order of a buffer that other messages use.
            out.limit(limit).position(end == start + headLength ? end : start).order(ByteOrder.BIG_ENDIAN);
        }
        if (end != start + headLength) {
            throw new IllegalStateException("the frame encoder wrote " + (end - start) + " bytes, not the " + headLength
                    + " that it said for a message of " + payload);
        }
    }

    /** Returns true if another writer puts the same frame around each message: the encoders are equal. */
    @SuppressWarnings("ReferenceEquality") // usually the same writer
    boolean writesLike(FrameWriter other) {
        return this == other || (Objects.equals(encoder, other.encoder) && Arrays.equals(tail, other.tail));
    }

    /** Returns the bytes that follow a message. Do not modify them. */
    byte[] tail() {
        return tail;
    }

    /** Returns a copy of the message in its frame, in a direct buffer if possible. The position of the content moves to its limit. */
    ByteBuffer frame(ByteBuffer content) {
        return frame(content, DirectMemory::allocate);
    }

    /** As {@link #frame(ByteBuffer)}, in memory with room for at least the number of bytes given to the allocator. */
    ByteBuffer frame(ByteBuffer content, IntFunction<ByteBuffer> allocator) {
        int payload = content.remaining();
        int length = frameLength(payload);
        ByteBuffer framed = allocator.apply(length);
        putHead(framed, length - payload - tail.length, payload);
        return framed.put(content).put(tail).flip();
    }
}
