package io.trivet.server;

import java.nio.ByteBuffer;

/**
 * Input that could not be delivered yet: the beginning of a message, or whole messages while delivery is paused. One contiguous
 * buffer from the pool, which grows with what really arrives, never with a length that a peer announces. Exists only while there
 * is such input. One thread.
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class PartialInput {
    private final BufferPool pool;
    private ByteBuffer buffer;
    private ByteBuffer view;
    private int from;
    private int to;
    /** When the first byte of the message at the front arrived. The deadline for its last byte is counted from then. */
    long beganNanos;
    /** The bytes reserved for this input in the server's budget. */
    int budgetBytes;
    /** The number of bytes of the message at the front that have been searched, and contain no end of the message. */
    int scanned;

    PartialInput(BufferPool pool, int bytes, long nowNanos) {
        this.pool = pool;
        buffer = pool.acquire(bytes);
        view = buffer.asReadOnlyBuffer();
        beganNanos = nowNanos;
    }

    ByteBuffer buffer() {
        return buffer;
    }

    /** Returns a read-only view of the buffer, for handlers. */
    ByteBuffer view() {
        return view;
    }

    int from() {
        return from;
    }

    int to() {
        return to;
    }

    int bytes() {
        return to - from;
    }

    /** Appends a copy of the bytes of {@code memory} between two indices. */
    void add(ByteBuffer memory, int begin, int end) {
        int length = end - begin;
        if (buffer.capacity() - to < length) {
            makeRoom(length);
        }
        buffer.put(to, memory, begin, length);
        to += length;
    }

    /** Removes the bytes before an index of {@link #buffer}: they have been delivered. */
    void deliveredTo(int index, long nowNanos) {
        if (index != from) {
            from = index;
            scanned = 0;
            beganNanos = nowNanos;
        }
    }

    private void makeRoom(int length) {
        int bytes = to - from;
        ByteBuffer next = bytes + length <= buffer.capacity() / 2 ? buffer
                : pool.acquire(Math.max(bytes + length, buffer.capacity() * 2));
        next.put(0, buffer, from, bytes);
        if (next != buffer) {
            pool.release(buffer);
            buffer = next;
            view = next.asReadOnlyBuffer();
        }
        from = 0;
        to = bytes;
    }

    void release() {
        pool.release(buffer);
    }
}
