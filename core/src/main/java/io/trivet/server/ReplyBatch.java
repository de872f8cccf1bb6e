package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The replies that a handler sends to the connection whose input is being delivered. They are collected until its callbacks have
 * returned, and then sent in one gathering call. Bytes that still lie in the received memory are sent from there; only what the
 * socket refuses is copied. One per loop; one thread.
 *
 * <p>{@link Delivery} opens the batch with {@link #begin}, announces each message with {@link #message}, and closes the batch
 * with {@link #end}. In between, {@link Admission} adds the replies, and {@link Sender} sends them.
 *
 * <p>A part is a range of the received memory or of the staging buffer; adjacent ranges are one part. So the echo of many lines
 * is a single part, frames included, if the frame to be sent is the one that was received.
 */
@SuppressWarnings("ReferenceEquality") // buffers and connections are compared by identity: equals would compare a buffer's bytes
final class ReplyBatch {
    private static final int PARTS_MAX = 16;
    /** Minimum number of bytes of a part that is sent in place: copying fewer is cheaper than an additional part. */
    private static final int PART_BYTES_MIN = 512;

    private final ArrayDeque<StagingBuffer> spare = new ArrayDeque<>();
    private StagingBuffer staging = new StagingBuffer(PARTS_MAX);
    /** The number of staging buffers. Other threads may read an outdated value. */
    private int stagingCount = 1;

    /** The connection whose input is being delivered; null between deliveries. */
    private @Nullable ConnectionRecord recipient;
    /** The view of the received memory that the handler was given; null if its message is not in the received memory. */
    private @Nullable ByteBuffer message;
    private @Nullable ByteBuffer received;
    private int receivedTo;
    private final ViewsByMemory<ByteBuffer[]> views = new ViewsByMemory<>(memory -> StagingBuffer.views(memory, PARTS_MAX));
    /** Views of {@link #received}. */
    private ByteBuffer[] receivedViews = new ByteBuffer[0];

    private final int[] from = new int[PARTS_MAX];
    private final int[] to = new int[PARTS_MAX];
    private final boolean[] isStaged = new boolean[PARTS_MAX];
    private int count;
    private int[] lengths = new int[64];
    private int messages;
    private int bytes;
    private final ByteBuffer[] parts = new ByteBuffer[PARTS_MAX];

    // ---- for the delivery

    /**
     * Starts to collect the replies of one connection.
     *
     * @param connection the connection whose input is delivered
     * @param memory the received memory, or null if the messages come from memory of the server's own
     * @param end the index behind the last received byte; the bytes behind it are the kernel's
     */
    void begin(ConnectionRecord connection, @Nullable ByteBuffer memory, int end) {
        recipient = connection;
        if (memory != null) {
            received = memory;
            receivedViews = views.of(memory);
            receivedTo = end;
        }
    }

    /**
     * Announces the message that is delivered next.
     *
     * @param view the view that the handler is given, if it is a view of the received memory; otherwise null
     */
    void message(@Nullable ByteBuffer view) {
        message = view;
    }

    /** Ends the delivery; the batch must have been sent. */
    void end() {
        message = null;
        recipient = null;
    }

    // ---- for the admission

    /** Returns true if replies to this connection are being collected. */
    boolean collectsFor(ConnectionRecord connection) {
        return recipient == connection;
    }

    /** Returns true if this is the view of the received memory that the handler was given. */
    boolean isReceivedMessage(ByteBuffer content) {
        return content == message;
    }

    /** Returns true if a message of that length can be added; otherwise the batch must be sent first. */
    boolean hasRoom(int length) {
        if (messages == 0 && staging.memory.remaining() < length) {
            nextStaging();
        }
        return count < PARTS_MAX - 2 && staging.memory.remaining() >= length;
    }

    /** Adds a reply that is a range of the received memory, and its tail. Requires {@link #hasRoom}. */
    void addReceived(int begin, int end, byte[] tail) {
        ByteBuffer memory = received;
        int length = end - begin + tail.length;
        boolean isAdjacent = count > 0 && !isStaged[count - 1] && to[count - 1] == begin;
        if (memory == null || (length < PART_BYTES_MIN && count > 0 && !isAdjacent)) {
            stage(memory, begin, end, tail);
        } else {
            extend(begin, end, false);
            if (isFollowedBy(memory, end, tail)) {
                to[count - 1] = end + tail.length;
            } else {
                stageTail(tail);
            }
        }
        added(length);
    }

    private void stage(@Nullable ByteBuffer memory, int begin, int end, byte[] tail) {
        ByteBuffer target = staging.memory;
        int start = target.position();
        if (memory != null) {
            target.put(start, memory, begin, end - begin);
            target.position(start + end - begin);
        }
        target.put(tail);
        extend(start, target.position(), true);
    }

    private void stageTail(byte[] tail) {
        if (tail.length > 0) {
            int start = staging.memory.position();
            staging.memory.put(tail);
            extend(start, staging.memory.position(), true);
        }
    }

    /**
     * Returns true if the tail to be sent already follows the message in the received memory. Received bytes never change, so
     * they may be sent. The bytes behind them may change at any moment: that memory is the kernel's.
     */
    private boolean isFollowedBy(ByteBuffer memory, int end, byte[] tail) {
        if (end + tail.length > receivedTo) {
            return false;
        }
        for (int i = 0; i < tail.length; i++) {
            if (memory.get(end + i) != tail[i]) {
                return false;
            }
        }
        return true;
    }

    /** Returns the staging buffer, to put a reply into. Then call {@link #addStaged}. */
    ByteBuffer staging() {
        return staging.memory;
    }

    /** Adds the reply that was put into the staging buffer, from that position on. */
    void addStaged(int start) {
        extend(start, staging.memory.position(), true);
        added(staging.memory.position() - start);
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

    // ---- for the sender

    boolean isEmpty() {
        return messages == 0;
    }

    int bytes() {
        return bytes;
    }

    int messages() {
        return messages;
    }

    /** Returns the buffers to send from; their number is {@link #partCount}. */
    ByteBuffer[] parts() {
        for (int i = 0; i < count; i++) {
            ByteBuffer view = (isStaged[i] ? staging.views : receivedViews)[i];
            parts[i] = view.limit(to[i]).position(from[i]);
        }
        return parts;
    }

    int partCount() {
        return count;
    }

    /**
     * Copies the bytes that the socket did not accept to a lane.
     *
     * @param taken the number of bytes that the socket accepted; the positions of the {@link #parts} have moved over them
     * @return the number of messages that were sent whole
     */
    int spill(long taken, Lane lane, long nowNanos) {
        int completed = beginRest(lengths, messages, taken, lane);
        for (int i = 0; i < count; i++) {
            lane.put(parts[i], nowNanos);
        }
        return completed;
    }

    /**
     * Begins, in a lane, the messages that were not sent whole. The caller then writes their bytes.
     *
     * @return the number of messages that were sent whole
     */
    static int beginRest(int[] lengths, int messages, long taken, Lane lane) {
        int completed = 0;
        long left = taken;
        for (int i = 0; i < messages; i++) {
            if (left >= lengths[i]) {
                left -= lengths[i];
                completed++;
            } else {
                lane.begin(lengths[i] - (int) left);
                if (left > 0) {
                    lane.setBegun();
                }
                left = 0;
            }
        }
        return completed;
    }

    /**
     * Returns the start and the end of each part. The start of a staged part is its bitwise complement.
     *
     * @param into an array that is used if it is large enough
     */
    int[] ranges(int[] into) {
        int[] ranges = into.length < 2 * count ? new int[2 * PARTS_MAX] : into;
        for (int i = 0; i < count; i++) {
            ranges[2 * i] = isStaged[i] ? ~from[i] : from[i];
            ranges[2 * i + 1] = to[i];
        }
        return ranges;
    }

    /**
     * Returns the length of each message.
     *
     * @param into an array that is used if it is large enough
     */
    int[] lengths(int[] into) {
        int[] copy = into.length < messages ? new int[lengths.length] : into;
        System.arraycopy(lengths, 0, copy, 0, messages);
        return copy;
    }

    /** Returns the received memory, which contains the parts that are not staged. */
    @Nullable
    ByteBuffer received() {
        return received;
    }

    /** Retains the staging buffer for a pending send, until {@link #release}. Returns null if no part is staged. */
    @Nullable
    StagingBuffer retain() {
        for (int i = 0; i < count; i++) {
            if (isStaged[i]) {
                staging.retain();
                return staging;
            }
        }
        return null;
    }

    /** Releases the staging buffer of a send that is no longer pending. */
    void release(StagingBuffer buffer) {
        buffer.release();
        if (!buffer.isPending()) {
            if (buffer != staging) {
                spare.addLast(buffer);
            } else if (messages == 0) {
                buffer.memory.clear();
            }
        }
    }

    private StagingBuffer newStaging() {
        StagingBuffer buffer = new StagingBuffer(PARTS_MAX);
        stagingCount++;
        return buffer;
    }

    /** Returns the memory of the staging buffers, in bytes. Any thread. */
    long stagingBytes() {
        return (long) stagingCount * StagingBuffer.BYTES;
    }

    private void nextStaging() {
        if (staging.isPending()) {
            StagingBuffer next = spare.pollLast();
            staging = next == null ? newStaging() : next;
        }
        staging.memory.clear();
    }

    /** Removes all replies: they were sent, copied, or dropped. */
    void clear() {
        if (!staging.isPending()) {
            staging.memory.clear();
        }
        count = 0;
        messages = 0;
        bytes = 0;
    }
}
