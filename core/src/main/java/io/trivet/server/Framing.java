package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Where a message ends in the stream of bytes. It works both ways: a handler is given what is in the frame, and {@code send} puts the
 * frame around what it is given. Immutable; any thread.
 */
public abstract sealed class Framing {
    /** {@link #next}: the message is not whole yet. */
    static final int INCOMPLETE = -1;

    Framing() {}

    /**
     * No frames: every piece that arrives is a message, however the net has cut it; one longer than a message may be is cut again.
     *
     * @return the framing
     */
    public static Framing raw() {
        return Raw.ONLY;
    }

    /**
     * Lines: a line feed ends a message, and a carriage return before it belongs to the end. {@code send} ends a line with a line feed.
     *
     * @return the framing
     */
    public static Framing lines() {
        return lines("\n");
    }

    /**
     * Lines with an end of your choice for those that are sent; both ends are understood.
     *
     * @param end {@code "\n"} or {@code "\r\n"}
     * @return the framing
     * @throws IllegalArgumentException another end
     */
    public static Framing lines(String end) {
        if (!end.equals("\n") && !end.equals("\r\n")) {
            throw new IllegalArgumentException("a line ends in \\n or \\r\\n");
        }
        return new Delimited(new byte[]{'\n'}, end.getBytes(StandardCharsets.US_ASCII), true);
    }

    /**
     * Messages that end in a sequence of bytes, which no message may contain.
     *
     * @param delimiter the sequence, 1 to 16 bytes
     * @return the framing
     * @throws IllegalArgumentException the sequence is empty, or longer
     */
    public static Framing delimited(byte... delimiter) {
        if (delimiter.length < 1 || delimiter.length > 16) {
            throw new IllegalArgumentException("a delimiter has 1 to 16 bytes, not " + delimiter.length);
        }
        return new Delimited(delimiter.clone(), delimiter.clone(), false);
    }

    /**
     * Messages behind their length, an unsigned number of so many bytes in network order, which does not count itself.
     *
     * @param bytes 1, 2 or 4
     * @return the framing
     * @throws IllegalArgumentException another number
     */
    public static Framing lengthPrefixed(int bytes) {
        if (bytes != 1 && bytes != 2 && bytes != 4) {
            throw new IllegalArgumentException("a length has 1, 2 or 4 bytes, not " + bytes);
        }
        return new LengthPrefixed(bytes);
    }

    /**
     * Looks for the next message.
     *
     * @param in the bytes, absolute indices
     * @param from where the message begins
     * @param to behind the last byte there is
     * @param scanned so many bytes were looked at before and found to hold no end; set anew
     * @param frame receives the message's place; valid if the result is not INCOMPLETE
     * @return the index behind the frame, or {@link #INCOMPLETE}
     */
    abstract int next(ByteBuffer in, int from, int to, int scanned, Frame frame);

    /** How long the message will at least be that begins here and is incomplete; a peer's word, not to be trusted with memory. */
    abstract long lengthAtLeast(ByteBuffer in, int from, int to);

    /** What goes before a message of that length. */
    abstract void putHead(ByteBuffer out, int length);

    /** How many bytes go before a message. */
    abstract int headLength();

    /** What goes behind a message. */
    abstract byte[] tail();

    /** The longest message that a frame can hold. */
    abstract long messageBytesMax();

    /** Whether a message has an end. */
    boolean isRaw() {
        return false;
    }

    /** Where a message lies. */
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
        /** The last byte of the delimiter, eight times. */
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

        /** The first place of the delimiter's last byte, eight bytes at a time; -1: none. The buffer's order is big-endian. */
        private int indexOfLast(ByteBuffer in, int from, int to) {
            int at = from;
            for (; at + Long.BYTES <= to; at += Long.BYTES) {
                // A byte that equals the pattern's becomes 0. Mycroft's test for one is exact from the lowest byte up to the first that is 0,
                // so the first byte in memory must be the lowest.
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
            boolean mayEnd = lines && in.get(to - 1) == '\r'; // it belongs to the end if a line feed follows
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
