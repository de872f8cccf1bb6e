package io.trivet.server;

import java.nio.ByteBuffer;

/** Finds messages that end with a sequence of bytes, or lines. Immutable; any thread. */
final class DelimiterDecoder implements FrameDecoder {
    private static final long LOW_BITS = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;

    private final byte[] delimiter;
    private final byte last;
    /** Eight copies of the delimiter's last byte. */
    private final long pattern;
    private final boolean lines;

    /**
     * Creates a decoder.
     *
     * @param delimiter the sequence; not changed afterwards
     * @param lines true if a carriage return before the delimiter is part of it
     */
    DelimiterDecoder(byte[] delimiter, boolean lines) {
        this.delimiter = delimiter;
        this.lines = lines;
        last = delimiter[delimiter.length - 1];
        pattern = (last & 0xff) * LOW_BITS;
    }

    @Override
    public void decode(ByteBuffer in, int from, int to, Frame frame) {
        int at = Math.max(frame.searchFrom(), from + delimiter.length - 1);
        while ((at = indexOfLast(in, at, to)) >= 0) {
            int begin = at - delimiter.length + 1;
            if (delimiter.length == 1 || matches(in, begin)) {
                frame.message(from, lines && begin > from && in.get(begin - 1) == '\r' ? begin - 1 : begin, at + 1);
                return;
            }
            at++;
        }
        boolean mayEnd = lines && in.get(to - 1) == '\r'; // part of the line end if a line feed follows
        frame.payloadAtLeast((long) to - from - (mayEnd ? 1 : delimiter.length - 1));
        frame.scannedTo(to);
    }

    /**
     * Returns the first index of the delimiter's last byte, or -1. Reads eight bytes at a time; the buffer's order must be
     * big-endian.
     */
    private int indexOfLast(ByteBuffer in, int from, int to) {
        int at = from;
        for (; at + Long.BYTES <= to; at += Long.BYTES) {
            // A byte that equals the pattern's becomes 0. Mycroft's test for a zero byte is exact from the lowest byte up to
            // the first zero, so the first byte in memory must be the lowest.
            long word = Long.reverseBytes(in.getLong(at)) ^ pattern;
            long zeros = (word - LOW_BITS) & ~word & HIGH_BITS;
            if (zeros != 0) {
                return at + (Long.numberOfTrailingZeros(zeros) >>> 3);
            }
        }
        for (; at < to; at++) {
            if (in.get(at) == last) {
                return at;
            }
        }
        return -1;
    }

    private boolean matches(ByteBuffer in, int begin) {
        for (int i = 0; i < delimiter.length - 1; i++) {
            if (in.get(begin + i) != delimiter[i]) {
                return false;
            }
        }
        return true;
    }
}
