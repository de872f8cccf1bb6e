package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
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

    /** What is sent is put together here. Batches that are pending lie side by side in it, and new ones behind them. */
    static final class Staging {
        final ByteBuffer buffer = ByteBuffer.allocateDirect(STAGING_BYTES);
        private final ByteBuffer[] views = views(buffer);
        /** How many pending sends lie here. */
        private int pending;
    }

    private final ArrayDeque<Staging> spare = new ArrayDeque<>();
    private Staging staging = new Staging();
    private @Nullable ByteBuffer memory;
    private int receivedTo;
    private ByteBuffer[] memoryViews = new ByteBuffer[0];

    private final int[] from = new int[PARTS_MAX];
    private final int[] to = new int[PARTS_MAX];
    private final boolean[] isStaged = new boolean[PARTS_MAX];
    private int count;
    private int[] lengths = new int[64];
    private int messages;
    private int bytes;
    private final ByteBuffer[] parts = new ByteBuffer[PARTS_MAX];

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
        if (messages == 0 && staging.buffer.remaining() < length) {
            takeAnother();
        }
        return count < PARTS_MAX - 2 && staging.buffer.remaining() >= length;
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
        ByteBuffer to = staging.buffer;
        int start = to.position();
        if (received != null) {
            to.put(start, received, begin, end - begin);
            to.position(start + end - begin);
        }
        to.put(tail);
        extend(start, to.position(), true);
    }

    private void stageTail(byte[] tail) {
        if (tail.length > 0) {
            int start = staging.buffer.position();
            staging.buffer.put(tail);
            extend(start, staging.buffer.position(), true);
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
        return staging.buffer;
    }

    /** Adds what was put into the staging buffer from {@code start} on. */
    void addStaged(int start) {
        extend(start, staging.buffer.position(), true);
        added(staging.buffer.position() - start);
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
            ByteBuffer view = (isStaged[i] ? staging.views : memoryViews)[i];
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
        int gone = beginRest(lengths, messages, taken, lane);
        for (int i = 0; i < count; i++) {
            lane.put(parts[i], nowNanos); // the socket has moved the positions over what it took
        }
        return gone;
    }

    /** Begins the messages in a lane that have not left whole, whose bytes are then put there; how many have. */
    static int beginRest(int[] lengths, int messages, long taken, Lane lane) {
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
        return gone;
    }

    /** The begin and the end of each part, the begin of a staged one as its complement; in that array, if it is large enough. */
    int[] ranges(int[] into) {
        int[] ranges = into.length < 2 * count ? new int[2 * PARTS_MAX] : into;
        for (int i = 0; i < count; i++) {
            ranges[2 * i] = isStaged[i] ? ~from[i] : from[i];
            ranges[2 * i + 1] = to[i];
        }
        return ranges;
    }

    /** How long each message is; in that array, if it is large enough. */
    int[] lengths(int[] into) {
        int[] copy = into.length < messages ? new int[lengths.length] : into;
        System.arraycopy(lengths, 0, copy, 0, messages);
        return copy;
    }

    /** The received memory that parts lie in that were not staged. */
    @Nullable
    ByteBuffer received() {
        return memory;
    }

    /** Leaves what was staged to a pending send, until it is {@link #giveBack given back}; null: nothing was. */
    @Nullable
    Staging lend() {
        for (int i = 0; i < count; i++) {
            if (isStaged[i]) {
                staging.pending++;
                return staging;
            }
        }
        return null;
    }

    void giveBack(Staging lent) {
        lent.pending--;
        if (lent.pending == 0) {
            if (lent != staging) {
                spare.addLast(lent);
            } else if (messages == 0) {
                lent.buffer.clear();
            }
        }
    }

    private void takeAnother() {
        if (staging.pending > 0) {
            Staging next = spare.pollLast();
            staging = next == null ? new Staging() : next;
        }
        staging.buffer.clear();
    }

    void clear() {
        if (staging.pending == 0) {
            staging.buffer.clear();
        }
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
