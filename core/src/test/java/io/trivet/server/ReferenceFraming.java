package io.trivet.server;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** A simple second implementation of a framing, which the server's is compared with. */
final class ReferenceFraming {
    static final ReferenceFraming LINES = new ReferenceFraming("lines", Framing.lines(), Client.bytes("\n"), 0);

    static final List<ReferenceFraming> ALL_BUT_RAW = List.of(
            LINES,
            delimited("\0"),
            delimited("\r\n.\r\n"),
            delimited("aab"),
            delimited("abab"),
            delimited("0123456789abcdef"),
            new ReferenceFraming("length 1", Framing.lengthPrefixed(1), new byte[0], 1),
            new ReferenceFraming("length 2", Framing.lengthPrefixed(2), new byte[0], 2),
            new ReferenceFraming("length 4", Framing.lengthPrefixed(4), new byte[0], 4));

    private final String name;
    private final Framing framing;
    /** The bytes that end a message; empty if a length precedes it instead. */
    private final byte[] delimiter;
    /** The size in bytes of the length before a message; 0 if there is none. */
    private final int lengthBytes;

    private ReferenceFraming(String name, Framing framing, byte[] delimiter, int lengthBytes) {
        this.name = name;
        this.framing = framing;
        this.delimiter = delimiter;
        this.lengthBytes = lengthBytes;
    }

    /** Returns the server's framing. */
    Framing framing() {
        return framing;
    }

    private static ReferenceFraming delimited(String delimiter) {
        byte[] bytes = Client.bytes(delimiter);
        return new ReferenceFraming("delimited by " + bytes.length, Framing.delimited(bytes), bytes, 0);
    }

    /** Returns a message in its frame. */
    byte[] framed(byte[] message) {
        if (lengthBytes == 0) {
            return Client.join(message, delimiter);
        }
        byte[] length = ByteBuffer.allocate(4).putInt(message.length).array();
        return Client.join(Arrays.copyOfRange(length, 4 - lengthBytes, 4), message);
    }

    byte[] framed(List<byte[]> messages) {
        return Client.join(messages.stream().map(this::framed).toArray(byte[][]::new));
    }

    /** Returns the maximum length of a message, but not more than {@code atMost}. */
    int longest(int atMost) {
        return lengthBytes == 1 ? Math.min(255, atMost) : lengthBytes == 2 ? Math.min(65_535, atMost) : atMost;
    }

    /** Splits a stream into its messages, byte by byte. */
    List<byte[]> messages(byte[] stream) {
        List<byte[]> messages = new ArrayList<>();
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        int at = 0;
        while (at < stream.length) {
            if (lengthBytes > 0) {
                int length = 0;
                for (int i = 0; i < lengthBytes; i++) {
                    length = (length << 8) | (stream[at++] & 0xff);
                }
                messages.add(Arrays.copyOfRange(stream, at, at + length));
                at += length;
            } else {
                message.write(stream[at++]);
                byte[] soFar = message.toByteArray();
                int end = soFar.length - delimiter.length;
                if (end >= 0 && Arrays.equals(soFar, end, soFar.length, delimiter, 0, delimiter.length)) {
                    boolean carriageReturn = framing.toString().equals("lines") && end > 0 && soFar[end - 1] == '\r';
                    messages.add(Arrays.copyOf(soFar, carriageReturn ? end - 1 : end));
                    message.reset();
                }
            }
        }
        return messages;
    }

    /**
     * Returns a random message that the framing can carry. Many consist of the delimiter's bytes, so that partial delimiters are frequent.
     */
    byte[] message(Random random, int lengthMax) {
        while (true) {
            byte[] message = new byte[random.nextInt(longest(lengthMax) + 1)];
            if (lengthBytes > 0 || random.nextBoolean()) {
                random.nextBytes(message);
            } else {
                byte[] letters = Client.join(delimiter, "x\r".getBytes(StandardCharsets.ISO_8859_1));
                for (int i = 0; i < message.length; i++) {
                    message[i] = letters[random.nextInt(letters.length)];
                }
            }
            if (lengthBytes == 0) {
                removeDelimiters(message);
            }
            if (lengthBytes > 0 || canCarry(message)) {
                return message;
            }
        }
    }

    private void removeDelimiters(byte[] message) {
        for (int i = 0; i + delimiter.length <= message.length; i++) {
            if (Arrays.equals(message, i, i + delimiter.length, delimiter, 0, delimiter.length)) {
                message[i + delimiter.length - 1] = 'y';
            }
        }
    }

    private boolean canCarry(byte[] message) {
        int tail = Math.min(message.length, 2 * delimiter.length);
        byte[] end = Arrays.copyOfRange(message, message.length - tail, message.length);
        List<byte[]> read = messages(framed(end));
        return read.size() == 1 && Arrays.equals(read.getFirst(), end);
    }

    @Override
    public String toString() {
        return name;
    }
}
