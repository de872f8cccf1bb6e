package io.trivet.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * The buffers of one loop, in sizes of powers of two. A buffer that a connection holds counts against the server's {@link Budget}
 * with its whole capacity, even if few of its bytes are in use. Released buffers are kept for reuse, up to a bound. An idle
 * connection holds none. One thread.
 *
 * <p>Buffers are direct. If the JVM refuses direct memory (-XX:MaxDirectMemorySize), a buffer is allocated on the heap, and
 * {@link #takeRefusal} returns true, so that a connection is closed.
 */
final class BufferPool {
    /** What a buffer is used for. */
    enum Use {
        /** Messages that wait to be sent. */
        SEND,
        /** Received bytes that have not been delivered yet. */
        INPUT
    }

    /** Maximum number of bytes of a buffer. Arrays can have no more, and buffers of the heap are arrays. */
    static final int BUFFER_BYTES_MAX = Integer.MAX_VALUE - 8;

    private static final int SHIFT_MIN = 8;
    private static final int SHIFT_MAX = 22;
    /** Maximum number of bytes that a loop keeps for reuse. Further buffers are left to the garbage collector. */
    private static final long SPARE_BYTES_MAX = 32L << 20;
    /** Time after a refusal during which no direct memory is requested. The JVM takes up to half a second for each refusal. */
    private static final long REFUSAL_NANOS = 1_000_000_000L;

    private final IntFunction<ByteBuffer> direct;
    private final Budget budget;
    private final TurnClock clock;
    private final Counters counters;
    private final long spareBytesMax;
    private final ByteBuffer[][] spare = new ByteBuffer[SHIFT_MAX - SHIFT_MIN + 1][16];
    private final int[] counts = new int[SHIFT_MAX - SHIFT_MIN + 1];
    private long spareBytes;
    private boolean refused;
    private boolean refusalPending;
    private long refusedNanos;

    /**
     * Creates the pool of a loop.
     *
     * @param budget the server's budget
     * @param loops the number of loops that share it
     */
    BufferPool(Budget budget, int loops, TurnClock clock, Counters counters) {
        this(budget, loops, clock, counters, ByteBuffer::allocateDirect);
    }

    /** For tests: creates a pool with another source of direct buffers. */
    BufferPool(Budget budget, int loops, TurnClock clock, Counters counters, IntFunction<ByteBuffer> direct) {
        this.direct = direct;
        this.budget = budget;
        this.clock = clock;
        this.counters = counters;
        spareBytesMax = Math.min(SPARE_BYTES_MAX, budget.bytesMax() / 16 * 3 / loops);
    }

    /**
     * Returns the maximum capacity of one buffer: half of the budget, because the old and the new buffer exist together while one
     * grows.
     */
    long bufferBytesMax() {
        return Math.min(BUFFER_BYTES_MAX, budget.bytesMax() / 2);
    }

    /** Returns a cleared, big-endian buffer with room for at least this number of bytes. The budget may be exceeded afterwards. */
    ByteBuffer acquire(int bytes, Use use) {
        int size = sizeClass(bytes);
        ByteBuffer buffer;
        if (size < spare.length && counts[size] > 0) {
            buffer = spare[size][--counts[size]].clear().order(ByteOrder.BIG_ENDIAN);
            spareChanged(-buffer.capacity());
        } else {
            buffer = allocate(size < spare.length ? 1 << (size + SHIFT_MIN) : bytes);
        }
        budget.add(buffer.capacity());
        heldChanged(use, buffer, 1);
        return buffer;
    }

    void release(ByteBuffer buffer, Use use) {
        budget.release(buffer.capacity());
        heldChanged(use, buffer, -1);
        int size = sizeClass(buffer.capacity());
        if (!buffer.isDirect() || size >= spare.length || spareBytes + buffer.capacity() > spareBytesMax) {
            return;
        }
        if (counts[size] == spare[size].length) {
            spare[size] = Arrays.copyOf(spare[size], counts[size] * 2);
        }
        spare[size][counts[size]++] = buffer;
        spareChanged(buffer.capacity());
    }

    private ByteBuffer allocate(int bytes) {
        if (refused && clock.now() - refusedNanos < REFUSAL_NANOS) {
            refusalPending = true;
            return ByteBuffer.allocate(bytes);
        }
        try {
            refused = false;
            return direct.apply(bytes);
        } catch (OutOfMemoryError e) {
            dropSpare();
            refused = true;
            refusalPending = true;
            refusedNanos = clock.now();
            return ByteBuffer.allocate(bytes);
        }
    }

    /** Leaves the spare buffers to the garbage collector. */
    void dropSpare() {
        for (int size = 0; size < spare.length; size++) {
            Arrays.fill(spare[size], 0, counts[size], null);
            counts[size] = 0;
        }
        spareChanged(-spareBytes);
    }

    /** Returns true if the JVM has refused a direct buffer since the last call. */
    boolean takeRefusal() {
        boolean taken = refusalPending;
        refusalPending = false;
        return taken;
    }

    /** Adds to the budget heap memory that a connection holds in addition to its buffers. A negative number subtracts it. */
    void countHeap(long bytes) {
        if (bytes != 0) {
            budget.add(bytes);
        }
    }

    private void heldChanged(Use use, ByteBuffer buffer, int sign) {
        if (buffer.isDirect()) {
            counters.add(use == Use.SEND ? Counters.SEND_MEMORY : Counters.INPUT_MEMORY, (long) sign * buffer.capacity());
        }
    }

    private void spareChanged(long bytes) {
        spareBytes += bytes;
        counters.add(Counters.SPARE_MEMORY, bytes);
    }

    private static int sizeClass(int bytes) {
        return Math.max(0, Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, bytes) - 1) - SHIFT_MIN);
    }
}
