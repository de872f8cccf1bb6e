package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * A sequence of messages that wait to be sent: their bytes, contiguous in a few buffers, and the length of each message. One
 * thread.
 */
final class Lane {
    private static final int CHUNK_BYTES_MIN = 1024;
    private static final int CHUNK_BYTES_MAX = 64 * 1024;
    private static final int SHARED_BYTES_MIN = 512;
    private static final int LENGTHS_MIN = 16;
    /** Up to this many lengths, their array is not counted in the budget, and is kept when the lane is reused. */
    private static final int LENGTHS_UNCOUNTED = 64;
    /** About what a view of a shared message takes on the heap: a ByteBuffer, a chunk, and its place. */
    private static final int VIEW_BYTES = 104;
    /** Up to this many, views are not counted in the budget: peers that read have a few during a turn. */
    private static final int VIEWS_UNCOUNTED = 8;

    /** A buffer whose bytes from position to limit wait. If the lane owns it, further bytes are written behind the limit. */
    private static final class Chunk {
        final ByteBuffer buffer;
        /** The message that the buffer is a view of; null if the buffer comes from the pool. */
        final @Nullable SharedMessage shared;
        /** When its first message was accepted. */
        final long sinceNanos;

        Chunk(ByteBuffer buffer, @Nullable SharedMessage shared, long sinceNanos) {
            this.buffer = buffer;
            this.shared = shared;
            this.sinceNanos = sinceNanos;
        }

        int room() {
            return shared == null ? buffer.capacity() - buffer.limit() : 0;
        }
    }

    private final BufferPool pool;
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>(4);
    /** The unsent bytes of each message: a ring buffer, whose capacity is a power of two. */
    private int[] lengths = new int[LENGTHS_MIN];

    private int first;
    private int messages;
    private long bytes;
    /** The capacities of the pool's buffers. */
    private long heldBytes;
    /** The number of views of shared messages, and the capacities of these. */
    private int views;

    private long sharedBytes;
    /** True if the first bytes of the first message have been sent. */
    private boolean begun;

    Lane(BufferPool pool) {
        this.pool = pool;
    }

    long bytes() {
        return bytes;
    }

    int messages() {
        return messages;
    }

    boolean isEmpty() {
        return messages == 0;
    }

    /** Returns the memory that the messages take, in bytes: buffers with their capacity, and a share of shared messages. */
    long heldBytes() {
        return heldBytes + countedLengthBytes() + countedViewBytes(views) + shareBytes();
    }

    /**
     * Returns this lane's share of its shared messages, in bytes: all that the last one holds who has not sent them, little of what
     * many hold for the moment. How many hold the oldest message stands for the others, so that no search takes long.
     */
    private long shareBytes() {
        if (views > 0) {
            for (Chunk chunk : chunks) {
                if (chunk.shared != null) {
                    return Math.ceilDiv(sharedBytes, chunk.shared.holders());
                }
            }
        }
        return 0;
    }

    private static long countedViewBytes(int views) {
        return (long) VIEW_BYTES * Math.max(0, views - VIEWS_UNCOUNTED);
    }

    /** Adds to the number of views, and to the bytes that they share. */
    private void viewsChanged(int more, long bytes) {
        pool.countHeap(countedViewBytes(views + more) - countedViewBytes(views));
        views += more;
        sharedBytes += bytes;
    }

    private long countedLengthBytes() {
        return lengths.length > LENGTHS_UNCOUNTED ? (long) Integer.BYTES * lengths.length : 0;
    }

    boolean isBegun() {
        return begun;
    }

    /** Returns when the oldest message was accepted, or another one that shares its buffer. The lane must not be empty. */
    long oldestNanos() {
        return chunks.getFirst().sinceNanos;
    }

    /** Adds a message of that length, whose bytes are to be {@linkplain #put put} next. */
    void begin(int length) {
        if (messages == lengths.length) {
            int[] more = new int[messages * 2];
            for (int i = 0; i < messages; i++) {
                more[i] = lengths[first + i & messages - 1];
            }
            pool.countHeap(-countedLengthBytes());
            lengths = more;
            pool.countHeap(countedLengthBytes());
            first = 0;
        }
        lengths[first + messages++ & lengths.length - 1] = length;
        bytes += length;
    }

    /** Records that the first bytes of the first message were sent from elsewhere. */
    void setBegun() {
        begun = true;
    }

    /** Appends a copy of the bytes. The source's position moves to its limit. */
    void put(ByteBuffer source, long nowNanos) {
        while (source.hasRemaining()) {
            Chunk last = chunks.peekLast();
            if (last == null || last.room() == 0) {
                int size = Math.max(source.remaining(), last == null ? CHUNK_BYTES_MIN : last.buffer.capacity() * 2);
                ByteBuffer buffer = pool.acquire(Math.min(size, CHUNK_BYTES_MAX), BufferPool.Use.SEND).limit(0);
                last = new Chunk(buffer, null, nowNanos);
                chunks.addLast(last);
                heldBytes += buffer.capacity();
            }
            int part = Math.min(source.remaining(), last.room());
            ByteBuffer buffer = last.buffer;
            int limit = buffer.limit();
            buffer.limit(limit + part);
            buffer.put(limit, source, source.position(), part);
            source.position(source.position() + part);
        }
    }

    /**
     * Adds a message whose bytes are shared by many connections.
     *
     * <p>If other messages wait before it, a short message is copied, because a view would take many times its bytes.
     */
    void putShared(SharedMessage message, long nowNanos) {
        ByteBuffer view = message.view();
        begin(view.remaining());
        if (chunks.isEmpty() || view.remaining() >= SHARED_BYTES_MIN) {
            message.retain();
            chunks.addLast(new Chunk(view, message, nowNanos));
            viewsChanged(1, view.capacity());
        } else {
            put(view, nowNanos);
        }
    }

    /** Moves all messages of another lane, of which nothing has been sent, to the end of this one. */
    void add(Lane other) {
        for (int i = 0; i < other.messages; i++) {
            begin(other.lengths[other.first + i & other.lengths.length - 1]);
        }
        chunks.addAll(other.chunks);
        heldBytes += other.heldBytes;
        viewsChanged(other.views, other.sharedBytes);
        other.chunks.clear();
        other.heldBytes = 0;
        other.viewsChanged(-other.views, -other.sharedBytes);
        other.clear();
    }

    /**
     * Adds the buffers to send from to an array that already contains {@code count}.
     *
     * @return the number of buffers that the array now contains
     */
    int parts(ByteBuffer[] parts, int count) {
        int next = count;
        for (Chunk chunk : chunks) {
            if (next == parts.length) {
                break;
            }
            parts[next++] = chunk.buffer;
        }
        return next;
    }

    /**
     * Removes bytes that were sent. The positions of the buffers have moved already.
     *
     * @return the number of messages that were completed
     */
    int sent(long count) {
        bytes -= count;
        while (!chunks.isEmpty() && !chunks.getFirst().buffer.hasRemaining()) {
            release(chunks.removeFirst());
        }
        int completed = 0;
        long left = count;
        while (messages > 0 && lengths[first] <= left) {
            left -= lengths[first];
            first = first + 1 & lengths.length - 1;
            messages--;
            completed++;
            begun = false;
        }
        if (left > 0) {
            lengths[first] -= (int) left;
            begun = true;
        }
        return completed;
    }

    /** Moves the positions of the buffers, for a send that did not move them. */
    void advance(long count) {
        long left = count;
        for (Chunk chunk : chunks) {
            int part = (int) Math.min(left, chunk.buffer.remaining());
            chunk.buffer.position(chunk.buffer.position() + part);
            left -= part;
            if (left == 0) {
                return;
            }
        }
    }

    /**
     * Removes the first message.
     *
     * @param other the lane to move it to, or null to drop it
     * @return its length
     */
    int removeFirst(@Nullable Lane other) {
        int length = lengths[first];
        long sinceNanos = oldestNanos();
        if (other != null) {
            other.begin(length);
            if (begun) {
                other.setBegun();
            }
        }
        int left = length;
        while (left > 0) {
            ByteBuffer buffer = chunks.getFirst().buffer;
            int part = Math.min(left, buffer.remaining());
            if (other != null) {
                other.put(buffer.slice(buffer.position(), part), sinceNanos);
            }
            buffer.position(buffer.position() + part);
            left -= part;
            if (!buffer.hasRemaining()) {
                release(chunks.removeFirst());
            }
        }
        first = first + 1 & lengths.length - 1;
        messages--;
        bytes -= length;
        begun = false;
        return length;
    }

    /** Drops all messages and releases the buffers. */
    void clear() {
        while (!chunks.isEmpty()) {
            release(chunks.removeFirst());
        }
        pool.countHeap(-countedLengthBytes());
        lengths = lengths.length > LENGTHS_UNCOUNTED ? new int[LENGTHS_MIN] : lengths;
        first = 0;
        messages = 0;
        bytes = 0;
        begun = false;
    }

    private void release(Chunk chunk) {
        if (chunk.shared == null) {
            heldBytes -= chunk.buffer.capacity();
            pool.release(chunk.buffer, BufferPool.Use.SEND);
        } else {
            viewsChanged(-1, -chunk.buffer.capacity());
            chunk.shared.release();
        }
    }
}
