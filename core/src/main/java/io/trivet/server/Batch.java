package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a handler sends to the connection whose input it is being given: collected until its callbacks have returned, then sent in one
 * gathering call. Bytes that still lie in the received memory are sent from there; only what the socket refuses is copied. One a loop; one
 * thread.
 *
 * <p>A part is a range of the received memory or of the staging buffer, whichever the bytes came from; ranges that touch are one. So the
 * echo of many lines is a single part, frames included, if the frame to be sent is the one that was received.
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class Batch {
    private static final int PARTS_MAX = 16;
    private static final int STAGING_BYTES = 64 * 1024;
    /** Shorter bytes are cheaper copied than handed to the kernel as a part of their own. */
    private static final int PART_BYTES_MIN = 512;

    private final BufferPool pool;
    private ByteBuffer staging;
    private @Nullable ByteBuffer memory;
    private int receivedTo;
    private ByteBuffer[] memoryViews = new ByteBuffer[0];
    private ByteBuffer[] stagingViews = new ByteBuffer[0];

    private final int[] from = new int[PARTS_MAX];
    private final int[] to = new int[PARTS_MAX];
    private final boolean[] isStaged = new boolean[PARTS_MAX];
    private int count;
    private int[] lengths = new int[64];
    private int messages;
    private int bytes;
    private final ByteBuffer[] parts = new ByteBuffer[PARTS_MAX];

    Batch(BufferPool pool) {
        this.pool = pool;
        staging = pool.take(STAGING_BYTES);
        stagingViews = views(staging);
    }

    int bytes() {
        return bytes;
    }

    int messages() {
        return messages;
    }

    boolean isEmpty() {
        return messages == 0;
    }

    /** The memory that is being delivered from, so that its bytes need not be copied; what lies behind that index is not to be looked at. */
    void receiveFrom(ByteBuffer received, int to) {
        if (memory != received) {
            memory = received;
            memoryViews = views(received);
        }
        receivedTo = to;
    }

    /** Whether a message of that length can be added; else flush first. */
    boolean hasRoom(int length) {
        return count < PARTS_MAX - 2 && staging.remaining() >= length;
    }

    /** Adds a message that lies in the received memory; only if there is {@link #hasRoom room}. */
    void addReceived(int begin, int end, byte[] tail) {
        ByteBuffer received = memory;
        int length = end - begin + tail.length;
        boolean touches = count > 0 && !isStaged[count - 1] && to[count - 1] == begin;
        if (received == null || (length < PART_BYTES_MIN && count > 0 && !touches)) {
            stage(received, begin, end, tail);
        } else {
            extend(begin, end, false);
            if (endsWith(received, end, tail)) {
                to[count - 1] = end + tail.length;
            } else {
                stageTail(tail);
            }
        }
        added(length);
    }

    private void stage(@Nullable ByteBuffer received, int begin, int end, byte[] tail) {
        int start = staging.position();
        if (received != null) {
            staging.put(start, received, begin, end - begin);
            staging.position(start + end - begin);
        }
        staging.put(tail);
        extend(start, staging.position(), true);
    }

    private void stageTail(byte[] tail) {
        if (tail.length > 0) {
            int start = staging.position();
            staging.put(tail);
            extend(start, staging.position(), true);
        }
    }

    /**
     * Whether the frame to be sent lies behind the message already; what was received is never changed, so it may be sent. What lies behind
     * it may be, at this very moment: the memory is the kernel's.
     */
    private boolean endsWith(ByteBuffer received, int end, byte[] tail) {
        if (end + tail.length > receivedTo) {
            return false;
        }
        for (int i = 0; i < tail.length; i++) {
            if (received.get(end + i) != tail[i]) {
                return false;
            }
        }
        return true;
    }

    /** The staging buffer, to put a message of so many bytes into; then {@link #addStaged}. */
    ByteBuffer staging() {
        return staging;
    }

    /** Adds what was put into the staging buffer from {@code start} on. */
    void addStaged(int start) {
        extend(start, staging.position(), true);
        added(staging.position() - start);
    }

    private void extend(int begin, int end, boolean staged) {
        if (count > 0 && isStaged[count - 1] == staged && to[count - 1] == begin) {
            to[count - 1] = end;
        } else {
            from[count] = begin;
            to[count] = end;
            isStaged[count++] = staged;
        }
    }

    private void added(int length) {
        if (messages == lengths.length) {
            lengths = Arrays.copyOf(lengths, messages * 2);
        }
        lengths[messages++] = length;
        bytes += length;
    }

    /** The buffers to send from, {@link #partCount} of them. */
    ByteBuffer[] parts() {
        for (int i = 0; i < count; i++) {
            ByteBuffer view = (isStaged[i] ? stagingViews : memoryViews)[i];
            parts[i] = view.limit(to[i]).position(from[i]);
        }
        return parts;
    }

    int partCount() {
        return count;
    }

    /**
     * Copies what was not taken into a lane.
     *
     * @return how many messages have left whole
     */
    int spill(long taken, Lane lane, long nowNanos) {
        int gone = 0;
        long left = taken;
        for (int i = 0; i < messages; i++) {
            if (left >= lengths[i]) {
                left -= lengths[i];
                gone++;
            } else {
                lane.begin(lengths[i] - (int) left);
                if (left > 0) {
                    lane.setBegun();
                }
                left = 0;
            }
        }
        for (int i = 0; i < count; i++) {
            lane.put(parts[i], nowNanos); // the socket has moved the positions over what it took
        }
        return gone;
    }

    /** Hands the staging buffer over to a pending send, and takes another. */
    ByteBuffer lendStaging() {
        ByteBuffer lent = staging;
        staging = pool.take(STAGING_BYTES);
        stagingViews = views(staging);
        return lent;
    }

    void clear() {
        staging.clear();
        count = 0;
        messages = 0;
        bytes = 0;
    }

    private static ByteBuffer[] views(ByteBuffer buffer) {
        ByteBuffer[] views = new ByteBuffer[PARTS_MAX];
        for (int i = 0; i < PARTS_MAX; i++) {
            views[i] = buffer.duplicate();
        }
        return views;
    }
}
