package io.trivet.scenarios;

import io.trivet.server.Framing;
import java.nio.ByteBuffer;

/** The framings, as a client must know them: it builds frames, and takes them apart. */
enum Frames {
    /** No frames. A message of ours ends with a line feed, which belongs to it, so that judges can tell one from the next. */
    RAW(0, "", Integer.MAX_VALUE), LINES(0, "\n", Integer.MAX_VALUE), LINES_CRLF(0, "\r\n", Integer.MAX_VALUE),
    /** The first byte of the delimiter may stand in a message, the second not. */
    DELIMITED(0, "#!", Integer.MAX_VALUE), PREFIXED_1(1, "", 0xff), PREFIXED_2(2, "", 0xffff), PREFIXED_4(4, "",
            Integer.MAX_VALUE);

    private final int headBytes;
    private final String tail;
    private final int lengthMax;

    Frames(int headBytes, String tail, int lengthMax) {
        this.headBytes = headBytes;
        this.tail = tail;
        this.lengthMax = lengthMax;
    }

    Framing framing() {
        return switch (this) {
            case RAW -> Framing.raw();
            case LINES -> Framing.lines();
            case LINES_CRLF -> Framing.lines("\r\n");
            case DELIMITED -> Framing.delimited(Content.ascii(tail));
            case PREFIXED_1 -> Framing.lengthPrefixed(1);
            case PREFIXED_2 -> Framing.lengthPrefixed(2);
            case PREFIXED_4 -> Framing.lengthPrefixed(4);
        };
    }

    boolean isRaw() {
        return this == RAW;
    }

    /** Whether every byte counts, so that an urgent byte that turns up among the others spoils everything behind it. */
    boolean isPrefixed() {
        return headBytes > 0;
    }

    /** Whether an urgent byte that turns up among the others can fall into an end of a message, or a length, and spoil it. */
    boolean isSpoiltByUrgent() {
        return isPrefixed() || tail.length() > 1;
    }

    /** How many of some bytes are no urgent ones. With a prefix one alone is ever sent, which is never overtaken by another. */
    int ordinaryBytes(ByteBuffer bytes, int from, int to) {
        if (isPrefixed()) {
            return to - from;
        }
        int ordinary = 0;
        for (int i = from; i < to; i++) {
            ordinary += (bytes.get(i) & 0xff) < Content.URGENT_MIN ? 1 : 0;
        }
        return ordinary;
    }

    /** The longest message that a frame can hold. */
    int lengthMax() {
        return lengthMax;
    }

    int framedLength(int length) {
        return headBytes + length + tail.length();
    }

    /** A message in its frame. */
    byte[] frame(byte[] content) {
        ByteBuffer framed = ByteBuffer.allocate(framedLength(content.length));
        for (int i = headBytes - 1; i >= 0; i--) {
            framed.put((byte) (content.length >>> (8 * i)));
        }
        return framed.put(content).put(Content.ascii(tail)).array();
    }

    /** Where the frame ends that begins there, and of which that much was looked at before; -1: it is not whole. */
    int endOfFrame(byte[] bytes, int from, int lookedTo, int to) {
        if (isPrefixed()) {
            if (to - from < headBytes) {
                return -1;
            }
            long length = 0;
            for (int i = 0; i < headBytes; i++) {
                length = length << 8 | (bytes[from + i] & 0xff);
            }
            return to - from - headBytes < length ? -1 : from + headBytes + (int) length;
        }
        int last = isRaw() ? '\n' : tail.charAt(tail.length() - 1);
        for (int at = lookedTo; at < to; at++) {
            boolean ends = bytes[at] == last && (tail.length() < 2 || (at > from && bytes[at - 1] == tail.charAt(0)));
            if (ends) {
                return at + 1;
            }
        }
        return -1;
    }

    /** What is in a whole frame. */
    byte[] content(byte[] bytes, int from, int end) {
        return java.util.Arrays.copyOfRange(bytes, from + headBytes, end - tail.length());
    }
}
