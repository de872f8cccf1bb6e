package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;

/**
 * Native memory per thread for the arguments of a single call: a socket address, an integer, an array of buffers, and a bounded
 * area through which the bytes of heap buffers are copied. Freed when the thread ends.
 */
final class Scratch {
    /** Maximum number of bytes that one call copies from or to heap buffers. Reads and writes may always be partial. */
    static final int BYTES_MAX = 64 * 1024;
    /** Maximum number of buffers in one gathering write; UIO_MAXIOV would allow 1,024. */
    static final int PARTS_MAX = 64;

    /** struct msghdr { name 0; namelen 8; iov 16; iovlen 24; control 32; controllen 40; flags 48; }. */
    static final int MSGHDR_SIZE = 56;
    static final int MSG_IOV = 16;
    static final int MSG_IOVLEN = 24;
    /** struct iovec { base 0; len 8; }. */
    static final int IOVEC_SIZE = 16;
    static final int IOV_LEN = 8;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private final Arena arena = Arena.ofAuto();
    private final DirectAddresses addresses = new DirectAddresses();
    /** A struct sockaddr_in or sockaddr_in6. */
    final MemorySegment address = arena.allocate(SocketAddress.SIZE_MAX, 8);
    /** Up to four ints or socklen_ts. */
    final MemorySegment number = arena.allocate(16, 8);
    /** A struct msghdr, all zero except for the array of parts. */
    final MemorySegment message = arena.allocate(MSGHDR_SIZE, 8);
    /** An array of PARTS_MAX struct iovecs. */
    final MemorySegment parts = arena.allocate((long) IOVEC_SIZE * PARTS_MAX, 8);

    private MemorySegment bytes = MemorySegment.NULL;
    /** The buffer of the call prepared last: its position, its remaining bytes, and how many of them the call may transfer. */
    private int position;
    private int remaining;
    private int length;
    private int copied;

    private Scratch() {
        message.set(ValueLayout.JAVA_LONG, MSG_IOV, parts.address());
    }

    static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** Returns the address of a socklen_t that contains the size of {@link #address}; the kernel overwrites it. */
    long addressLength() {
        number.set(ValueLayout.JAVA_INT, 0, SocketAddress.SIZE_MAX);
        return number.address();
    }

    /** Returns the area for bytes that the kernel cannot access in place. It is allocated when first needed. */
    MemorySegment bytes() {
        if (bytes.byteSize() == 0) {
            bytes = allocateBytes();
        }
        return bytes;
    }

    /** If the JVM grants no direct memory, buffers of the heap replace direct ones, and must be sent all the same. */
    private MemorySegment allocateBytes() {
        try {
            return arena.allocate(BYTES_MAX, 16);
        } catch (OutOfMemoryError e) {
            long address = Uring.mapLazily(BYTES_MAX);
            if (address < 0) {
                throw e;
            }
            return Downcall.mapped(address, BYTES_MAX, arena, segment -> Uring.unmap(segment.address(), segment.byteSize()));
        }
    }

    /** Returns the number of bytes that the call prepared last may transfer. */
    int length() {
        return length;
    }

    /** Returns the number of bytes in {@link #bytes} that the call prepared last transfers. */
    int copied() {
        return copied;
    }

    /** Returns whether the call prepared last transfers only a part of the buffer, because it copies. */
    boolean isCut() {
        return length < remaining;
    }

    /**
     * Prepares a write of {@link #length} bytes, and returns their address. Bytes that the kernel cannot access in place are
     * first copied to {@code offset} of {@link #bytes}; the copy fails if the memory of an arena is closed or another thread's.
     */
    long outgoing(ByteBuffer buffer, int offset) {
        begin(buffer);
        long base = addresses.base(buffer);
        if (base != DirectAddresses.NONE) {
            return base + position;
        }
        length = Math.min(remaining, BYTES_MAX - offset);
        MemorySegment area = bytes();
        MemorySegment.copy(MemorySegment.ofBuffer(buffer), 0, area, offset, length);
        copied = length;
        return area.address() + offset;
    }

    /** Advances a buffer over the bytes that were written. */
    void advance(ByteBuffer buffer, int written) {
        buffer.position(position + written);
    }

    /**
     * Prepares a read of up to {@link #length} bytes, and returns the address to read to; call {@link #incoming} afterwards. If
     * it is {@link DirectAddresses#NONE}, the call must pass the segment {@link #held}. Refuses a read-only buffer here, before
     * any bytes are received.
     */
    long incomingAddress(ByteBuffer buffer) {
        if (buffer.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
        begin(buffer);
        if (!buffer.isDirect()) {
            length = Math.min(remaining, BYTES_MAX);
            return bytes().address();
        }
        long base = addresses.base(buffer);
        return base == DirectAddresses.NONE ? base : base + position;
    }

    /**
     * Returns the memory of a direct buffer as a segment. A downcall that gets the segment keeps its arena open until the call
     * returns, and throws if the arena is closed or another thread's.
     */
    MemorySegment held(ByteBuffer direct) {
        return MemorySegment.ofBuffer(direct.slice(position, length));
    }

    /** Copies the bytes that were read into a heap buffer, and advances the buffer's position. */
    void incoming(ByteBuffer buffer, int read) {
        if (!buffer.isDirect()) {
            MemorySegment.copy(bytes(), 0, MemorySegment.ofBuffer(buffer), 0, read);
        }
        buffer.position(position + read);
    }

    /**
     * Reads a buffer's position and limit, once: address and length must belong together, even if another thread changes the
     * buffer meanwhile.
     */
    private void begin(ByteBuffer buffer) {
        position = buffer.position();
        remaining = Math.max(0, buffer.limit() - position);
        length = remaining;
        copied = 0;
    }
}
