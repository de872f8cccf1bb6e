package io.trivet.server;

import java.nio.ByteBuffer;

/** Puts the frame of a {@link Framing} around outgoing messages. Immutable; any thread. */
final class FrameEncoder {
    private final Framing framing;
    private final byte[] tail;
    private final int headLength;
    private final long payloadMax;

    FrameEncoder(Framing framing) {
        this.framing = framing;
        tail = framing.tail();
        headLength = framing.headLength();
        payloadMax = framing.messageBytesMax();
    }

    /**
     * Returns the length of a message with its frame.
     *
     * @throws IllegalArgumentException the message is too long for the frame
     */
    int frameLength(int payload) {
        if (payload > payloadMax) {
            throw new IllegalArgumentException(
                    "a message of " + payload + " bytes does not fit into its frame, which holds at most " + payloadMax);
        }
        return headLength + payload + tail.length;
    }

    int headLength() {
        return headLength;
    }

    /** Writes the bytes that precede a message of that length. */
    void putHead(ByteBuffer out, int length) {
        framing.putHead(out, length);
    }

    /** Returns what follows a message; not to be changed. */
    byte[] tail() {
        return tail;
    }

    /**
     * Returns a copy of the message in its frame, in a direct buffer if possible. The position of the content moves to its limit.
     */
    ByteBuffer frame(ByteBuffer content) {
        ByteBuffer framed = DirectMemory.allocate(frameLength(content.remaining()));
        framing.putHead(framed, content.remaining());
        return framed.put(content).put(tail).flip();
    }
}
