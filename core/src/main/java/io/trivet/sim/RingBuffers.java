package io.trivet.sim;

import java.nio.ByteBuffer;

/**
 * The buffers that a ring receives into, in one memory. A buffer is free again when nobody holds it; what was in it is then overwritten, so
 * that whoever reads on is seen to.
 */
final class RingBuffers {
    private static final int COUNT_MIN = 2;
    private static final int COUNT_MAX = 16;
    private static final int BYTES_MIN = 1 << 9;
    /** Up to 8 KiB. */
    private static final int DOUBLINGS = 5;
    private static final long POISON = 0xdeaddeaddeaddeadL;

    private final ByteBuffer memory;
    /** The same memory. */
    private final ByteBuffer filling;
    private final int bytes;
    private final int[] free;
    private int freeCount;
    private final int[] holders;

    RingBuffers(SimRandom random) {
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

    /** Takes a free one: its first holder. */
    int take() {
        int buffer = free[--freeCount];
        holders[buffer] = 1;
        return buffer;
    }

    /** Where a buffer begins in the memory. */
    int begin(int buffer) {
        return buffer * bytes;
    }

    int bytes() {
        return bytes;
    }

    /** The memory of one buffer, to be filled. */
    ByteBuffer place(int buffer) {
        return filling.limit(begin(buffer) + bytes).position(begin(buffer));
    }

    /** One more holder. */
    void hold(int buffer) {
        holders[buffer]++;
    }

    void release(int buffer) {
        if (--holders[buffer] == 0) {
            for (int i = begin(buffer); i < begin(buffer) + bytes; i += Long.BYTES) {
                memory.putLong(i, POISON);
            }
            free[freeCount++] = buffer;
        }
    }

    /** Whether some bytes lie in a buffer: whether they change with it. */
    boolean holds(int buffer, ByteBuffer part) {
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
}
