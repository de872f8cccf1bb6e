package io.trivet.scenarios;

import io.trivet.server.Framing;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;

/** The framings, with the clients' own implementation: it builds and decodes frames. */
enum ClientFraming {
    /** No frames. A message ends with a line feed, which is part of it, so that the checkers can separate the messages. */
    RAW(0, "", Integer.MAX_VALUE), LINES(0, "\n", Integer.MAX_VALUE), LINES_CRLF(0, "\r\n", Integer.MAX_VALUE),
    /** The first byte of the delimiter may occur in a message, the second may not. */
    DELIMITED(0, "#!", Integer.MAX_VALUE),
    /** A delimiter that overlaps itself. Its last byte does not occur in a message. */
    DELIMITED_OVERLAPPING(0, "!#!", Integer.MAX_VALUE), PREFIXED_1(1, "", 0xff), PREFIXED_2(2, "", 0xffff), PREFIXED_4(4, "",
            Integer.MAX_VALUE),
    /** A decoder of the application without state: the length in digits, a colon, the message, and a comma. */
    NETSTRINGS(0, ",", 999_999_999),
    /** A decoder of the application with state: see {@link TypedDecoder}. The client's first frame sets the order of bytes. */
    TYPED(TypedDecoder.HEAD_BYTES, "", Integer.MAX_VALUE - TypedDecoder.HEAD_BYTES),
    /** The first message is a line with a long end, upon which the connection is upgraded to {@link #TYPED}. */
    UPGRADED(TypedDecoder.HEAD_BYTES, "\n----", Integer.MAX_VALUE - TypedDecoder.HEAD_BYTES);

    /** No frame with a decoder of the application starts with this byte. */
    static final byte MALFORMED = 'x';

    private final int headBytes;
    private final String tail;
    private final int lengthMax;

    ClientFraming(int headBytes, String tail, int lengthMax) {
        this.headBytes = headBytes;
        this.tail = tail;
        this.lengthMax = lengthMax;
    }

    /** Returns the framings that the server implements itself. */
    static ClientFraming[] builtIn() {
        return EnumSet.complementOf(EnumSet.of(NETSTRINGS, TYPED, UPGRADED)).toArray(ClientFraming[]::new);
    }

    /** Returns the framings with decoders of the application. */
    static ClientFraming[] custom() {
        return new ClientFraming[]{NETSTRINGS, TYPED, UPGRADED};
    }

    /** Returns the framing of a new connection. */
    Framing toFraming() {
        return switch (this) {
            case RAW -> Framing.raw();
            case LINES -> Framing.lines();
            case LINES_CRLF -> Framing.lines("\r\n");
            case DELIMITED, DELIMITED_OVERLAPPING, UPGRADED -> Framing.delimited(MessageContent.ascii(tail));
            case PREFIXED_1 -> Framing.lengthPrefixed(1);
            case PREFIXED_2 -> Framing.lengthPrefixed(2);
            case PREFIXED_4 -> Framing.lengthPrefixed(4);
            case NETSTRINGS -> Netstrings.FRAMING;
            case TYPED -> TypedDecoder.FRAMING;
        };
    }

    /** Returns true if the decoder is one of the application. */
    boolean isCustom() {
        return this == NETSTRINGS || this == TYPED || this == UPGRADED;
    }

    /** Returns the largest length that a head can announce, if a message with that number has one; otherwise -1. */
    long announcedMax(int number) {
        return switch (this) {
            case PREFIXED_4, TYPED -> 0xffff_ffffL;
            case NETSTRINGS -> lengthMax;
            case UPGRADED -> number == 0 ? -1 : 0xffff_ffffL;
            case RAW, LINES, LINES_CRLF, DELIMITED, DELIMITED_OVERLAPPING, PREFIXED_1, PREFIXED_2 -> -1;
        };
    }

    /** Returns the head of a client's message whose length may be longer than any message can be. */
    byte[] head(long length, int number, boolean littleEndian) {
        return switch (this) {
            case PREFIXED_4 -> ByteBuffer.allocate(headBytes).putInt((int) length).array();
            case NETSTRINGS -> MessageContent.ascii(length + ":");
            case TYPED, UPGRADED -> {
                boolean reversed = this == TYPED && littleEndian && number > 0;
                yield ByteBuffer.allocate(headBytes).put(TypedDecoder.MESSAGE)
                        .putInt(reversed ? Integer.reverseBytes((int) length) : (int) length).array();
            }
            case RAW, LINES, LINES_CRLF, DELIMITED, DELIMITED_OVERLAPPING, PREFIXED_1, PREFIXED_2 ->
                throw new IllegalArgumentException(this + " has no such lengths");
        };
    }

    /** Returns true if the first message of a client changes the framing. */
    boolean upgrades() {
        return this == UPGRADED;
    }

    /** Returns the framing after the upgrade. */
    Framing toUpgradedFraming() {
        return TypedDecoder.FRAMING;
    }

    /** Returns true if a frame that starts with this byte is one of the framing after the upgrade. */
    boolean isUpgraded(byte first) {
        return upgrades() && first == TypedDecoder.MESSAGE;
    }

    boolean isRaw() {
        return this == RAW;
    }

    /** Returns true if frames start with a length. An urgent byte that becomes an ordinary one then corrupts all that follows. */
    boolean isPrefixed() {
        return headBytes > 0 || this == NETSTRINGS;
    }

    /** Returns true if the length of a frame alone decides where it ends. */
    boolean mayContainAnyByte() {
        return isPrefixed() && !upgrades();
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
        return switch (this) {
            case NETSTRINGS -> Integer.toString(length).length() + 1 + length + tail.length();
            case UPGRADED -> headBytes + length; // before the upgrade, the tail is as long
            default -> headBytes + length + tail.length();
        };
    }

    /** Returns the length of the longest message whose frame has at most that number of bytes. */
    int lengthWithin(int framedMax) {
        int length = framedMax - framedLength(0);
        while (framedLength(length) > framedMax) {
            length--;
        }
        return length;
    }

    /**
     * Returns a message in the frame that a client puts around it.
     *
     * @param number the number of the message
     * @param littleEndian with {@link #TYPED}: the order of bytes that the client chooses with its first message
     */
    byte[] frame(byte[] content, int number, boolean littleEndian) {
        if (this == TYPED) {
            byte choice = littleEndian ? TypedDecoder.LITTLE_ENDIAN : TypedDecoder.BIG_ENDIAN;
            return TypedDecoder.frame(content, number == 0 ? choice : TypedDecoder.MESSAGE, littleEndian && number > 0);
        }
        return frame(content, number > 0);
    }

    /**
     * Returns a message in the frame that the server puts around it.
     *
     * @param upgraded true after an upgrade
     */
    byte[] frame(byte[] content, boolean upgraded) {
        if (this == NETSTRINGS) {
            byte[] head = MessageContent.ascii(content.length + ":");
            return ByteBuffer.allocate(framedLength(content.length)).put(head).put(content).put(MessageContent.ascii(tail))
                    .array();
        }
        if (this == TYPED || (this == UPGRADED && upgraded)) {
            return TypedDecoder.frame(content, TypedDecoder.MESSAGE, false);
        }
        ByteBuffer framed = ByteBuffer.allocate(framedLength(content.length));
        if (this == UPGRADED) {
            return framed.put(content).put(MessageContent.ascii(tail)).array();
        }
        for (int i = headBytes - 1; i >= 0; i--) {
            framed.put((byte) (content.length >>> (8 * i)));
        }
        return framed.put(content).put(MessageContent.ascii(tail)).array();
    }

    /**
     * Returns the end of the server's frame that starts at {@code from}; -1 if it is incomplete. The bytes before {@code searchedTo}
     * contain no end.
     */
    int endOfFrame(byte[] bytes, int from, int searchedTo, int to) {
        if (this == NETSTRINGS) {
            int colon = colon(bytes, from, to);
            int end = colon < 0 ? to
                    : colon + 2 + Integer.parseInt(new String(bytes, from, colon - from, StandardCharsets.US_ASCII));
            return colon < 0 || to < end ? -1 : end;
        }
        if (isPrefixed() && !(upgrades() && from < to && !isUpgraded(bytes[from]))) {
            if (to - from < headBytes) {
                return -1;
            }
            long length = 0;
            for (int i = upgrades() || this == TYPED ? 1 : 0; i < headBytes; i++) {
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

    private static int colon(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            if (bytes[at] == ':') {
                return at;
            }
        }
        return -1;
    }

    /** Returns the content of a complete frame. */
    byte[] content(byte[] bytes, int from, int end) {
        if (this == NETSTRINGS) {
            return Arrays.copyOfRange(bytes, colon(bytes, from, end) + 1, end - tail.length());
        }
        if (upgrades()) {
            return isUpgraded(bytes[from]) ? Arrays.copyOfRange(bytes, from + headBytes, end)
                    : Arrays.copyOfRange(bytes, from, end - tail.length());
        }
        return Arrays.copyOfRange(bytes, from + headBytes, end - tail.length());
    }
}
