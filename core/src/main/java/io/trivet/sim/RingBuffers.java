package io.trivet.sim;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * The buffers that a ring receives into, in one memory, and who waits for one. A buffer is free again when nobody holds it; what was in it is
 * then overwritten, so that whoever reads on is seen to. While the bytes of one are told it can be lent to a send, which holds it, too.
 */
final class RingBuffers {
    private static final int COUNT_MIN = 2;
    private static final int COUNT_MAX = 16;
    private static final int BYTES_MIN = 1 << 9;
    /** Up to 8 KiB. */
    private static final int DOUBLINGS = 5;
    private static final int NONE = -1;
    private static final long POISON = 0xdeaddeaddeaddeadL;

    private final RingAgenda agenda;
    private final ByteBuffer memory;
    /** The same memory. */
    private final ByteBuffer filling;
    private final int bytes;
    private final int[] free;
    private int freeCount;
    private final int[] holders;
    /** The buffer whose bytes are being told just now. */
    private int telling = NONE;
    /** Those that found no free buffer. */
    private final ArrayDeque<RingConnection> starved = new ArrayDeque<>();

    RingBuffers(SimRandom random, RingAgenda agenda) {
        this.agenda = agenda;
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

    /** One holder fewer. A free buffer lets those begin anew that found none. */
    void release(int buffer) {
        if (--holders[buffer] == 0) {
            for (int i = begin(buffer); i < begin(buffer) + bytes; i += Long.BYTES) {
                memory.putLong(i, POISON);
            }
            free[freeCount++] = buffer;
        }
        if (!starved.isEmpty()) {
            agenda.again();
            agenda.wake();
        }
    }

    // Lending.

    /** From now on the bytes of one are told, until that is over. */
    void beginTelling(int buffer) {
        telling = buffer;
    }

    void endTelling() {
        telling = NONE;
    }

    /** Lends a send the buffer that is being told, if it has bytes there, until it {@linkplain #release releases} it; negative: none. */
    int lend(ByteBuffer[] parts, int from, int count) {
        for (int i = from; i < from + count && telling >= 0; i++) {
            if (holds(telling, parts[i])) {
                holders[telling]++;
                return telling;
            }
        }
        return NONE;
    }

    /** Whether all the bytes of a send lie in the buffer that is being told. */
    boolean tells(ByteBuffer[] parts, int from, int count) {
        for (int i = from; i < from + count; i++) {
            if (telling < 0 || (parts[i].hasRemaining() && !holds(telling, parts[i]))) {
                return false;
            }
        }
        return true;
    }

    /** Whether some bytes lie in a buffer: whether they change with it. */
    private boolean holds(int buffer, ByteBuffer part) {
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

    // Those that wait.

    void starve(RingConnection connection) {
        if (!connection.starves) {
            connection.starves = true;
            starved.addLast(connection);
        }
    }

    int starved() {
        return starved.size();
    }

    /** The one that has waited longest. */
    RingConnection takeStarved() {
        RingConnection connection = starved.removeFirst();
        connection.starves = false;
        return connection;
    }
}
