package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Passes messages in one direction between a loop and the thread of a session. The producer copies them into one buffer. The
 * consumer takes the whole buffer and reads it message by message, while the producer fills another one. A small buffer is used
 * again, so a message costs no allocation. A larger one is dropped when it was read.
 *
 * <p>One thread adds, one takes. The monitor of this object guards what both use; it is held only while bytes are copied.
 */
final class MessageHandover {
    /** Capacity of the first buffer, which an idle session keeps. Larger ones count against the server's budget, until they are read. */
    private static final int KEPT_BYTES = 128;
    /** Each message is preceded by its length, in this number of bytes. */
    private static final int HEAD_BYTES = 4;

    private final Budget budget;
    private final Counters counters;
    /** The messages that were added and not taken: from 0 to the position. Guarded by this. */
    private @Nullable ByteBuffer filling;
    /** An empty buffer of {@link #KEPT_BYTES}. Guarded by this. */
    private @Nullable ByteBuffer spare;
    /** The messages that were taken. Consumer only. */
    private @Nullable ByteBuffer taken;
    private int next;
    private int end;

    MessageHandover(Budget budget, Counters counters) {
        this.budget = budget;
        this.counters = counters;
    }

    /** The outcome of {@link #add}. */
    enum Added {
        /** The consumer had taken everything before: it must be notified. */
        FIRST,
        /** The consumer has yet to take an earlier message, and will take this one, too. */
        NEXT,
        /** The budget or the memory is used up. Nothing was added. */
        NO_MEMORY
    }

    /**
     * Adds a message, from position to limit of a buffer that is not changed. Producer.
     *
     * @param mayExceed true to add it even if the budget is exceeded afterwards
     */
    synchronized Added add(ByteBuffer message, boolean mayExceed) {
        int length = message.remaining();
        ByteBuffer to = filling;
        boolean first = to == null;
        if (to == null) {
            to = spare;
            spare = null;
        }
        if (to == null || to.remaining() < HEAD_BYTES + (long) length) {
            to = grow(to, HEAD_BYTES + (long) length, mayExceed);
            if (to == null) {
                return Added.NO_MEMORY;
            }
        }
        int at = to.position() + HEAD_BYTES;
        to.putInt(length).put(at, message, message.position(), length).position(at + length);
        filling = to;
        return first ? Added.FIRST : Added.NEXT;
    }

    /** Returns a buffer with the same content and room for more; null: there is not enough memory. */
    private @Nullable ByteBuffer grow(@Nullable ByteBuffer from, long more, boolean mayExceed) {
        int before = from == null ? 0 : from.position();
        long capacity = Math.max(KEPT_BYTES, before + more);
        if (capacity > KEPT_BYTES) {
            capacity = Math.max(capacity, Math.min(2L * (from == null ? 0 : from.capacity()), Integer.MAX_VALUE - 8));
        }
        if (capacity > Integer.MAX_VALUE - 8 || !count(capacity, mayExceed)) {
            return null;
        }
        ByteBuffer larger;
        try {
            larger = ByteBuffer.allocate((int) capacity);
        } catch (OutOfMemoryError e) {
            discount(capacity);
            return null;
        }
        if (from != null) {
            larger.put(from.flip());
            discount(from.capacity());
        }
        return larger;
    }

    /** Returns the number of bytes that were added and not taken. Any thread. */
    synchronized int waitingBytes() {
        return filling == null ? 0 : filling.position();
    }

    /**
     * Returns the bytes of the messages that were added and not read; at least one for each, which has a frame. Any thread, while the
     * consumer waits.
     */
    synchronized int unreadBytes() {
        return messageBytes(taken, next, end) + messageBytes(filling, 0, filling == null ? 0 : filling.position());
    }

    private static int messageBytes(@Nullable ByteBuffer buffer, int from, int to) {
        int sum = 0;
        if (buffer != null) {
            ByteBuffer view = buffer.duplicate().clear(); // big-endian
            for (int at = from; at < to; at += HEAD_BYTES + view.getInt(at)) {
                sum += Math.max(1, view.getInt(at));
            }
        }
        return sum;
    }

    /** Returns the bytes that count against the budget. Any thread. */
    synchronized long heldBytes() {
        return countedBytes(filling) + countedBytes(taken);
    }

    private static long countedBytes(@Nullable ByteBuffer buffer) {
        return buffer == null || buffer.capacity() <= KEPT_BYTES ? 0 : buffer.capacity();
    }

    /** Takes everything that was added, and releases what was taken before. Returns false if there is nothing. Consumer. */
    synchronized boolean take() {
        giveUp();
        taken = filling;
        filling = null;
        next = 0;
        end = taken == null ? 0 : taken.position();
        return taken != null;
    }

    /** Releases what was taken, for instance because it was read. Consumer. */
    synchronized void giveUp() {
        ByteBuffer read = taken;
        taken = null;
        if (read != null && read.capacity() <= KEPT_BYTES && spare == null) {
            spare = read.clear().order(ByteOrder.BIG_ENDIAN); // the consumer may have changed it
        } else if (read != null) {
            discount(read.capacity());
        }
    }

    /**
     * Returns the next message of those that were taken, from position to limit, or null. The buffer belongs to the consumer
     * until the next call. Consumer.
     */
    @Nullable
    ByteBuffer next() {
        ByteBuffer from = taken;
        if (from == null || next == end) {
            return null;
        }
        from.order(ByteOrder.BIG_ENDIAN).clear(); // the consumer may have changed it
        int at = next + HEAD_BYTES;
        next = at + from.getInt(next);
        return from.limit(next).position(at);
    }

    /** Drops everything. Consumer, when the producer adds nothing more. */
    synchronized void drop() {
        take();
        giveUp();
        spare = null;
    }

    /** Drops the messages that were added and not taken. Producer. */
    synchronized void dropWaiting() {
        if (filling != null) {
            discount(filling.capacity());
            filling = null;
        }
    }

    private boolean count(long capacity, boolean mayExceed) {
        if (capacity <= KEPT_BYTES) {
            return true;
        }
        if (mayExceed) {
            budget.add(capacity);
        } else if (!budget.reserve(capacity)) {
            return false;
        }
        counters.addFromAnyThread(Counters.SESSION_MEMORY, capacity);
        return true;
    }

    private void discount(long capacity) {
        if (capacity > KEPT_BYTES) {
            counters.addFromAnyThread(Counters.SESSION_MEMORY, -capacity);
            budget.release(capacity);
        }
    }
}
