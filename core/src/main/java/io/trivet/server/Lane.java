package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Messages that wait to be sent, in order: their bytes one behind the other in a few buffers, and the length of each. One thread.
 */
final class Lane {
    private static final int CHUNK_BYTES_MIN = 1024;
    private static final int CHUNK_BYTES_MAX = 64 * 1024;
    private static final int SHARED_BYTES_MIN = 512;
    private static final int SMALL_LENGTHS = 64;

    /** A buffer whose bytes from position to limit wait; written behind the limit if it is ours. */
    private static final class Chunk {
        final ByteBuffer buffer;
        /** From the pool, and nobody else's. */
        final boolean own;
        /** When its first message came. */
        final long sinceNanos;

        Chunk(ByteBuffer buffer, boolean own, long sinceNanos) {
            this.buffer = buffer;
            this.own = own;
            this.sinceNanos = sinceNanos;
        }

        int room() {
            return own ? buffer.capacity() - buffer.limit() : 0;
        }
    }

    private final BufferPool pool;
    private final ArrayDeque<Chunk> chunks = new ArrayDeque<>(4);
    /** The bytes left of each message: a ring. */
    private int[] lengths = new int[16];

    private int first;
    private int messages;
    private long bytes;
    /** Whether bytes of the first message have left already. */
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

    /** Whether it never held many messages, for which it would still have the places. */
    boolean isSmall() {
        return lengths.length <= SMALL_LENGTHS;
    }

    boolean isBegun() {
        return begun;
    }

    /** When the oldest message came, to within the messages that share its buffer. Only when there is one. */
    long oldestNanos() {
        return chunks.getFirst().sinceNanos;
    }

    /** Begins a message of so many bytes, which are then put. */
    void begin(int length) {
        if (messages == lengths.length) {
            int[] more = new int[messages * 2];
            for (int i = 0; i < messages; i++) {
                more[i] = lengths[first + i & messages - 1];
            }
            lengths = more;
            first = 0;
        }
        lengths[first + messages++ & lengths.length - 1] = length;
        bytes += length;
    }

    /** The first message is the rest of one that was begun elsewhere. */
    void setBegun() {
        begun = true;
    }

    /** Copies bytes to the end; the source's position moves to its limit. */
    void put(ByteBuffer source, long nowNanos) {
        while (source.hasRemaining()) {
            Chunk last = chunks.peekLast();
            if (last == null || last.room() == 0) {
                int size = Math.max(source.remaining(), last == null ? CHUNK_BYTES_MIN : last.buffer.capacity() * 2);
                ByteBuffer buffer = pool.take(Math.min(size, CHUNK_BYTES_MAX)).limit(0);
                last = new Chunk(buffer, true, nowNanos);
                chunks.addLast(last);
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
     * Puts a message that is held once for many connections; the buffer is a view of its own over the shared bytes. A short one that waits
     * behind others is copied: its view would take many times its bytes, which nobody counts.
     */
    void putShared(ByteBuffer view, long nowNanos) {
        begin(view.remaining());
        if (chunks.isEmpty() || view.remaining() >= SHARED_BYTES_MIN) {
            chunks.addLast(new Chunk(view, false, nowNanos));
        } else {
            put(view, nowNanos);
        }
    }

    /** Takes over the messages of another lane, of which nothing has left; it is empty afterwards. */
    void add(Lane other) {
        for (int i = 0; i < other.messages; i++) {
            begin(other.lengths[other.first + i & other.lengths.length - 1]);
        }
        chunks.addAll(other.chunks);
        other.chunks.clear();
        other.clear();
    }

    /** Fills in the buffers to send from; how many there are now. */
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

    /** Forgets the bytes that were sent; the positions of the chunks have moved already. How many messages left with them. */
    int sent(long count) {
        bytes -= count;
        while (!chunks.isEmpty() && !chunks.getFirst().buffer.hasRemaining()) {
            release(chunks.removeFirst());
        }
        int gone = 0;
        long left = count;
        while (messages > 0 && lengths[first] <= left) {
            left -= lengths[first];
            first = first + 1 & lengths.length - 1;
            messages--;
            gone++;
            begun = false;
        }
        if (left > 0) {
            lengths[first] -= (int) left;
            begun = true;
        }
        return gone;
    }

    /** Moves the positions of the chunks, for a send that has not moved them. */
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

    /** Takes the first message out, whose bytes are then in the other lane (if there is one) or dropped; its length. */
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

    /** Gives everything back. */
    void clear() {
        while (!chunks.isEmpty()) {
            release(chunks.removeFirst());
        }
        Arrays.fill(lengths, 0);
        first = 0;
        messages = 0;
        bytes = 0;
        begun = false;
    }

    private void release(Chunk chunk) {
        if (chunk.own) {
            pool.giveBack(chunk.buffer);
        }
    }
}
