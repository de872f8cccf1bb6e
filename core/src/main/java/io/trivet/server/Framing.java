package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Defines where a message ends in the stream of bytes. It works both ways: a handler gets the content of a frame, and {@code
 * send} puts the frame around its argument. Immutable; any thread.
 */
public abstract sealed class Framing {
    /** The result of {@link #next} if the message is incomplete. */
    static final int INCOMPLETE = -1;

    Framing() {}

    /**
     * Returns the framing without frames. Every piece that arrives is a message, however the network has cut it; a piece above
     * {@link Limits#messageBytesMax} is cut again.
     *
     * @return the framing
     */
    public static Framing raw() {
        return Raw.ONLY;
    }

    /**
     * Returns the framing of lines. A line feed ends a message; a carriage return before it is part of the line end. {@code send}
     * ends a line with a line feed.
     *
     * @return the framing
     */
    public static Framing lines() {
        return lines("\n");
    }

    /**
     * Returns the framing of lines, with the given end of outgoing lines. Incoming lines may have either end.
     *
     * @param end {@code "\n"} or {@code "\r\n"}
     * @return the framing
     * @throws IllegalArgumentException the end is neither {@code "\n"} nor {@code "\r\n"}
     */
    public static Framing lines(String end) {
        if (!end.equals("\n") && !end.equals("\r\n")) {
            throw new IllegalArgumentException("a line ends in \\n or \\r\\n");
        }
        return new Delimited(new byte[]{'\n'}, end.getBytes(StandardCharsets.US_ASCII), true);
    }

    /**
     * Returns the framing of messages that end with a sequence of bytes. A message must not contain that sequence; {@code send}
     * does not check this.
     *
     * @param delimiter the sequence, 1 to 16 bytes
     * @return the framing
     * @throws IllegalArgumentException the delimiter is empty, or longer than 16 bytes
     */
    public static Framing delimited(byte... delimiter) {
        if (delimiter.length < 1 || delimiter.length > 16) {
            throw new IllegalArgumentException("a delimiter has 1 to 16 bytes, not " + delimiter.length);
        }
        return new Delimited(delimiter.clone(), delimiter.clone(), false);
    }

    /**
     * Returns the framing of messages that follow their length, an unsigned number in network byte order that does not count
     * itself.
     *
     * @param bytes the size of the length: 1, 2 or 4
     * @return the framing
     * @throws IllegalArgumentException the size is not 1, 2 or 4
     */
    public static Framing lengthPrefixed(int bytes) {
        if (bytes != 1 && bytes != 2 && bytes != 4) {
            throw new IllegalArgumentException("a length has 1, 2 or 4 bytes, not " + bytes);
        }
        return new LengthPrefixed(bytes);
    }

    /**
     * Finds the next message.
     *
     * @param in the bytes; read by absolute index
     * @param from the index of the frame's first byte
     * @param to the index behind the last byte that has arrived
     * @param scanned the number of bytes that an earlier search has found to contain no end
     * @param frame receives the indices of the message; valid unless the result is INCOMPLETE
     * @return the index behind the frame, or {@link #INCOMPLETE}
     */
    abstract int next(ByteBuffer in, int from, int to, int scanned, Frame frame);

    /** Returns a lower bound of the incomplete message's length. May come from the peer's length field: never allocate by it. */
    abstract long lengthAtLeast(ByteBuffer in, int from, int to);

    /** Writes the {@link #headLength} bytes that precede a message of that length. */
    abstract void putHead(ByteBuffer out, int length);

    /** Returns the number of bytes that precede a message. */
    abstract int headLength();

    /** Returns the bytes that follow a message. */
    abstract byte[] tail();

    /** Returns the length of the longest message that a frame can hold. */
    abstract long messageBytesMax();

    /** Returns true if messages have no end of their own. */
    boolean isRaw() {
        return false;
    }

    /** The indices of a message: of its first byte, and behind its last. */
    static final class Frame {
        int from;
        int to;
    }

    private static final class Raw extends Framing {
        static final Raw ONLY = new Raw();
        private static final byte[] NONE = {};

        @Override
        int next(ByteBuffer in, int from, int to, int scanned, Frame frame) {
            frame.from = from;
            frame.to = to;
            return to;
        }

        @Override
        long lengthAtLeast(ByteBuffer in, int from, int to) {
            return 0;
        }

        @Override
        void putHead(ByteBuffer out, int length) {}

        @Override
        int headLength() {
            return 0;
        }

        @Override
        byte[] tail() {
            return NONE;
        }

        @Override
        long messageBytesMax() {
            return Integer.MAX_VALUE;
        }

        @Override
        boolean isRaw() {
            return true;
        }

        @Override
        public String toString() {
            return "raw";
        }
    }

    private static final class Delimited extends Framing {
        private static final long LOW_BITS = 0x0101010101010101L;
        private static final long HIGH_BITS = 0x8080808080808080L;

        private final byte[] delimiter;
        private final byte[] tail;
        private final byte last;
        /** Eight copies of the delimiter's last byte. */
        private final long pattern;
        private final boolean lines;

        Delimited(byte[] delimiter, byte[] tail, boolean lines) {
            this.delimiter = delimiter;
            this.tail = tail;
            this.lines = lines;
            last = delimiter[delimiter.length - 1];
            pattern = (last & 0xff) * LOW_BITS;
        }

        @Override
        int next(ByteBuffer in, int from, int to, int scanned, Frame frame) {
            int at = from + Math.max(scanned, delimiter.length - 1);
            while ((at = indexOfLast(in, at, to)) >= 0) {
                int begin = at - delimiter.length + 1;
                if (delimiter.length == 1 || matches(in, begin)) {
                    frame.from = from;
                    frame.to = lines && begin > from && in.get(begin - 1) == '\r' ? begin - 1 : begin;
                    return at + 1;
                }
                at++;
            }
            return INCOMPLETE;
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

        @Override
        long lengthAtLeast(ByteBuffer in, int from, int to) {
            boolean mayEnd = lines && in.get(to - 1) == '\r'; // part of the line end if a line feed follows
            return (long) to - from - (mayEnd ? 1 : delimiter.length - 1);
        }

        @Override
        void putHead(ByteBuffer out, int length) {}

        @Override
        int headLength() {
            return 0;
        }

        @Override
        byte[] tail() {
            return tail;
        }

        @Override
        long messageBytesMax() {
            return Integer.MAX_VALUE - 16;
        }

        @Override
        public String toString() {
            return lines ? "lines" : "delimited";
        }
    }

    private static final class LengthPrefixed extends Framing {
        private static final byte[] NONE = {};
        private final int bytes;

        LengthPrefixed(int bytes) {
            this.bytes = bytes;
        }

        @Override
        int next(ByteBuffer in, int from, int to, int scanned, Frame frame) {
            if (to - from < bytes) {
                return INCOMPLETE;
            }
            long length = length(in, from);
            if (to - from - bytes < length) {
                return INCOMPLETE;
            }
            frame.from = from + bytes;
            frame.to = frame.from + (int) length;
            return frame.to;
        }

        private long length(ByteBuffer in, int from) {
            assert in.order() == ByteOrder.BIG_ENDIAN;
            return switch (bytes) {
                case 1 -> in.get(from) & 0xffL;
                case 2 -> in.getShort(from) & 0xffffL;
                default -> in.getInt(from) & 0xffff_ffffL;
            };
        }

        @Override
        long lengthAtLeast(ByteBuffer in, int from, int to) {
            return to - from < bytes ? 0 : length(in, from);
        }

        @Override
        void putHead(ByteBuffer out, int length) {
            switch (bytes) {
                case 1 -> out.put((byte) length);
                case 2 -> out.putShort((short) length);
                default -> out.putInt(length);
            }
        }

        @Override
        int headLength() {
            return bytes;
        }

        @Override
        byte[] tail() {
            return NONE;
        }

        @Override
        long messageBytesMax() {
            return switch (bytes) {
                case 1 -> 0xff;
                case 2 -> 0xffff;
                default -> Integer.MAX_VALUE - 16;
            };
        }

        @Override
        public String toString() {
            return "length-prefixed, " + bytes + (bytes == 1 ? " byte" : " bytes");
        }
    }
}
