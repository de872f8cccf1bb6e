package io.trivet.server;

import java.nio.ByteBuffer;

/**
 * Puts a frame around each outgoing message: a head whose length may depend on that of the message, and a constant tail.
 *
 * <p>An encoder has no state: connections share it, and any thread that sends calls it. If it throws an exception, {@code send}
 * throws the same exception and accepts nothing. If a broadcast fails, or a message of another thread fails only on the loop, the
 * connection is closed with {@link io.trivet.observe.CloseReason#PROTOCOL_ERROR}.
 *
 * {@snippet :
 * class BulkStrings implements FrameEncoder { // "$5\r\nhello\r\n", a bulk string of the Redis protocol
 *     public int headLength(int messageBytes) {
 *         return 3 + Integer.toString(messageBytes).length();
 *     }
 *
 *     public void putHead(ByteBuffer out, int messageBytes) {
 *         out.put(("$" + messageBytes + "\r\n").getBytes(StandardCharsets.US_ASCII));
 *     }
 *
 *     public byte[] tail() {
 *         return new byte[]{'\r', '\n'};
 *     }
 * }
 * }
 */
public interface FrameEncoder {
    /**
     * Returns the number of bytes that precede a message.
     *
     * @param messageBytes the length of the message
     * @return at least 0
     */
    int headLength(int messageBytes);

    /**
     * Writes the bytes that precede a message.
     *
     * @param out receives exactly {@link #headLength} bytes, from its position to its limit; big-endian. The bytes before the
     *     position belong to other messages
     * @param messageBytes the length of the message
     */
    void putHead(ByteBuffer out, int messageBytes);

    /**
     * Returns the bytes that follow each message. Called once.
     *
     * @return the bytes, which are copied; by default none
     */
    default byte[] tail() {
        return new byte[0];
    }

    /**
     * Returns the length of the longest message that the frame can hold; a longer one is refused with an {@link
     * IllegalArgumentException}. Called once.
     *
     * @return the number of bytes; by default, only the limit for all frames applies, which is 2 GiB
     */
    default long messageBytesMax() {
        return Integer.MAX_VALUE;
    }
}
