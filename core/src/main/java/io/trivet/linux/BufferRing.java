package io.trivet.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * The memory that a ring receives into: buffers, lent to the kernel through a queue of its own (man 3 io_uring_setup_buf_ring). The kernel
 * picks one only when bytes are there, so few serve very many connections. It fills each bit by bit where it can (Linux 6.12): small
 * messages then lie side by side in memory that stays in the cache.
 *
 * <p>What a buffer holds may be in use several times: by the callback that is told of it, and by sends. It goes back when the kernel has
 * filled it and nobody uses it. Before the buffers lies a place for reads that do not go through the ring. All is one {@link ByteBuffer}.
 * One thread.
 *
 * <pre>
 * struct io_uring_buf { addr 0; len 8; bid 12; resv 14 (of the first: the tail); }   16 bytes
 * struct io_uring_buf_reg { ring_addr 0; ring_entries 8; bgid 12; flags 14; }   40 bytes
 * </pre>
 */
final class BufferRing {
    static final int GROUP = 0;
    private static final int ENTRY_SIZE = 16;
    private static final int ENTRY_TAIL = 14;
    private static final int REGISTRATION_SIZE = 40;
    private static final int PAGE = 4096;
    private static final VarHandle TAIL = ValueLayout.JAVA_SHORT.varHandle();

    private final MemorySegment queue;
    private final MemorySegment pool;
    private final ByteBuffer memory;
    private final long poolAddress;
    private final int placeBytes;
    private final int bufferBytes;
    private final boolean incremental;
    private final int mask;
    private short tail;
    /** By buffer: where the kernel goes on. */
    private final int[] filled;
    /** By buffer: who uses something of it, and the kernel itself until it has filled it. */
    private final int[] users;
    private int free;

    BufferRing(Ring ring, int count, int bufferBytes, int placeBytes) throws IOException {
        this.bufferBytes = bufferBytes;
        this.placeBytes = placeBytes;
        int entries = Integer.highestOneBit(Math.max(1, count - 1)) << 1;
        mask = entries - 1;
        filled = new int[count];
        users = new int[count];
        long size = placeBytes + (long) count * bufferBytes;
        long address = Uring.mapLazily(size);
        if (address < 0) {
            throw Errno.failure("mmap", null, (int) -address);
        }
        // Whoever still has a view of it may look at it, also after the end.
        pool = Downcall.mapped(address, size, Arena.ofAuto(), segment -> Uring.unmap(segment.address(), segment.byteSize()));
        poolAddress = address;
        memory = pool.asByteBuffer();
        queue = Arena.ofAuto().allocate((long) entries * ENTRY_SIZE, PAGE);
        int result = register(ring, entries, Uring.PBUF_RING_INC);
        incremental = result >= 0;
        if (!incremental) {
            result = register(ring, entries, 0);
        }
        if (result < 0) {
            throw Errno.failure("io_uring_register", null, -result);
        }
        for (int i = 0; i < count; i++) {
            give(i);
        }
    }

    private int register(Ring ring, int entries, int flags) {
        MemorySegment registration = Arena.ofAuto().allocate(REGISTRATION_SIZE, 8);
        registration.set(ValueLayout.JAVA_LONG, 0, queue.address());
        registration.set(ValueLayout.JAVA_INT, 8, entries);
        registration.set(ValueLayout.JAVA_SHORT, 12, (short) GROUP);
        registration.set(ValueLayout.JAVA_SHORT, 14, (short) flags);
        return Uring.register(ring.fd(), Uring.REGISTER_PBUF_RING, registration.address(), 1);
    }

    /** All of it, the place and the buffers. */
    ByteBuffer memory() {
        return memory;
    }

    /** Where the place for other reads lies. */
    long placeAddress() {
        return poolAddress;
    }

    int placeBytes() {
        return placeBytes;
    }

    /** How many buffers the kernel has to receive into. */
    int free() {
        return free;
    }

    /** The index in {@link #memory} of so many bytes that were received; they are in use until {@link #release}. */
    int received(int buffer, int bytes, int flags) {
        int from = placeBytes + buffer * bufferBytes + filled[buffer];
        users[buffer]++;
        if (incremental && (flags & Uring.CQE_BUF_MORE) != 0) {
            filled[buffer] += bytes;
        } else {
            free--;
            release(buffer); // the kernel's own use
        }
        return from;
    }

    /** The buffer at an address, or -1. */
    int bufferAt(long address) {
        long offset = address - poolAddress - placeBytes;
        return offset >= 0 && offset < pool.byteSize() - placeBytes ? (int) (offset / bufferBytes) : -1;
    }

    /** Whether it is an address of the place, which the next read overwrites. */
    boolean isPlace(long address) {
        return address >= poolAddress && address < poolAddress + placeBytes;
    }

    void use(int buffer) {
        users[buffer]++;
    }

    /** One user fewer; whether the kernel has it back. */
    boolean release(int buffer) {
        if (--users[buffer] > 0) {
            return false;
        }
        give(buffer);
        return true;
    }

    private void give(int buffer) {
        filled[buffer] = 0;
        users[buffer] = 1;
        free++;
        long at = (long) (tail & mask) * ENTRY_SIZE;
        queue.set(ValueLayout.JAVA_LONG, at, poolAddress + placeBytes + (long) buffer * bufferBytes);
        queue.set(ValueLayout.JAVA_INT, at + 8, bufferBytes);
        queue.set(ValueLayout.JAVA_SHORT, at + 12, (short) buffer);
        TAIL.setRelease(queue, (long) ENTRY_TAIL, ++tail);
    }
}
