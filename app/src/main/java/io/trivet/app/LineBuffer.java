package io.trivet.app;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Bytes that are cut into lines. It holds what was put in and not yet taken: whole lines, and the beginning of one. */
final class LineBuffer {
    private static final int CAPACITY_MIN = 256;

    private final int lineBytesMax;
    /** What is held lies from begin to end; no newline lies before scanned. */
    private byte[] bytes = {};
    private int begin;
    private int scanned;
    private int end;

    LineBuffer(int lineBytesMax) {
        this.lineBytesMax = lineBytesMax;
    }

    void put(ByteBuffer more) {
        int count = more.remaining();
        if (bytes.length - end < count) {
            int held = held();
            byte[] roomy = held + count <= bytes.length / 2 ? bytes : new byte[Math.max(CAPACITY_MIN, 2 * (held + count))];
            System.arraycopy(bytes, begin, roomy, 0, held);
            bytes = roomy;
            scanned -= begin;
            begin = 0;
            end = held;
        }
        more.get(bytes, end, count);
        end += count;
    }

    /**
     * Takes the next line, without its newline.
     *
     * @return the line, valid until the next call; null: no whole line is there, or it is {@linkplain #isTooLong too long}
     */
    @Nullable
    ByteBuffer take() {
        while (scanned < end && bytes[scanned] != '\n') {
            scanned++;
        }
        if (scanned == end || isTooLong()) {
            return null;
        }
        ByteBuffer line = ByteBuffer.wrap(bytes, begin, lineLength()).slice();
        begin = scanned + 1;
        scanned = begin;
        if (begin == end && bytes.length > CAPACITY_MIN) {
            release();
        }
        return line;
    }

    /** Whether the line that would be taken next is already longer than it may be. */
    boolean isTooLong() {
        return lineLength() > lineBytesMax;
    }

    int held() {
        return end - begin;
    }

    /** Up to where was looked, without the {@code \r} that stands before a newline, or may. */
    private int lineLength() {
        int length = scanned - begin;
        return length > 0 && bytes[scanned - 1] == '\r' ? length - 1 : length;
    }

    /** An idle client owns no buffer. */
    private void release() {
        bytes = new byte[0];
        begin = 0;
        scanned = 0;
        end = 0;
    }
}
