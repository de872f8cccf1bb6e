package io.trivet.server;

import java.nio.ByteBuffer;

/**
 * Messages that follow their length, an unsigned number in network byte order that does not count itself. Immutable; any thread.
 *
 * @param bytes the size of the length: 1, 2 or 4
 */
record LengthPrefix(int bytes) implements FrameDecoder, FrameEncoder {
    @Override
    public void decode(ByteBuffer in, int from, int to, Frame frame) {
        if (to - from < bytes) {
            return;
        }
        long length = switch (bytes) {
            case 1 -> in.get(from) & 0xffL;
            case 2 -> in.getShort(from) & 0xffffL;
            default -> in.getInt(from) & 0xffff_ffffL;
        };
        if (to - from - bytes < length) {
            frame.payloadAtLeast(length);
        } else {
            int end = from + bytes + (int) length;
            frame.message(from + bytes, end, end);
        }
    }

    @Override
    public int headLength(int messageBytes) {
        return bytes;
    }

    @Override
    public void putHead(ByteBuffer out, int messageBytes) {
        switch (bytes) {
            case 1 -> out.put((byte) messageBytes);
            case 2 -> out.putShort((short) messageBytes);
            default -> out.putInt(messageBytes);
        }
    }

    @Override
    public long messageBytesMax() {
        return switch (bytes) {
            case 1 -> 0xff;
            case 2 -> 0xffff;
            default -> Integer.MAX_VALUE - 16;
        };
    }
}
