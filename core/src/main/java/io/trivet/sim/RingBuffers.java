package io.trivet.sim;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * The receive buffers of a ring, in one block of memory, and the connections that wait for a free buffer. A buffer is free when
 * it has no holder. Its content is overwritten at that moment, so that a use after the release is noticed. While its bytes are
 * being delivered, a buffer can be lent to a send, which becomes another holder.
 */
final class RingBuffers {
    private static final int COUNT_MIN = 2;
    private static final int COUNT_MAX = 16;
    private static final int BYTES_MIN = 1 << 9;
    /** The largest buffers have 8 KiB. */
    private static final int DOUBLINGS = 5;
    private static final int NONE = -1;
    private static final long POISON = 0xdeaddeaddeaddeadL;

    private final RingSchedule schedule;
    private final ByteBuffer memory;
    /** A view of {@link #memory} with a position of its own. */
    private final ByteBuffer filling;
    private final int bytes;
    private final int[] free;
    private int freeCount;
    private final int[] holders;
    /** The buffer whose bytes are being delivered. */
    private int delivering = NONE;
    /** The connections that found no free buffer, in order. */
    private final ArrayDeque<RingConnection> waiting = new ArrayDeque<>();

    RingBuffers(SimRandom random, RingSchedule schedule) {
        this.schedule = schedule;
        int count = (int) random.between(COUNT_MIN, COUNT_MAX);
        bytes = BYTES_MIN << random.below(DOUBLINGS);
        memory = ByteBuffer.allocateDirect(count * bytes);
        filling = memory.duplicate();
        free = new int[count];
        holders = new int[count];
        for (int i = 0; i < count; i++) {
            free[i] = count - 1 - i;
        }
        freeCount = count;
    }

    ByteBuffer memory() {
        return memory;
    }

    boolean hasFree() {
        return freeCount > 0;
    }

    boolean areAllFree() {
        return freeCount == free.length;
    }

    /** Acquires a free buffer. The caller is its first holder. */
    int take() {
        int buffer = free[--freeCount];
        holders[buffer] = 1;
        return buffer;
    }

    /** Returns the offset of a buffer in the memory. */
    int begin(int buffer) {
        return buffer * bytes;
    }

    /** Returns the size of a buffer. */
    int bytes() {
        return bytes;
    }

    /** Returns the memory of one buffer, to be filled. */
    ByteBuffer slice(int buffer) {
        return filling.limit(begin(buffer) + bytes).position(begin(buffer));
    }

    /** Removes one holder. When a buffer becomes free, the connections that wait for one receive again. */
    void release(int buffer) {
        if (--holders[buffer] == 0) {
            for (int i = begin(buffer); i < begin(buffer) + bytes; i += Long.BYTES) {
                memory.putLong(i, POISON);
            }
            free[freeCount++] = buffer;
        }
        if (!waiting.isEmpty()) {
            schedule.pollAgain();
            schedule.wake();
        }
    }

    // Lending.

    /** Marks a buffer as being delivered, until {@link #endDelivery}. */
    void beginDelivery(int buffer) {
        delivering = buffer;
    }

    void endDelivery() {
        delivering = NONE;
    }

    /**
     * If some bytes of a send lie in the buffer that is being delivered, lends that buffer to the send, until it is
     * {@linkplain #release released}.
     *
     * @return the buffer; negative if none is lent
     */
    int lend(ByteBuffer[] parts, int from, int count) {
        for (int i = from; i < from + count && delivering >= 0; i++) {
            if (contains(delivering, parts[i])) {
                holders[delivering]++;
                return delivering;
            }
        }
        return NONE;
    }

    /** Returns whether all bytes of a send lie in the buffer that is being delivered. */
    boolean containsAll(ByteBuffer[] parts, int from, int count) {
        for (int i = from; i < from + count; i++) {
            if (delivering < 0 || (parts[i].hasRemaining() && !contains(delivering, parts[i]))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns whether the bytes of a part lie in a buffer. To find out, inverts the buffer, compares a byte, and restores the
     * buffer.
     */
    private boolean contains(int buffer, ByteBuffer part) {
        if (!part.hasRemaining()) {
            return false;
        }
        byte first = part.get(part.position());
        invert(buffer);
        boolean changed = part.get(part.position()) != first;
        invert(buffer);
        return changed;
    }

    private void invert(int buffer) {
        for (int i = begin(buffer); i < begin(buffer) + bytes; i += Long.BYTES) {
            memory.putLong(i, ~memory.getLong(i));
        }
    }

    // Waiting for a buffer.

    void await(RingConnection connection) {
        if (!connection.awaitsBuffer) {
            connection.awaitsBuffer = true;
            waiting.addLast(connection);
        }
    }

    /** Returns the number of connections that wait for a buffer. */
    int waiting() {
        return waiting.size();
    }

    /** Removes and returns the connection that has waited longest. */
    RingConnection takeWaiting() {
        RingConnection connection = waiting.removeFirst();
        connection.awaitsBuffer = false;
        return connection;
    }
}
