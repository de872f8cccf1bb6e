package io.trivet.scenarios;

import io.trivet.server.Frame;
import io.trivet.server.FrameDecoder;
import io.trivet.server.FrameEncoder;
import io.trivet.server.Framing;
import java.net.ProtocolException;
import java.nio.ByteBuffer;

/**
 * Netstrings (Bernstein, 1997), as an application of the server implements them: a decoder without state, and an encoder with a
 * head of varying length.
 */
final class Netstrings implements FrameDecoder, FrameEncoder {
    static final Framing FRAMING = framing(new Netstrings());

    private static final int DIGITS_MAX = 9;

    private Netstrings() {}

    private static Framing framing(Netstrings netstrings) {
        return Framing.of(netstrings).withEncoder(netstrings);
    }

    @Override
    public void decode(ByteBuffer in, int from, int to, Frame frame) throws ProtocolException {
        int length = 0;
        for (int at = from; at < to; at++) {
            byte b = in.get(at);
            if (b == ':' && at > from) {
                frame.payloadAtLeast(length);
                int end = at + 1 + length;
                if (end < to) {
                    if (in.get(end) != ',') {
                        throw new ProtocolException("a netstring must end with a comma");
                    }
                    frame.message(at + 1, end, end + 1);
                }
                return;
            }
            if (b < '0' || b > '9' || at - from == DIGITS_MAX) {
                throw new ProtocolException("a netstring must start with its length");
            }
            length = 10 * length + b - '0';
        }
    }

    @Override
    public int headLength(int messageBytes) {
        return Integer.toString(messageBytes).length() + 1;
    }

    @Override
    public void putHead(ByteBuffer out, int messageBytes) {
        out.put(MessageContent.ascii(messageBytes + ":"));
    }

    @Override
    public byte[] tail() {
        return new byte[]{','};
    }
}
