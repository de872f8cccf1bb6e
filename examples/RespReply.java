import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Collection;

/** Composes replies in RESP2, the protocol of Redis. */
final class RespReply {
    private static final String END = "\r\n";

    private final StringBuilder out = new StringBuilder();

    RespReply status(String text) {
        out.append('+').append(text).append(END);
        return this;
    }

    RespReply error(String text) {
        out.append('-').append(text).append(END);
        return this;
    }

    RespReply number(long value) {
        out.append(':').append(value).append(END);
        return this;
    }

    /** Adds a string of Latin-1, or null. */
    RespReply bulk(String value) {
        if (value == null) {
            out.append("$-1").append(END);
        } else {
            out.append('$').append(value.length()).append(END).append(value).append(END);
        }
        return this;
    }

    /** Begins an array of that many elements. */
    RespReply array(int count) {
        out.append('*').append(count).append(END);
        return this;
    }

    RespReply array(Collection<String> values) {
        array(values.size());
        values.forEach(this::bulk);
        return this;
    }

    /** Returns the bytes of the replies, and begins again. */
    byte[] take() {
        byte[] bytes = out.toString().getBytes(ISO_8859_1);
        out.setLength(0);
        return bytes;
    }
}
