package io.trivet.scenarios;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All bytes that a client sends, and the messages in them. The server must deliver these, and nothing else. */
final class SentStream {
    /**
     * A message.
     *
     * @param number its number
     * @param request what it requests; null if no handler may ever receive it
     * @param from the offset of its frame
     * @param to the offset after its frame
     */
    record Message(int number, @Nullable Request request, int from, int to) {}

    private static final int KEEP_ALIVE_EVERY = 3;

    private final ClientFraming framing;
    private final boolean littleEndian;
    private final List<Message> messages = new ArrayList<>();
    private byte[] stream = new byte[256];
    private int length;
    private int malformed = -1;
    /** The message of which only a length is sent, which exceeds the limit. It is the last one; -1 if there is none. */
    private int refusable = -1;

    /**
     * Creates an empty stream.
     *
     * @param littleEndian with {@link ClientFraming#TYPED}: the order of bytes that the client chooses
     */
    SentStream(ClientFraming framing, boolean littleEndian) {
        this.framing = framing;
        this.littleEndian = littleEndian;
    }

    void append(Request request) {
        int number = messages.size();
        if (framing == ClientFraming.TYPED && number % KEEP_ALIVE_EVERY == KEEP_ALIVE_EVERY - 1) {
            appendBytes(new byte[]{TypedDecoder.KEEP_ALIVE});
        }
        int from = length;
        appendBytes(framed(number, request.length()));
        messages.add(new Message(number, request, from, length));
    }

    /** Appends a message that is oversized, or never completed: at most {@code bytesSent} bytes of it are sent. */
    void appendIncomplete(int contentLength, int bytesSent) {
        int from = length;
        byte[] framed = framed(messages.size(), contentLength);
        appendBytes(Arrays.copyOf(framed, Math.min(framed.length, bytesSent)));
        messages.add(new Message(messages.size(), null, from, length));
    }

    /** Appends the head of a message that is oversized, without the message. */
    void appendLength(long contentLength) {
        int from = length;
        appendBytes(framing.head(contentLength, messages.size(), littleEndian));
        messages.add(new Message(messages.size(), null, from, length));
        refusable = messages.size() - 1;
    }

    /** Returns true if a message is one whose length is too long, and whose length has arrived. */
    boolean mustRefuse(int message, long bytesArrived) {
        return message == refusable && messages.get(message).to() <= bytesArrived;
    }

    /** Appends a byte that no frame starts with. */
    void appendMalformed() {
        int from = length;
        appendBytes(new byte[]{ClientFraming.MALFORMED});
        malformed = messages.size();
        messages.add(new Message(malformed, null, from, length));
    }

    /** Returns true if this is the number of a message that breaks the framing. */
    boolean isMalformed(int message) {
        return message == malformed;
    }

    private byte[] framed(int number, int contentLength) {
        return framing.frame(MessageContent.of("m" + number, contentLength, framing), number, littleEndian);
    }

    private void appendBytes(byte[] bytes) {
        if (length + bytes.length > stream.length) {
            stream = Arrays.copyOf(stream, Math.max(length + bytes.length, stream.length * 2));
        }
        System.arraycopy(bytes, 0, stream, length, bytes.length);
        length += bytes.length;
    }

    List<Message> messages() {
        return messages;
    }

    /** Returns the number of bytes. */
    int length() {
        return length;
    }

    /** Returns the offset of a message; for the number after the last message, the end of the stream. */
    int startOf(int message) {
        return message < messages.size() ? messages.get(message).from() : length;
    }

    /** Returns the offset after the message before that one. A keep-alive may lie between the two. */
    int endBefore(int message) {
        return message == 0 ? 0 : messages.get(message - 1).to();
    }

    /** Returns a view of the bytes between two offsets. */
    ByteBuffer bytes(int from, int to) {
        return ByteBuffer.wrap(stream, from, to - from);
    }

    /** Returns the content of a message, without its frame. */
    byte[] content(Message message) {
        return framing.content(stream, message.from(), message.to());
    }

    /** Returns true if exactly these bytes are at an offset. */
    boolean matches(byte[] bytes, int from) {
        return from + bytes.length <= length && Arrays.equals(bytes, 0, bytes.length, stream, from, from + bytes.length);
    }
}
