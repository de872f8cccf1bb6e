package io.trivet.scenarios;

import java.nio.charset.StandardCharsets;

/** The bytes of messages. Each begins with its name, as far as it is long enough, so that it is known again, and every byte can be checked. */
final class Content {
    /** No line feed and no exclamation mark, which end messages; nothing from 128 on, which is urgent bytes alone. */
    private static final byte[] FILL = ascii("abcdefghijklmnopqrstuvwxyz#ABCDEFGHIJKLMNOPQRSTUVWXYZ\r0123456789");
    /** The same again and again, long enough for nearly every message, from whichever place it begins. */
    private static final byte[] FILLS = new byte[1 << 16];
    /** From here on a byte is an urgent one. */
    static final int URGENT_MIN = 128;

    static {
        for (int i = 0; i < FILLS.length; i++) {
            FILLS[i] = FILL[i % FILL.length];
        }
    }

    private Content() {}

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A message of that length, at least 0. With raw framing it ends with a line feed, and has at least one byte. */
    static byte[] of(String name, int length, Frames frames) {
        byte[] content = new byte[Math.max(length, frames.isRaw() ? 1 : 0)];
        byte[] head = ascii(name + ":");
        int named = Math.min(head.length, content.length);
        System.arraycopy(head, 0, content, 0, named);
        int salt = name.hashCode() & 0xff;
        for (int i = named; i < content.length;) {
            int from = (i + salt) % FILL.length;
            int count = Math.min(content.length - i, FILLS.length - from);
            System.arraycopy(FILLS, from, content, i, count);
            i += count;
        }
        if (content.length > 0) {
            int last = content.length - 1;
            if (frames.isRaw()) {
                content[last] = '\n';
            } else if (content[last] == '\r') { // at the end of a line it would be taken for a part of the end
                content[last] = 'z';
            }
        }
        return content;
    }

    /** The shortest message that can be known again by its name. */
    static int lengthMin(String name) {
        return name.length() + 2;
    }

    /** The name that a message begins with; empty: it has none. */
    static String nameOf(byte[] content) {
        for (int i = 0; i < content.length && i < 24; i++) {
            if (content[i] == ':') {
                return new String(content, 0, i, StandardCharsets.US_ASCII);
            }
        }
        return "";
    }
}
