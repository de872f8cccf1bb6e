package io.trivet.scenarios;

import java.nio.charset.StandardCharsets;

/**
 * Generates the content of messages. A message that is long enough starts with its name. The other bytes follow from the name, so
 * that every byte can be checked.
 */
final class MessageContent {
    /**
     * The bytes that follow the name. There is no line feed or exclamation mark, which end messages, and no byte of 128 or more,
     * which is an urgent byte.
     */
    private static final byte[] FILL = ascii("abcdefghijklmnopqrstuvwxyz#ABCDEFGHIJKLMNOPQRSTUVWXYZ\r0123456789");
    /** {@link #FILL} repeated, long enough for nearly every message, from any offset. */
    private static final byte[] FILLS = new byte[1 << 16];
    /** Urgent bytes have at least this value. All other bytes are smaller. */
    static final int URGENT_MIN = 128;

    /** Any bytes, for frames that may contain any. */
    private static final byte[] ANY = new byte[1 << 16];
    /** Bytes like those of frames: lengths of one to four bytes, with and without the top bit, and what ends other frames. */
    private static final byte[] FRAMES = {0, 0, 0, 1, '1', ':', 3, 0, 0, 0, 2, -1, -1, -1, -1, 4, '\n', 0, 1, ',', 3, -128, 0, 0,
        0, '9', ':'};
    private static final int KINDS = 4;

    static {
        SeededRandom random = new SeededRandom(1);
        for (int i = 0; i < FILLS.length; i++) {
            FILLS[i] = FILL[i % FILL.length];
            ANY[i] = (byte) random.below(256);
        }
    }

    private MessageContent() {}

    /** Returns bytes as text, each as one character. */
    static String latin(byte[] bytes, int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * Returns a message of the given length, which may be 0. With raw framing it ends with a line feed, and has at least one
     * byte.
     */
    static byte[] of(String name, int length, ClientFraming framing) {
        byte[] content = new byte[Math.max(length, framing.isRaw() ? 1 : 0)];
        byte[] head = ascii(name + ":");
        int named = Math.min(head.length, content.length);
        System.arraycopy(head, 0, content, 0, named);
        int salt = name.hashCode() & 0xff;
        fill(content, named, salt, framing.mayContainAnyByte() ? salt % KINDS : KINDS);
        if (content.length > 0) {
            int last = content.length - 1;
            if (framing.isRaw()) {
                content[last] = '\n';
            } else if (content[last] == '\r') { // at the end of a line it would belong to the delimiter
                content[last] = 'z';
            }
        }
        return content;
    }

    private static void fill(byte[] content, int start, int salt, int kind) {
        if (kind == 0) {
            for (int i = start; i < content.length; i++) {
                content[i] = FRAMES[(i + salt) % FRAMES.length];
            }
            return;
        }
        byte[] source = kind == 1 ? ANY : FILLS;
        for (int i = start; i < content.length;) {
            int from = (i + salt) % FILL.length;
            int count = Math.min(content.length - i, source.length - from);
            System.arraycopy(source, from, content, i, count);
            i += count;
        }
    }

    /** Returns true if a message consists of characters of ASCII only, so that it can be sent as text. */
    static boolean isAscii(byte[] content) {
        int all = 0;
        for (byte b : content) {
            all |= b;
        }
        return all >= 0;
    }

    /** Returns the length of the shortest message that contains its name. */
    static int lengthMin(String name) {
        return name.length() + 2;
    }

    /** Returns the name that a message starts with; empty if it has none. */
    static String nameOf(byte[] content) {
        for (int i = 0; i < content.length && i < 24; i++) {
            if (content[i] == ':') {
                return new String(content, 0, i, StandardCharsets.US_ASCII);
            }
        }
        return "";
    }
}
