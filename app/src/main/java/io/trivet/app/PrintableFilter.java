package io.trivet.app;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Replaces what a terminal obeys by {@code ?}: the control characters of C0 (but newline and tab), DEL, those of C1, as bytes and
 * as UTF-8, and format characters, which change the direction of the text or are invisible. Decodes UTF-8 across calls: bytes
 * that are not valid UTF-8 are replaced too, since a terminal may take them for C1.
 *
 * <p>With another charset only ASCII passes, and with ISO 8859 also the bytes from 0xA0.
 */
final class PrintableFilter {
    private static final int UNICODE_MAX = 0x10ffff;

    private final boolean utf8;
    private final int upperMin;
    /** An incomplete UTF-8 character: its first bytes. */
    private final byte[] partial = new byte[4];
    private int partialBytes;

    PrintableFilter(Charset charset) {
        utf8 = charset.equals(StandardCharsets.UTF_8);
        upperMin = charset.name().startsWith("ISO-8859-") ? 0xa0 : 0x100;
    }

    /** Returns the bytes to print. Up to 3 bytes of an incomplete character are kept for the next call. */
    byte[] filter(byte[] bytes) {
        byte[] printed = new byte[partialBytes + bytes.length];
        int count = 0;
        for (byte b : bytes) {
            if (!utf8) {
                int value = b & 0xff;
                printed[count++] = isPrintableAscii(value) || value >= upperMin ? b : (byte) '?';
                continue;
            }
            if (partialBytes > 0 && (b & 0xc0) != 0x80) { // the character before is incomplete
                printed[count++] = '?';
                partialBytes = 0;
            }
            if (partialBytes == 0 && b >= 0) {
                printed[count++] = isPrintableAscii(b) ? b : (byte) '?';
            } else if (partialBytes == 0 && length(b) == 0) {
                printed[count++] = '?';
            } else {
                partial[partialBytes++] = b;
                if (partialBytes == length(partial[0])) {
                    if (isPrintable(codePoint())) {
                        System.arraycopy(partial, 0, printed, count, partialBytes);
                        count += partialBytes;
                    } else {
                        printed[count++] = '?';
                    }
                    partialBytes = 0;
                }
            }
        }
        return Arrays.copyOf(printed, count);
    }

    private static boolean isPrintableAscii(int value) {
        return (value >= 0x20 && value < 0x7f) || value == '\n' || value == '\t';
    }

    /** Returns the number of bytes of a character by its first one; 0 if no character starts with it. */
    private static int length(byte first) {
        int value = first & 0xff;
        return value < 0xc2 ? 0 : value < 0xe0 ? 2 : value < 0xf0 ? 3 : value < 0xf5 ? 4 : 0;
    }

    private int codePoint() {
        int value = partial[0] & (0xff >> (partialBytes + 1));
        for (int i = 1; i < partialBytes; i++) {
            value = (value << 6) | (partial[i] & 0x3f);
        }
        int smallest = partialBytes == 2 ? 0x80 : partialBytes == 3 ? 0x800 : 0x10000;
        return value < smallest || value > UNICODE_MAX ? -1 : value;
    }

    /** Returns whether a terminal only shows this character; -1, an invalid one, it may not. */
    static boolean isPrintable(int codePoint) {
        return codePoint >= 0 && switch (Character.getType(codePoint)) {
            case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE -> false;
            // Joiners, which scripts and emoji need, and the soft hyphen do no harm.
            case Character.FORMAT -> codePoint == 0x200c || codePoint == 0x200d || codePoint == 0xad;
            default -> true;
        };
    }
}
