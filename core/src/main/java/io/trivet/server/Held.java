package io.trivet.server;

import java.nio.ByteBuffer;

/**
 * Input that could not be delivered yet: the beginning of a message, or whole messages while delivery pauses. In one piece, in a buffer
 * from the pool that grows with what really arrives, never with what a peer announces. It exists only while there is something. One thread.
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class Held {
    private final BufferPool pool;
    private ByteBuffer buffer;
    private ByteBuffer view;
    private int from;
    private int to;
    /** When the first byte of the message at the front came; the deadline for its last byte counts from there. */
    long begunNanos;
    /** So much of it is reserved in the budget of the server. */
    int budgetBytes;
    /** Of the message at the front, so many bytes were looked at and hold no end. */
    int scanned;

    Held(BufferPool pool, int bytes, long nowNanos) {
        this.pool = pool;
        buffer = pool.take(bytes);
        view = buffer.asReadOnlyBuffer();
        begunNanos = nowNanos;
    }

    ByteBuffer buffer() {
        return buffer;
    }

    /** A view for handlers. */
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

    void add(ByteBuffer memory, int begin, int end) {
        int length = end - begin;
        if (buffer.capacity() - to < length) {
            makeRoom(length);
        }
        buffer.put(to, memory, begin, length);
        to += length;
    }

    /** Everything before that index was given. */
    void givenTo(int index, long nowNanos) {
        if (index != from) {
            from = index;
            scanned = 0;
            begunNanos = nowNanos;
        }
    }

    private void makeRoom(int length) {
        int bytes = to - from;
        ByteBuffer next = bytes + length <= buffer.capacity() / 2 ? buffer
                : pool.take(Math.max(bytes + length, buffer.capacity() * 2));
        next.put(0, buffer, from, bytes);
        if (next != buffer) {
            pool.giveBack(buffer);
            buffer = next;
            view = next.asReadOnlyBuffer();
        }
        from = 0;
        to = bytes;
    }

    void release() {
        pool.giveBack(buffer);
    }
}
