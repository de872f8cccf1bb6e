package io.trivet.app;

import java.nio.ByteBuffer;

/**
 * Escapes bytes from a peer for a log or a terminal. Control characters, non-ASCII bytes, {@code "} and {@code \} become
 * {@code \xHH}, so that a peer can neither forge a log line nor move the cursor.
 */
final class EscapedText {
    private static final int BYTES_MAX = 200;

    private EscapedText() {}

    /** Escapes up to {@value #BYTES_MAX} of the remaining bytes, and marks a cut by {@code ...}; does not move the position. */
    static String of(ByteBuffer bytes) {
        return of(bytes, Math.min(bytes.remaining(), BYTES_MAX));
    }

    /** Escapes all remaining bytes; does not move the position. */
    static String ofAll(ByteBuffer bytes) {
        return of(bytes, bytes.remaining());
    }

    private static String of(ByteBuffer bytes, int shown) {
        StringBuilder text = new StringBuilder(shown + 8);
        for (int i = 0; i < shown; i++) {
            append(text, bytes.get(bytes.position() + i) & 0xff);
        }
        return bytes.remaining() > shown ? text.append("...").toString() : text.toString();
    }

    static String of(String text) {
        return of(ByteBuffer.wrap(RawText.bytes(text)));
    }

    /**
     * Escapes what a terminal obeys or a log takes for a new line in a message that may quote arguments or a peer. Everything
     * else stays, including {@code "} and {@code \\}.
     */
    static String line(String text) {
        StringBuilder line = new StringBuilder(text.length());
        text.codePoints().forEach(codePoint -> {
            if (PrintableFilter.isPrintable(codePoint)) {
                line.appendCodePoint(codePoint);
            } else {
                for (byte b : RawText.bytes(Character.toString(codePoint))) {
                    append(line, b & 0xff);
                }
            }
        });
        return line.toString();
    }

    /** Escapes one byte, 0 to 255. */
    static String of(int value) {
        StringBuilder text = new StringBuilder(4);
        append(text, value);
        return text.toString();
    }

    private static void append(StringBuilder text, int value) {
        if (value < 0x20 || value >= 0x7f || value == '"' || value == '\\') {
            text.append("\\x").append(Character.forDigit(value >> 4, 16)).append(Character.forDigit(value & 0xf, 16));
        } else {
            text.append((char) value);
        }
    }
}
