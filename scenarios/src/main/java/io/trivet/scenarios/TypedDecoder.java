package io.trivet.scenarios;

import io.trivet.server.Frame;
import io.trivet.server.FrameDecoder;
import io.trivet.server.FrameEncoder;
import io.trivet.server.Framing;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Frames of a type, a length of four bytes, and the message, as an application of the server decodes them. The decoder has state: a
 * frame of two of the types sets the order of the bytes of all lengths after its own. A frame of another type is a single byte, and
 * no message. The server's own lengths are big-endian.
 */
final class TypedDecoder implements FrameDecoder {
    static final int HEAD_BYTES = 1 + Integer.BYTES;
    /** The types. No content of a message starts with one of them. */
    static final byte BIG_ENDIAN = 1;

    static final byte LITTLE_ENDIAN = 2;
    static final byte MESSAGE = 3;
    static final byte KEEP_ALIVE = 4;

    static final Framing FRAMING = Framing.perConnection(TypedDecoder::new).withEncoder(new Encoder());

    private boolean littleEndian;

    /** Returns a message in its frame. */
    static byte[] frame(byte[] content, byte type, boolean littleEndian) {
        ByteOrder order = littleEndian ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
        return ByteBuffer.allocate(HEAD_BYTES + content.length).order(order).put(type).putInt(content.length).put(content)
                .array();
    }

    @Override
    public void decode(ByteBuffer in, int from, int to, Frame frame) throws ProtocolException {
        byte type = in.get(from);
        if (type == KEEP_ALIVE) {
            frame.skip(from + 1);
            return;
        }
        if (type < BIG_ENDIAN || type > MESSAGE) {
            throw new ProtocolException("there is no type " + type);
        }
        if (to - from < HEAD_BYTES) {
            return;
        }
        int read = in.getInt(from + 1);
        long length = (littleEndian ? Integer.reverseBytes(read) : read) & 0xffff_ffffL;
        frame.payloadAtLeast(length);
        if (to - from - HEAD_BYTES >= length) {
            int end = from + HEAD_BYTES + (int) length;
            frame.message(from + HEAD_BYTES, end, end);
            if (type != MESSAGE) {
                littleEndian = type == LITTLE_ENDIAN;
            }
        }
    }

    private static final class Encoder implements FrameEncoder {
        @Override
        public int headLength(int messageBytes) {
            return HEAD_BYTES;
        }

        @Override
        public void putHead(ByteBuffer out, int messageBytes) {
            out.put(MESSAGE).putInt(messageBytes);
        }
    }
}
