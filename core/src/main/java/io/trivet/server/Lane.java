package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A sequence of messages that wait to be sent: their bytes, in a few chunks, and the length of each message. One
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
                int size = Math.max(source.remaining(), last == null ? CHUNK_BYTES_MIN : last.capacity() * 2);
                last = Chunk.ofPool(pool.acquire(Math.min(size, CHUNK_BYTES_MAX), BufferPool.Use.SEND), nowNanos);
                chunks.addLast(last);
                heldBytes += last.capacity();
            }
            last.append(source);
        }
    }

    /**
     * Adds a message whose bytes are shared by many connections.
     *
     * <p>If other messages wait before it, a short message is copied, because a view would take many times its bytes.
     *
     * @param whole a chunk for all lanes of this loop
     */
    void putShared(Chunk whole, long nowNanos) {
        SharedMessage message = Objects.requireNonNull(whole.shared);
        int length = message.length();
        begin(length);
        if (chunks.isEmpty() || length >= SHARED_BYTES_MIN) {
            message.retain();
            chunks.addLast(whole);
            viewsChanged(1, whole.capacity());
        } else {
            put(whole.waiting(), nowNanos);
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
            parts[next++] = chunk.waiting();
        }
        return next;
    }

    /**
     * Removes bytes that were sent.
     *
     * @return the number of messages that were completed
     */
    int sent(long count) {
        bytes -= count;
        removeBytes(count, null, 0);
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

    /** Removes the first bytes from the chunks. Appends a copy of them to another lane, unless that is null. */
    private void removeBytes(long count, @Nullable Lane other, long sinceNanos) {
        long left = count;
        while (left > 0) {
            Chunk chunk = chunks.removeFirst();
            int part = (int) Math.min(left, chunk.bytes());
            if (other != null) {
                ByteBuffer waiting = chunk.waiting();
                other.put(waiting.slice(waiting.position(), part), sinceNanos);
            }
            left -= part;
            if (part == chunk.bytes()) {
                release(chunk);
            } else {
                chunks.addFirst(chunk.without(part));
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
        if (other != null) {
            other.begin(length);
            if (begun) {
                other.setBegun();
            }
        }
        removeBytes(length, other, oldestNanos());
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
            heldBytes -= chunk.capacity();
            chunk.releaseTo(pool);
        } else {
            viewsChanged(-1, -chunk.capacity());
            chunk.shared.release();
        }
    }
}
