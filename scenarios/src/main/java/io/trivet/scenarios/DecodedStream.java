package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Framing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A framing, and the messages of a stream in it: found in the simplest way, from the beginning of a frame, without knowledge of how far
 * earlier bytes were searched.
 */
final class DecodedStream {
    /** How many bytes the frame of an incomplete message may have besides the longest message. */
    static final int OVERHEAD_MAX = 1_024;

    /** The kinds of framings. */
    enum Kind {
        LINES, DELIMITED, PREFIXED, CUSTOM, CUSTOM_PER_CONNECTION
    }

    /** What a decoder says about the first bytes. */
    enum Outcome {
        MESSAGE, SKIPPED, INCOMPLETE, BROKEN
    }

    /**
     * The first frame of some bytes.
     *
     * @param outcome what it is
     * @param from the index of the first byte of the message; of an incomplete one, a lower bound of its length
     * @param to the index after the message
     * @param end the index after the frame
     */
    record Found(Outcome outcome, int from, int to, int end) {
        static Found incomplete(int atLeast) {
            return new Found(Outcome.INCOMPLETE, atLeast, 0, 0);
        }
    }

    /** The messages in some bytes, and why they end the connection; null: they do not. The rest begins at an index. */
    record Decoded(List<String> messages, @Nullable CloseReason failure, int rest) {}

    final Kind kind;
    private final byte[] delimiter;
    private final int prefixBytes;
    private final int messageBytesMax;

    DecodedStream(SeededRandom random, int messageBytesMax) {
        this.messageBytesMax = messageBytesMax;
        kind = random.pick(Kind.LINES, Kind.DELIMITED, Kind.PREFIXED, Kind.CUSTOM, Kind.CUSTOM, Kind.CUSTOM_PER_CONNECTION);
        delimiter = new byte[kind == Kind.LINES ? 1 : random.number(1, 2, 2, 3, 3, 4, 8, 9, 16)];
        for (int i = 0; i < delimiter.length; i++) {
            delimiter[i] = (byte) (kind == Kind.LINES ? '\n' : random.number('a', 'b'));
        }
        prefixBytes = random.number(1, 2, 4);
    }

    boolean isCustom() {
        return kind == Kind.CUSTOM || kind == Kind.CUSTOM_PER_CONNECTION;
    }

    /** Returns the framing; null: it has a decoder of the application. */
    @Nullable
    Framing builtIn() {
        return switch (kind) {
            case LINES -> Framing.lines();
            case DELIMITED -> Framing.delimited(delimiter);
            case PREFIXED -> Framing.lengthPrefixed(prefixBytes);
            case CUSTOM, CUSTOM_PER_CONNECTION -> null;
        };
    }

    /** Draws some bytes that are often whole frames. */
    byte[] draw(SeededRandom random) {
        int length = random.chance(10) ? messageBytesMax + random.number(-1, 0, 1, 2)
                : random.below(Math.min(messageBytesMax, 40));
        byte[] text = new byte[Math.max(0, length)];
        for (int i = 0; i < text.length; i++) {
            text[i] = (byte) random.number('a', 'a', 'b', kind == Kind.LINES ? '\r' : 'c');
        }
        return switch (kind) {
            case LINES, DELIMITED -> concat(text, random.chance(90) ? delimiter : new byte[0]);
            case PREFIXED -> {
                byte[] head = new byte[prefixBytes];
                head[prefixBytes - 1] = (byte) text.length;
                if (random.chance(3)) {
                    head[0] = (byte) random.number(0x7f, 0x80, 0xff);
                } else if (prefixBytes > 1) {
                    head[prefixBytes - 2] = (byte) (text.length >> 8);
                }
                yield text.length > 0xff && prefixBytes == 1 ? new byte[]{0} : concat(head, text);
            }
            case CUSTOM, CUSTOM_PER_CONNECTION -> custom(random, text);
        };
    }

    /** Draws the end of a stream, which may be about as long as a message can be. */
    byte[] drawUnfinished(SeededRandom random) {
        int length = kind == Kind.LINES || kind == Kind.DELIMITED ? messageBytesMax + random.number(-1, 0, 0, 1, 2) : 0;
        byte[] text = new byte[random.chance(30) ? Math.max(0, length) : 0];
        Arrays.fill(text, (byte) random.number('a', 'b', 'c', 'c'));
        return text;
    }

    private static byte[] concat(byte[] one, byte[] other) {
        byte[] all = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, all, one.length, other.length);
        return all;
    }

    private byte[] custom(SeededRandom random, byte[] text) {
        if (random.chance(4)) {
            return new byte[]{(byte) random.number('x', 'r', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'd', 'n')};
        }
        int length = Math.min(text.length, 0xff);
        return switch (random.below(5)) {
            case 0 -> concat(new byte[]{'s', (byte) length}, Arrays.copyOf(text, length));
            case 1 -> concat(concat(new byte[]{'q'}, text), new byte[]{'Q'});
            case 2 -> new byte[]{(byte) random.number('a', 'z')};
            case 3 -> new byte[]{'b', 'B'};
            default -> concat(concat(new byte[]{'m', (byte) length}, Arrays.copyOf(text, length)), new byte[]{';'});
        };
    }

    /** Returns the first frame of bytes, of which there is at least one. */
    Found first(byte[] bytes, int from, int to) {
        return switch (kind) {
            case LINES, DELIMITED -> delimited(bytes, from, to);
            case PREFIXED -> prefixed(bytes, from, to);
            case CUSTOM, CUSTOM_PER_CONNECTION -> custom(bytes, from, to);
        };
    }

    private Found delimited(byte[] bytes, int from, int to) {
        for (int begin = from; begin + delimiter.length <= to; begin++) {
            if (Arrays.equals(bytes, begin, begin + delimiter.length, delimiter, 0, delimiter.length)) {
                boolean hasReturn = kind == Kind.LINES && begin > from && bytes[begin - 1] == '\r';
                return new Found(Outcome.MESSAGE, from, hasReturn ? begin - 1 : begin, begin + delimiter.length);
            }
        }
        boolean mayEnd = kind == Kind.LINES && bytes[to - 1] == '\r';
        return Found.incomplete(to - from - (mayEnd ? 1 : delimiter.length - 1));
    }

    private Found prefixed(byte[] bytes, int from, int to) {
        if (to - from < prefixBytes) {
            return Found.incomplete(0);
        }
        long length = 0;
        for (int i = 0; i < prefixBytes; i++) {
            length = length << 8 | (bytes[from + i] & 0xff);
        }
        int body = from + prefixBytes;
        return length > to - body ? Found.incomplete((int) Math.min(length, Integer.MAX_VALUE))
                : new Found(Outcome.MESSAGE, body, body + (int) length, body + (int) length);
    }

    private Found custom(byte[] bytes, int from, int to) {
        int length = to - from < 2 ? -1 : bytes[from + 1] & 0xff;
        int end = from + 2 + length;
        return switch (bytes[from]) {
            case 'm' -> length < 0 || to <= end ? Found.incomplete(Math.max(0, length))
                    : new Found(Outcome.MESSAGE, from + 2, end, end + 1);
            case 's' -> length < 0 || to < end ? Found.incomplete(0) : new Found(Outcome.SKIPPED, 0, 0, end);
            case 'q' -> quoted(bytes, from, to);
            case 'a', 'z' -> new Found(Outcome.MESSAGE, from + 1, from + 1, from + 1);
            case 'b' -> to - from < 2 ? Found.incomplete(messageBytesMax) : new Found(Outcome.MESSAGE, from, from + 1, from + 2);
            case 'n' -> Found.incomplete(0);
            case 'd' -> Found.incomplete(messageBytesMax + 1);
            default -> new Found(Outcome.BROKEN, 0, 0, 0);
        };
    }

    private static Found quoted(byte[] bytes, int from, int to) {
        for (int i = from + 1; i < to; i++) {
            if (bytes[i] == 'Q') {
                return new Found(Outcome.MESSAGE, from + 1, i, i + 1);
            }
        }
        return Found.incomplete(to - from - 1);
    }

    /** Returns all messages of the first bytes of a stream that a server has received in one piece. */
    Decoded decode(byte[] bytes, int count) {
        List<String> messages = new ArrayList<>();
        int at = 0;
        while (at < count) {
            Found found = first(bytes, at, count);
            switch (found.outcome) {
                case INCOMPLETE -> {
                    int bound = Math.max(found.from, count - at - OVERHEAD_MAX);
                    return new Decoded(messages, bound > messageBytesMax ? CloseReason.MESSAGE_TOO_LONG : null, at);
                }
                case BROKEN -> {
                    return new Decoded(messages, CloseReason.PROTOCOL_ERROR, at);
                }
                case MESSAGE -> {
                    if (found.to - found.from > messageBytesMax) {
                        return new Decoded(messages, CloseReason.MESSAGE_TOO_LONG, at);
                    }
                    messages.add(MessageContent.latin(bytes, found.from, found.to));
                }
                case SKIPPED -> {
                    // It is not delivered.
                }
            }
            at = found.end;
        }
        return new Decoded(messages, null, at);
    }

    @Override
    public String toString() {
        return ReportText.words(kind) + switch (kind) {
            case DELIMITED -> " by " + MessageContent.latin(delimiter, 0, delimiter.length);
            case PREFIXED -> " by " + prefixBytes + " bytes";
            case LINES, CUSTOM, CUSTOM_PER_CONNECTION -> "";
        };
    }
}
