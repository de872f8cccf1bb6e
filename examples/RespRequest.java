import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.trivet.server.Frame;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Requests in the protocol of Redis: {@code *COUNT\r\n}, then COUNT times {@code $LENGTH\r\nBYTES\r\n}; or a line of words, typed
 * by hand.
 */
final class RespRequest {
    /** Bounds of what is searched again each time an incomplete request has grown. */
    private static final int LINE_BYTES_MAX = 64 << 10;
    private static final int WORDS_MAX = 1 << 20;

    private RespRequest() {}

    /** Finds the end of a request. A malformed request ends at its error, and words() throws the reason. */
    static void decode(ByteBuffer in, int from, int to, Frame frame) {
        int line = from;
        int at = lineEnd(in, line, to);
        long count = at > 0 && in.get(from) == '*' ? number(in, from + 1, at) : 0;
        for (long i = 0; i < count && count <= WORDS_MAX && at > 0; i++) {
            line = at;
            at = lineEnd(in, line, to);
            long length = at > 0 && in.get(line) == '$' ? number(in, line + 1, at) : -1;
            if (length >= 0) {
                frame.payloadAtLeast(at - from + length); // a request that is too long is refused before it arrives
                if (length > to - at - 2) {
                    return;
                }
                at += (int) length + 2;
            } else if (at > 0) {
                break;
            }
        }
        if (at > 0 || to - line > LINE_BYTES_MAX) {
            int end = at > 0 ? at : to;
            frame.message(from, end, end);
        }
    }

    /** Returns the index after the next line feed, or -1. */
    private static int lineEnd(ByteBuffer in, int from, int to) {
        for (int at = from; at < to; at++) {
            if (in.get(at) == '\n') {
                return at + 1;
            }
        }
        return -1;
    }

    /** Returns the number between an index and the \r\n that ends the line, or -1. */
    private static long number(ByteBuffer in, int from, int end) {
        long value = end - 2 > from && end - 2 - from < 10 ? 0 : -1;
        for (int at = from; at < end - 2 && value >= 0; at++) {
            int digit = in.get(at) - '0';
            value = digit < 0 || digit > 9 ? -1 : 10 * value + digit;
        }
        return value;
    }

    /** Splits a request into its words. A word is a string of Latin-1, which can hold any bytes. */
    static List<String> words(ByteBuffer request) throws ProtocolException {
        int from = request.position();
        int to = request.limit();
        int at = lineEnd(request, from, to);
        if (at < 0) {
            throw new ProtocolException("too big inline request");
        }
        if (request.get(from) != '*') {
            return List.of(text(request, from, at).trim().split(" +"));
        }
        long count = number(request, from + 1, at);
        if (count < 0 || count > WORDS_MAX) {
            throw new ProtocolException("invalid multibulk length");
        }
        List<String> words = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            int line = at;
            at = lineEnd(request, line, to);
            int length = at < 0 ? -1 : (int) number(request, line + 1, at);
            if (request.get(line) != '$') {
                throw new ProtocolException("expected '$', got '" + (char) request.get(line) + "'");
            } else if (length < 0) {
                throw new ProtocolException("invalid bulk length");
            }
            words.add(text(request, at, at + length));
            at += length + 2;
        }
        return words;
    }

    private static String text(ByteBuffer in, int from, int to) {
        byte[] bytes = new byte[to - from];
        in.get(from, bytes);
        return new String(bytes, ISO_8859_1);
    }

    /** Parses a number. Accepts only the form in which numbers are printed: no sign +, no leading zeros. */
    static long integer(String text) {
        long value = Long.parseLong(text);
        if (!Long.toString(value).equals(text)) {
            throw new NumberFormatException(text);
        }
        return value;
    }
}
