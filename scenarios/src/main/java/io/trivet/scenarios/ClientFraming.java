package io.trivet.scenarios;

import io.trivet.server.Framing;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** The framings, with the clients' own implementation: it builds and decodes frames. */
enum ClientFraming {
    /** No frames. A message ends with a line feed, which is part of it, so that the checkers can separate the messages. */
    RAW(0, "", Integer.MAX_VALUE), LINES(0, "\n", Integer.MAX_VALUE), LINES_CRLF(0, "\r\n", Integer.MAX_VALUE),
    /** The first byte of the delimiter may occur in a message, the second may not. */
    DELIMITED(0, "#!", Integer.MAX_VALUE),
    /** A delimiter that overlaps itself. Its last byte does not occur in a message. */
    DELIMITED_OVERLAPPING(0, "!#!", Integer.MAX_VALUE), PREFIXED_1(1, "", 0xff), PREFIXED_2(2, "", 0xffff), PREFIXED_4(4, "",
            Integer.MAX_VALUE);

    private final int headBytes;
    private final String tail;
    private final int lengthMax;

    ClientFraming(int headBytes, String tail, int lengthMax) {
        this.headBytes = headBytes;
        this.tail = tail;
        this.lengthMax = lengthMax;
    }

    Framing toFraming() {
        return switch (this) {
            case RAW -> Framing.raw();
            case LINES -> Framing.lines();
            case LINES_CRLF -> Framing.lines("\r\n");
            case DELIMITED, DELIMITED_OVERLAPPING -> Framing.delimited(MessageContent.ascii(tail));
            case PREFIXED_1 -> Framing.lengthPrefixed(1);
            case PREFIXED_2 -> Framing.lengthPrefixed(2);
            case PREFIXED_4 -> Framing.lengthPrefixed(4);
        };
    }

    boolean isRaw() {
        return this == RAW;
    }

    /** Returns true if frames start with a length. An urgent byte that becomes an ordinary one then corrupts all that follows. */
    boolean isPrefixed() {
        return headBytes > 0;
    }

    /** Returns true if an urgent byte that becomes an ordinary one can corrupt a delimiter or a length. */
    boolean isCorruptedByUrgent() {
        return isPrefixed() || tail.length() > 1;
    }

    /**
     * Counts the bytes that are not urgent. With a length prefix only one urgent byte is ever sent, which never becomes an
     * ordinary one.
     */
    int ordinaryBytes(ByteBuffer bytes, int from, int to) {
        if (isPrefixed()) {
            return to - from;
        }
        int ordinary = 0;
        for (int i = from; i < to; i++) {
            ordinary += (bytes.get(i) & 0xff) < MessageContent.URGENT_MIN ? 1 : 0;
        }
        return ordinary;
    }

    /** Returns the length of the longest message that fits into a frame. */
    int lengthMax() {
        return lengthMax;
    }

    int framedLength(int length) {
        return headBytes + length + tail.length();
    }

    /** Returns a message in its frame. */
    byte[] frame(byte[] content) {
        ByteBuffer framed = ByteBuffer.allocate(framedLength(content.length));
        for (int i = headBytes - 1; i >= 0; i--) {
            framed.put((byte) (content.length >>> (8 * i)));
        }
        return framed.put(content).put(MessageContent.ascii(tail)).array();
    }

    /**
     * Returns the end of the frame that starts at {@code from}; -1 if it is incomplete. The bytes before {@code searchedTo}
     * contain no end.
     */
    int endOfFrame(byte[] bytes, int from, int searchedTo, int to) {
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
        for (int at = searchedTo; at < to; at++) {
            if (bytes[at] == last && endsWithTail(bytes, from, at + 1)) {
                return at + 1;
            }
        }
        return -1;
    }

    private boolean endsWithTail(byte[] bytes, int from, int end) {
        for (int i = 1; i <= tail.length(); i++) {
            if (end - i < from || bytes[end - i] != tail.charAt(tail.length() - i)) {
                return false;
            }
        }
        return true;
    }

    /** Returns the content of a complete frame. */
    byte[] content(byte[] bytes, int from, int end) {
        return Arrays.copyOfRange(bytes, from + headBytes, end - tail.length());
    }
}
