package io.trivet.scenarios;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Decodes a stream of bytes into messages, on the client's side. */
final class FrameDecoder {
    private final ClientFraming framing;
    private byte[] bytes = new byte[256];
    private int from;
    private int to;
    /** The bytes before this offset contain no end of a frame. */
    private int searchedTo;
    /** True if the last message had the frame of the framing after the upgrade. */
    private boolean wasUpgraded;

    FrameDecoder(ClientFraming framing) {
        this.framing = framing;
    }

    /** Adds bytes that were read. Removes urgent bytes from them, except with a length prefix. */
    void add(ByteBuffer more) {
        if (to + more.remaining() > bytes.length) {
            int length = to - from;
            byte[] roomier = length + more.remaining() > bytes.length / 2
                    ? new byte[Math.max(bytes.length * 2, 2 * (length + more.remaining()))]
                    : bytes;
            System.arraycopy(bytes, from, roomier, 0, length);
            bytes = roomier;
            searchedTo -= from;
            from = 0;
            to = length;
        }
        int count = more.remaining();
        more.get(bytes, to, count);
        to = framing.isPrefixed() ? to + count : withoutUrgent(to, to + count);
    }

    /** Removes the urgent bytes from a range. Returns its new end. */
    private int withoutUrgent(int start, int end) {
        int all = 0;
        for (int i = start; i < end; i++) {
            all |= bytes[i];
        }
        if ((all & 0xff) < MessageContent.URGENT_MIN) {
            return end; // the usual case
        }
        int kept = start;
        for (int i = start; i < end; i++) {
            if ((bytes[i] & 0xff) < MessageContent.URGENT_MIN) {
                bytes[kept++] = bytes[i];
            }
        }
        return kept;
    }

    /** Returns the next complete message; null if there is none. */
    byte @Nullable [] next() {
        int end = framing.endOfFrame(bytes, from, searchedTo, to);
        if (end < 0) {
            searchedTo = to;
            return null;
        }
        byte[] content = framing.content(bytes, from, end);
        wasUpgraded = framing.isUpgraded(bytes[from]);
        from = end;
        searchedTo = end;
        return content;
    }

    /** Returns true if the last message had the frame of the framing after the upgrade. */
    boolean wasUpgraded() {
        return wasUpgraded;
    }

    /** Returns the number of bytes of an incomplete message. */
    int left() {
        return to - from;
    }

    /** Returns all bytes, without decoding them. */
    byte[] takeAll() {
        byte[] all = Arrays.copyOfRange(bytes, from, to);
        from = to;
        searchedTo = to;
        return all;
    }
}
