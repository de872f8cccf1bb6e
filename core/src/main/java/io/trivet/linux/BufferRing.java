package io.trivet.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.BitSet;

/**
 * The memory that a ring receives into: buffers that are provided to the kernel through a queue of their own (man 3
 * io_uring_setup_buf_ring). The kernel picks a buffer only when bytes have arrived, so few buffers serve very many connections.
 * Each buffer holds the bytes of one receive. Letting the kernel fill a few large buffers incrementally (Linux 6.12) costs 3 to 4
 * % more per message.
 *
 * <p>The contents of a buffer may be in use twice: by the callback that receives them, and by a send. The buffer is provided
 * again when it has no user. In front of the buffers there is a read area, for reads that do not go through the ring. All of it
 * is one {@link ByteBuffer}. One thread.
 *
 * <pre>
 * struct io_uring_buf { addr 0; len 8; bid 12; resv 14 (of the first: the tail); }   16 bytes
 * struct io_uring_buf_reg { ring_addr 0; ring_entries 8; bgid 12; flags 14; }   40 bytes
 * </pre>
 */
final class BufferRing {
    static final int GROUP = 0;
    /** The index that stands for no buffer. */
    static final int NONE = -1;
    static final int ENTRY_SIZE = 16;
    static final int ENTRY_LEN = 8;
    static final int ENTRY_BID = 12;
    static final int ENTRY_TAIL = 14;
    static final int REGISTRATION_SIZE = 40;
    static final int REGISTRATION_ENTRIES = 8;
    static final int REGISTRATION_GROUP = 12;
    private static final int PAGE = 4096;
    private static final VarHandle TAIL = ValueLayout.JAVA_SHORT.varHandle();

    private MemorySegment queue;
    private final MemorySegment pool;
    private final ByteBuffer memory;
    private final long poolAddress;
    private final int readAreaBytes;
    private final long poolBytes;
    private final int bufferBytes;
    private final int mask;
    private short tail;
    /** Binary logarithm of a buffer's length, which is a power of two. */
    private final int shift;
    /** By buffer: the number of its users. */
    private final int[] useCounts;
    private int free;

    /** Creates the read area and the buffers, and provides them to the kernel. The length of a buffer must be a power of two. */
    BufferRing(Ring ring, int count, int bufferBytes, int readAreaBytes) throws IOException {
        this.bufferBytes = bufferBytes;
        this.readAreaBytes = readAreaBytes;
        poolBytes = (long) count * bufferBytes;
        int entries = Integer.highestOneBit(Math.max(1, count - 1)) << 1;
        mask = entries - 1;
        shift = Integer.numberOfTrailingZeros(bufferBytes);
        useCounts = new int[count];
        long size = readAreaBytes + poolBytes;
        long address = Uring.mapLazily(size);
        if (address < 0) {
            throw Errno.failure("mmap", null, (int) -address);
        }
        // Freed by the garbage collector: views of it may still be in use after close.
        pool = Downcall.mapped(address, size, Arena.ofAuto(), segment -> Uring.unmap(segment.address(), segment.byteSize()));
        poolAddress = address;
        memory = pool.asByteBuffer();
        queue = newQueue(entries);
        register(ring, entries);
        for (int i = 0; i < count; i++) {
            provide(i);
        }
    }

    private static MemorySegment newQueue(int entries) {
        return Arena.ofAuto().allocate((long) entries * ENTRY_SIZE, PAGE);
    }

    /**
     * Provides the free buffers to another ring, which replaces the one that they were provided to.
     *
     * @param filled buffers that the former ring has received into, and that are yet to be {@link #received}
     */
    void moveTo(Ring ring, BitSet filled) throws IOException {
        queue = newQueue(mask + 1);
        tail = 0;
        register(ring, mask + 1);
        for (int i = 0; i < useCounts.length; i++) {
            if (useCounts[i] == 0 && !filled.get(i)) {
                enqueue(i);
            }
        }
    }

    private void register(Ring ring, int entries) throws IOException {
        MemorySegment registration = Arena.ofAuto().allocate(REGISTRATION_SIZE, 8);
        registration.set(ValueLayout.JAVA_LONG, 0, queue.address());
        registration.set(ValueLayout.JAVA_INT, REGISTRATION_ENTRIES, entries);
        registration.set(ValueLayout.JAVA_SHORT, REGISTRATION_GROUP, (short) GROUP);
        try {
            int result = Uring.register(ring.fd(), Uring.REGISTER_PBUF_RING, registration.address(), 1);
            if (result < 0) {
                throw Errno.failure("io_uring_register", null, -result);
            }
        } finally {
            Reference.reachabilityFence(registration); // the kernel knows it only by address
        }
    }

    /** Returns all of the memory: the read area and the buffers. */
    ByteBuffer memory() {
        return memory;
    }

    /** Returns the address of the read area. */
    long readAreaAddress() {
        return poolAddress;
    }

    int readAreaBytes() {
        return readAreaBytes;
    }

    /** Returns the number of buffers that the kernel can receive into. */
    int free() {
        return free;
    }

    /** Marks a buffer that the kernel has received into as used until {@link #release}. Returns its index in {@link #memory}. */
    int received(int buffer) {
        free--;
        useCounts[buffer] = 1;
        return readAreaBytes + buffer * bufferBytes;
    }

    /** Returns the buffer that contains an address, or {@link #NONE}. */
    int bufferAt(long address) {
        long offset = address - poolAddress - readAreaBytes;
        return offset >= 0 && offset < poolBytes ? (int) (offset >>> shift) : NONE;
    }

    /** Returns whether an address is in the read area, which the next read overwrites. */
    boolean isInReadArea(long address) {
        return address >= poolAddress && address < poolAddress + readAreaBytes;
    }

    void retain(int buffer) {
        useCounts[buffer]++;
    }

    /** Removes a user. A buffer without users is provided to the kernel again. */
    void release(int buffer) {
        if (--useCounts[buffer] == 0) {
            provide(buffer);
        }
    }

    private void provide(int buffer) {
        free++;
        enqueue(buffer);
    }

    private void enqueue(int buffer) {
        long at = (long) (tail & mask) * ENTRY_SIZE;
        queue.set(ValueLayout.JAVA_LONG, at, poolAddress + readAreaBytes + (long) buffer * bufferBytes);
        queue.set(ValueLayout.JAVA_INT, at + ENTRY_LEN, bufferBytes);
        queue.set(ValueLayout.JAVA_SHORT, at + ENTRY_BID, (short) buffer);
        TAIL.setRelease(queue, (long) ENTRY_TAIL, ++tail);
    }
}
