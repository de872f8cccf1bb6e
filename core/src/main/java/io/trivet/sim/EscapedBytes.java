package io.trivet.sim;

import java.util.Arrays;

/** Bytes as text for messages and traces. */
final class EscapedBytes {
    private static final int SHOWN_MAX = 80;

    private EscapedBytes() {}

    /** Returns the bytes in quotes, escaped as in Java; the middle of a long text is left out. */
    static String quote(byte[] bytes) {
        return quote(bytes, 0, bytes.length);
    }

    static String quote(byte[] bytes, int from, int to) {
        StringBuilder text = new StringBuilder("\"");
        if (to - from <= SHOWN_MAX) {
            escape(text, bytes, from, to);
            return text.append('"').toString();
        }
        escape(text, bytes, from, from + SHOWN_MAX / 2);
        text.append("\"...\"");
        escape(text, bytes, to - SHOWN_MAX / 2, to);
        return text.append("\" (").append(to - from).append(" bytes)").toString();
    }

    private static void escape(StringBuilder text, byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            switch (bytes[i]) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                default -> {
                    if (bytes[i] >= ' ' && bytes[i] < 0x7f) {
                        text.append((char) bytes[i]);
                    } else {
                        text.append(String.format("\\x%02X", bytes[i] & 0xff));
                    }
                }
            }
        }
    }

    /** Returns the index of the first occurrence at or after an index; -1 if there is none. */
    static int indexOf(byte[] bytes, byte[] wanted, int from) {
        for (int i = from; i + wanted.length <= bytes.length; i++) {
            if (startsWith(bytes, i, wanted)) {
                return i;
            }
        }
        return -1;
    }

    /** Returns whether bytes are found at an index. */
    static boolean startsWith(byte[] bytes, int at, byte[] wanted) {
        return at + wanted.length <= bytes.length
                && Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length);
    }
}
