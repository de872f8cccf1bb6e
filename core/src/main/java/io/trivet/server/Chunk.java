package io.trivet.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive bytes of a {@link Lane}: in a buffer of the pool, or a {@link SharedMessage}. A chunk with a whole shared message is used by
 * all lanes of a loop that contain it, so a broadcast creates nothing for a connection. One thread.
 */
final class Chunk {
    private final ByteBuffer buffer;
    /** The message that the buffer is a view of; null if the buffer comes from the pool. */
    final @Nullable SharedMessage shared;
    /** When its first message was accepted. */
    final long sinceNanos;
    /** True if other lanes use this object: then it stays as it is. */
    private final boolean isCommon;
    /** The index of the first byte that waits; the last one is before the limit. The position has no meaning, because a send moves it. */
    private int from;

    private Chunk(ByteBuffer buffer, @Nullable SharedMessage shared, long sinceNanos, boolean isCommon, int from) {
        this.buffer = buffer;
        this.shared = shared;
        this.sinceNanos = sinceNanos;
        this.isCommon = isCommon;
        this.from = from;
    }

    /** Returns an empty chunk that owns a buffer of the pool. */
    static Chunk ofPool(ByteBuffer buffer, long sinceNanos) {
        return new Chunk(buffer.limit(0), null, sinceNanos, false, 0);
    }

    /** Returns a chunk for all lanes of a loop. */
    static Chunk ofShared(SharedMessage message, long sinceNanos) {
        return new Chunk(message.view(), message, sinceNanos, true, 0);
    }

    /** Returns a chunk with the same shared message, for a lane that gets it twice: one call may send both, each from a buffer of its own. */
    Chunk another() {
        return new Chunk(buffer.duplicate(), shared, sinceNanos, false, 0);
    }

    /** Returns the number of bytes that wait. */
    int bytes() {
        return buffer.limit() - from;
    }

    /** Returns a buffer whose bytes from position to limit wait. It is valid until the next call, for any lane. */
    ByteBuffer waiting() {
        return buffer.position(from);
    }

    /** Removes the first bytes, which are not all. Returns the chunk with the others. */
    Chunk without(int count) {
        if (isCommon) {
            return new Chunk(buffer.duplicate(), shared, sinceNanos, false, from + count);
        }
        from += count;
        return this;
    }

    /** Appends as many bytes as there is room for. The position of the source advances. */
    void append(ByteBuffer source) {
        int part = Math.min(source.remaining(), room());
        int limit = buffer.limit();
        buffer.limit(limit + part);
        buffer.put(limit, source, source.position(), part);
        source.position(source.position() + part);
    }

    /** Returns how many bytes can be appended. */
    int room() {
        return shared == null ? buffer.capacity() - buffer.limit() : 0;
    }

    /** Returns the size of the buffer. */
    int capacity() {
        return buffer.capacity();
    }

    /** Returns the buffer to the pool that it comes from. */
    void releaseTo(BufferPool pool) {
        pool.release(buffer, BufferPool.Use.SEND);
    }
}
