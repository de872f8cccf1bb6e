package io.trivet.server;

import java.nio.ByteBuffer;

/**
 * Finds the next message in the bytes that have arrived. The server keeps an incomplete message, and calls the decoder again when
 * more bytes have arrived. All limits, deadlines and policies apply, as for the built-in framings.
 *
 * {@snippet :
 * // Netstrings: 5:hello,
 * FrameDecoder netstrings = (in, from, to, frame) -> {
 *     int length = 0;
 *     for (int at = from; at < to; at++) {
 *         byte b = in.get(at);
 *         if (b == ':' && at > from) {
 *             int end = at + 1 + length;
 *             frame.payloadAtLeast(length); // if it is too long, the connection ends before it arrives
 *             if (end < to) {
 *                 if (in.get(end) != ',') {
 *                     throw new ProtocolException("a netstring must end with a comma");
 *                 }
 *                 frame.message(at + 1, end, end + 1);
 *             }
 *             return;
 *         }
 *         if (b < '0' || b > '9' || at - from == 9) {
 *             throw new ProtocolException("a netstring must start with its length");
 *         }
 *         length = 10 * length + b - '0';
 *     }
 * };
 * Framing framing = Framing.of(netstrings);
 * }
 *
 * <p><b>State.</b> A decoder of {@link Framing#of} has none: several threads call it. A decoder of {@link
 * Framing#perConnection} belongs to one connection and is called by one thread. It should change its state only when it reports a
 * frame: incomplete bytes are passed again, with those that follow, and possibly at other indices. To share state with the
 * handler, one object can implement both interfaces and call {@code connection.upgrade(Framing.perConnection(() -> this), this)}
 * in {@code onOpen}.
 *
 * <p><b>Tests.</b> A {@link FramingTester} calls a decoder without a server, with a stream that is cut anywhere.
 *
 * <p><b>Failures.</b> If a decoder throws an exception, or reports impossible indices, its connection is closed with {@link
 * io.trivet.observe.CloseReason#PROTOCOL_ERROR}, and {@link Connection#failure} has the message. Earlier messages have been
 * delivered by then, and the replies to them are sent. No other connection is affected. An {@link Error} stops the server. A
 * decoder runs on the loop's thread: like a handler, it must not block.
 */
@FunctionalInterface
public interface FrameDecoder {
    /**
     * Looks for a message at the beginning of the bytes, and reports it with {@link Frame#message}. Bytes that are not to be
     * delivered are reported with {@link Frame#skip}. If the decoder calls neither, the message is incomplete.
     *
     * @param in the bytes; read by absolute index, from {@code from} to {@code to - 1}. Read-only, big-endian, and valid only
     *     during the call
     * @param from the index of the first byte after the previous frame. It need not be 0
     * @param to the index after the last byte that has arrived; always greater than {@code from}
     * @param frame receives the result; valid only during the call
     * @throws Exception the bytes break the protocol
     */
    void decode(ByteBuffer in, int from, int to, Frame frame) throws Exception;
}
