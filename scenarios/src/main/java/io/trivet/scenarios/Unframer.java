package io.trivet.scenarios;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Takes a stream of bytes apart into messages, on the client's side. */
final class Unframer {
    private final Frames frames;
    private byte[] bytes = new byte[256];
    private int from;
    private int to;
    /** Up to there no end was found. */
    private int lookedTo;

    Unframer(Frames frames) {
        this.frames = frames;
    }

    /** Adds what was read; urgent bytes that came among the others are left out. */
    void add(ByteBuffer more) {
        if (to + more.remaining() > bytes.length) {
            int length = to - from;
            byte[] roomier = length + more.remaining() > bytes.length / 2
                    ? new byte[Math.max(bytes.length * 2, 2 * (length + more.remaining()))]
                    : bytes;
            System.arraycopy(bytes, from, roomier, 0, length);
            bytes = roomier;
            lookedTo -= from;
            from = 0;
            to = length;
        }
        int count = more.remaining();
        more.get(bytes, to, count);
        to = frames.isPrefixed() ? to + count : withoutUrgent(to, to + count);
    }

    /** Takes the urgent bytes out of a part, and closes up what is left; where it then ends. */
    private int withoutUrgent(int start, int end) {
        int all = 0;
        for (int i = start; i < end; i++) {
            all |= bytes[i];
        }
        if ((all & 0xff) < Content.URGENT_MIN) {
            return end; // nearly always
        }
        int kept = start;
        for (int i = start; i < end; i++) {
            if ((bytes[i] & 0xff) < Content.URGENT_MIN) {
                bytes[kept++] = bytes[i];
            }
        }
        return kept;
    }

    /** The next whole message; null: there is none. */
    byte @Nullable [] next() {
        int end = frames.endOfFrame(bytes, from, lookedTo, to);
        if (end < 0) {
            lookedTo = to;
            return null;
        }
        byte[] content = frames.content(bytes, from, end);
        from = end;
        lookedTo = end;
        return content;
    }

    /** Bytes of a message that is not whole. */
    int left() {
        return to - from;
    }

    /** All that is there, as it is. */
    byte[] takeAll() {
        byte[] all = Arrays.copyOfRange(bytes, from, to);
        from = to;
        lookedTo = to;
        return all;
    }
}
