package io.trivet.server;

import java.nio.ByteBuffer;

/**
 * Input that could not be delivered yet: the beginning of a message, or whole messages while delivery is paused. One contiguous
 * buffer from the pool, which grows with what really arrives, never with a length that a peer announces. Exists only while there
 * is such input. One thread.
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class PartialInput {
    /** Minimum capacity of a buffer that may be replaced by a smaller one. */
    private static final int SHRINK_BYTES_MIN = 4096;
    /** A buffer is replaced if the input takes less than its capacity divided by this. */
    private static final int SHRINK_FACTOR = 8;

    private final BufferPool pool;
    private ByteBuffer buffer;
    private ByteBuffer view;
    private int from;
    private int to;
    /** When the first byte of the message at the front arrived. The deadline for its last byte is counted from then. */
    long beganNanos;
    /** The number of bytes of the message at the front that have been searched, and contain no end of the message. */
    int scanned;

    PartialInput(BufferPool pool, int bytes, long nowNanos) {
        this.pool = pool;
        buffer = pool.acquire(bytes, BufferPool.Use.INPUT);
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

    /** Returns the capacity of the buffer that holds the input. */
    int heldBytes() {
        return buffer.capacity();
    }

    /** Returns the capacity that the buffer will have when that many more bytes are added. */
    long capacityFor(int more) {
        int capacity = buffer.capacity();
        return capacity - to >= more || (long) bytes() + more <= capacity / 2 ? capacity
                : Math.max((long) bytes() + more, Math.min(2L * capacity, pool.bufferBytesMax()));
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

    /** Replaces a large buffer by a small one if few bytes are left in it. */
    void shrink() {
        if (buffer.capacity() >= SHRINK_BYTES_MIN && bytes() < buffer.capacity() / SHRINK_FACTOR) {
            moveTo(pool.acquire(bytes(), BufferPool.Use.INPUT));
        }
    }

    private void makeRoom(int length) {
        long capacity = capacityFor(length);
        moveTo(capacity == buffer.capacity() ? buffer : pool.acquire((int) capacity, BufferPool.Use.INPUT));
    }

    private void moveTo(ByteBuffer next) {
        int bytes = to - from;
        next.put(0, buffer, from, bytes);
        if (next != buffer) {
            pool.release(buffer, BufferPool.Use.INPUT);
            buffer = next;
            view = next.asReadOnlyBuffer();
        }
        from = 0;
        to = bytes;
    }

    void release() {
        pool.release(buffer, BufferPool.Use.INPUT);
    }
}
