package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Reads messages as text, bytes and numbers, and compares them. The methods allocate only what they return, except where they say
 * otherwise. They leave position, limit and content of the message unchanged.
 *
 * {@snippet :
 * public void onMessage(Connection connection, ByteBuffer line) {
 *     if (Messages.equalsIgnoreCaseAscii(line, "QUIT")) {
 *         connection.finish();
 *     } else {
 *         connection.send("you said " + Messages.text(line));
 *     }
 * }
 * }
 *
 * <p><b>Threads.</b> Any thread, platform or virtual. No other thread may change the message during a call. The methods
 * return copies, which remain valid after {@code onMessage}, when the message no longer is.
 */
public final class Messages {
    /** Maximum length of a message in native memory that is decoded without a temporary array. */
    private static final int SCRATCH_BYTES = 8192;
    private static final int SCRATCHES = 16;
    /** Keeps arrays that different processors use in different cache lines. */
    private static final int SPACING = 16;
    /** Maximum number of bytes that a failure quotes. */
    private static final int QUOTED_BYTES_MAX = 32;

    /**
     * Arrays to copy native memory to, since a String is decoded from an array. The array in use is taken out. They belong to no
     * thread: each of a million sessions would otherwise keep its own.
     */
    private static final AtomicReferenceArray<byte @Nullable []> SCRATCH = new AtomicReferenceArray<>(SCRATCHES * SPACING);

    private Messages() {}

    /**
     * Returns a message as text in UTF-8. Bytes that are not UTF-8 become U+FFFD. If a byte is not ASCII, the decoder of the JDK may
     * allocate temporary arrays. If the message is longer than 8 KiB and not in an accessible array, a copy of it is allocated too.
     *
     * @param message the message, from position to limit
     * @return the text
     */
    public static String text(ByteBuffer message) {
        return text(message, StandardCharsets.UTF_8);
    }

    /**
     * Returns a message as text. Malformed bytes become the replacement of the charset. Temporary arrays are allocated in the
     * same cases as in {@link #text(ByteBuffer)}.
     *
     * @param message the message, from position to limit
     * @param charset the charset of the message
     * @return the text
     */
    public static String text(ByteBuffer message, Charset charset) {
        Objects.requireNonNull(charset, "charset");
        int bytes = message.remaining();
        if (message.hasArray()) {
            return new String(message.array(), message.arrayOffset() + message.position(), bytes, charset);
        }
        if (bytes > SCRATCH_BYTES) {
            return new String(bytes(message), charset);
        }
        int slot = (int) (Thread.currentThread().threadId() % SCRATCHES) * SPACING;
        byte[] unused = SCRATCH.getAndSet(slot, null);
        byte[] scratch = unused != null ? unused : new byte[SCRATCH_BYTES];
        message.get(message.position(), scratch, 0, bytes);
        String text = new String(scratch, 0, bytes, charset);
        SCRATCH.setRelease(slot, scratch);
        return text;
    }

    /**
     * Returns a copy of a message's bytes.
     *
     * @param message the message, from position to limit
     * @return the bytes
     */
    public static byte[] bytes(ByteBuffer message) {
        byte[] bytes = new byte[message.remaining()];
        message.get(message.position(), bytes);
        return bytes;
    }

    /**
     * Returns a message as a number: decimal ASCII digits, after an optional {@code -} or {@code +}.
     *
     * @param message the message, from position to limit
     * @return the number
     * @throws NumberFormatException the message is empty, contains anything else, or the number does not fit into a long. The
     *     exception quotes up to 32 bytes, those that are not printable ASCII as {@code \xNN}
     */
    public static long parseLong(ByteBuffer message) {
        return parseLong(message, message.position(), message.limit());
    }

    /**
     * Returns a part of a buffer as a number, for a decoder or a message with several fields: decimal ASCII digits, after an optional
     * {@code -} or {@code +}.
     *
     * @param in the bytes
     * @param from the index of the first byte
     * @param to the index after the last byte
     * @return the number
     * @throws NumberFormatException as for {@link #parseLong(ByteBuffer)}
     * @throws IndexOutOfBoundsException the indices are not in order, or not from 0 to the buffer's limit
     */
    public static long parseLong(ByteBuffer in, int from, int to) {
        Objects.checkFromToIndex(from, to, in.limit());
        byte first = from < to ? in.get(from) : 0;
        boolean negative = first == '-';
        int start = negative || first == '+' ? from + 1 : from;
        if (start == to) {
            throw notANumber(in, from, to, " is not a decimal number");
        }
        long negated = 0; // the range of negative numbers is larger by one
        for (int at = start; at < to; at++) {
            int digit = in.get(at) - '0';
            if (digit < 0 || digit > 9) {
                throw notANumber(in, from, to, " is not a decimal number");
            }
            if (negated < Long.MIN_VALUE / 10 || negated * 10 < Long.MIN_VALUE + digit) {
                throw notANumber(in, from, to, " is not in the range of a long");
            }
            negated = negated * 10 - digit;
        }
        if (!negative && negated == Long.MIN_VALUE) {
            throw notANumber(in, from, to, " is not in the range of a long");
        }
        return negative ? negated : -negated;
    }

    /** Quotes the bytes. They come from the peer and may get into a log: what is not printable is escaped. */
    private static NumberFormatException notANumber(ByteBuffer in, int from, int to, String problem) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int at = from; at < Math.min(to, from + QUOTED_BYTES_MAX); at++) {
            byte b = in.get(at);
            if (b >= ' ' && b <= '~' && b != '"' && b != '\\') {
                quoted.append((char) b);
            } else {
                quoted.append(String.format("\\x%02x", b));
            }
        }
        quoted.append(to - from > QUOTED_BYTES_MAX ? "…\"" : "\"");
        return new NumberFormatException(quoted + problem);
    }

    /**
     * Returns true if a message consists of these characters.
     *
     * @param message the message, from position to limit
     * @param ascii the characters; if one is not ASCII, the result is false
     * @return true if they are equal
     */
    public static boolean equalsAscii(ByteBuffer message, String ascii) {
        int from = message.position();
        boolean equal = message.remaining() == ascii.length();
        for (int i = 0; equal && i < ascii.length(); i++) {
            equal = message.get(from + i) == ascii.charAt(i); // a byte that is not ASCII is negative, and equals no character
        }
        return equal;
    }

    /**
     * Returns true if a message consists of these characters. Ignores the case of ASCII letters only.
     *
     * @param message the message, from position to limit
     * @param ascii the characters; if one is not ASCII, the result is false
     * @return true if they are equal
     */
    public static boolean equalsIgnoreCaseAscii(ByteBuffer message, String ascii) {
        int from = message.position();
        boolean equal = message.remaining() == ascii.length();
        for (int i = 0; equal && i < ascii.length(); i++) {
            equal = lowerCase(message.get(from + i)) == lowerCase(ascii.charAt(i));
        }
        return equal;
    }

    private static int lowerCase(int c) {
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }
}
