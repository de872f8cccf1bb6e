package io.trivet.scenarios;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All that a client says, as one stream of bytes, and where its messages lie in it: what the server must be told, and nothing else. */
final class Said {
    /**
     * A message.
     *
     * @param number its number
     * @param ask what it asks for; null: it is one that no handler may ever see
     * @param from where its frame begins
     * @param to behind its frame
     */
    record Message(int number, @Nullable Ask ask, int from, int to) {}

    private final Frames frames;
    private final List<Message> messages = new ArrayList<>();
    private byte[] stream = new byte[256];
    private int length;

    Said(Frames frames) {
        this.frames = frames;
    }

    void say(Ask ask) {
        int number = messages.size();
        int from = length;
        append(frames.frame(Content.of("m" + number, ask.length(), frames)));
        messages.add(new Message(number, ask, from, length));
    }

    /** A message that is too long, or never ended: only so many bytes of it are said. */
    void sayWithoutEffect(int contentLength, int bytesSaid) {
        int from = length;
        byte[] framed = frames.frame(Content.of("m" + messages.size(), contentLength, frames));
        append(Arrays.copyOf(framed, Math.min(framed.length, bytesSaid)));
        messages.add(new Message(messages.size(), null, from, length));
    }

    private void append(byte[] bytes) {
        if (length + bytes.length > stream.length) {
            stream = Arrays.copyOf(stream, Math.max(length + bytes.length, stream.length * 2));
        }
        System.arraycopy(bytes, 0, stream, length, bytes.length);
        length += bytes.length;
    }

    List<Message> messages() {
        return messages;
    }

    /** How many bytes there are. */
    int length() {
        return length;
    }

    /** Where a message begins; behind the last one, where the next will. */
    int begin(int message) {
        return message < messages.size() ? messages.get(message).from() : length;
    }

    /** A view of the bytes between two places. */
    ByteBuffer bytes(int from, int to) {
        return ByteBuffer.wrap(stream, from, to - from);
    }

    /** What is in a message's frame. */
    byte[] content(Message message) {
        return frames.content(stream, message.from(), message.to());
    }

    /** Whether exactly these bytes stand there. */
    boolean matches(byte[] bytes, int from) {
        return from + bytes.length <= length && Arrays.equals(bytes, 0, bytes.length, stream, from, from + bytes.length);
    }
}
