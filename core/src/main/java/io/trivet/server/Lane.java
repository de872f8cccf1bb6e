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
    /** Up to this many lengths, their array is not counted in the budget. */
    private static final int LENGTHS_UNCOUNTED = 64;
    /** What a lane that is reused keeps of its places for chunks. */
    private static final int CHUNKS_KEPT = 8;
    /**
     * About what a shared message takes on the heap: its place among the chunks, which all lanes of a loop use. Only the first one, once it
     * is partly sent, has a chunk and a view of its own.
     */
    private static final int PLACE_BYTES = 8;
    /** Up to this many, places are not counted in the budget: peers that read have a few during a turn. */
    private static final int PLACES_UNCOUNTED = 64;

    private final BufferPool pool;
    private ArrayDeque<Chunk> chunks = new ArrayDeque<>(4);
    /** The highest number of chunks since the lane was last cleared. */
    private int chunksMax;
    /** The unsent bytes of each message: a ring buffer, whose capacity is a power of two. */
    private int[] lengths = new int[LENGTHS_MIN];

    private int first;
    private int messages;
    private long bytes;
    /** The capacities of the pool's buffers. */
    private long heldBytes;
    /** The number of shared messages, and the capacities of these. */
    private int shared;

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
        return heldBytes + countedLengthBytes() + countedPlaceBytes(shared) + shareBytes();
    }

    /**
     * Returns this lane's share of its shared messages, in bytes: all that the last one holds who has not sent them, little of what
     * many hold for the moment. How many hold the oldest message stands for the others, so that no search takes long.
     */
    private long shareBytes() {
        if (shared > 0) {
            for (Chunk chunk : chunks) {
                if (chunk.shared != null) {
                    return Math.ceilDiv(sharedBytes, chunk.shared.holders());
                }
            }
        }
        return 0;
    }

    private static long countedPlaceBytes(int shared) {
        return shared <= PLACES_UNCOUNTED ? 0 : (long) PLACE_BYTES * shared;
    }

    /** Adds to the number of shared messages, and to their bytes. */
    private void sharedChanged(int more, long bytes) {
        pool.countHeap(countedPlaceBytes(shared + more) - countedPlaceBytes(shared));
        shared += more;
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
                addLast(last);
                heldBytes += last.capacity();
            }
            last.append(source);
        }
    }

    private void addLast(Chunk chunk) {
        chunks.addLast(chunk);
        chunksMax = Math.max(chunksMax, chunks.size());
    }

    /**
     * Adds a message whose bytes are shared by many connections.
     *
     * <p>If other messages wait before it, a short message is copied, because one more buffer to send from costs more than the copy.
     *
     * @param whole a chunk for all lanes of this loop
     */
    @SuppressWarnings("ReferenceEquality") // the same message
    void putShared(Chunk whole, long nowNanos) {
        SharedMessage message = Objects.requireNonNull(whole.shared);
        int length = message.length();
        begin(length);
        if (chunks.isEmpty() || length >= SHARED_BYTES_MIN) {
            message.retain();
            Chunk last = chunks.peekLast();
            addLast(last != null && last.shared == message ? whole.another() : whole);
            sharedChanged(1, whole.capacity());
        } else {
            put(whole.waiting(), nowNanos);
        }
    }

    /** Moves all messages of another lane, of which nothing has been sent, to the end of this one. */
    void add(Lane other) {
        for (int i = 0; i < other.messages; i++) {
            begin(other.lengths[other.first + i & other.lengths.length - 1]);
        }
        other.chunks.forEach(this::addLast);
        heldBytes += other.heldBytes;
        sharedChanged(other.shared, other.sharedBytes);
        other.chunks.clear();
        other.heldBytes = 0;
        other.sharedChanged(-other.shared, -other.sharedBytes);
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

    /** For tests: returns how many lengths there is room for. */
    int lengthsMax() {
        return lengths.length;
    }

    /** Drops all messages and releases the buffers. What an unusual number of messages took on the heap is released as well. */
    void clear() {
        while (!chunks.isEmpty()) {
            release(chunks.removeFirst());
        }
        pool.countHeap(-countedLengthBytes());
        lengths = lengths.length > LENGTHS_MIN ? new int[LENGTHS_MIN] : lengths;
        if (chunksMax > CHUNKS_KEPT) {
            chunks = new ArrayDeque<>(4);
        }
        chunksMax = 0;
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
            sharedChanged(-1, -chunk.capacity());
            chunk.shared.release();
        }
    }
}
