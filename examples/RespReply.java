import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.trivet.server.Connection;
import java.nio.ByteBuffer;
import java.util.Collection;

/** Composes replies in RESP2, the protocol of Redis. Its buffer is reused: a connection copies what it sends. */
final class RespReply {
    private static final byte[] END = {'\r', '\n'};

    private ByteBuffer out = ByteBuffer.allocate(512);

    RespReply status(String text) {
        return line('+', text);
    }

    RespReply error(String text) {
        return line('-', text);
    }

    RespReply number(long value) {
        return line(':', Long.toString(value));
    }

    /** Adds a string in Latin-1, or null. */
    RespReply bulk(String value) {
        return value == null ? line('$', "-1") : line('$', Integer.toString(value.length())).put(value);
    }

    /** Begins an array. The caller adds its elements. */
    RespReply array(int count) {
        return line('*', Integer.toString(count));
    }

    RespReply array(Collection<String> values) {
        array(values.size());
        values.forEach(this::bulk);
        return this;
    }

    private RespReply line(char type, String text) {
        makeRoom(1);
        out.put((byte) type);
        return put(text);
    }

    private RespReply put(String text) {
        makeRoom(text.length() + END.length);
        out.put(text.getBytes(ISO_8859_1)).put(END);
        return this;
    }

    private void makeRoom(int bytes) {
        if (out.remaining() < bytes) {
            out = ByteBuffer.allocate(Math.max(2 * out.capacity(), out.position() + bytes)).put(out.flip());
        }
    }

    /** Sends the replies, and removes them. */
    void sendTo(Connection connection) {
        connection.send(out.flip());
        out.clear();
    }

    /** Returns the bytes of the replies, and begins again. */
    byte[] take() {
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        out.clear();
        return bytes;
    }
}
