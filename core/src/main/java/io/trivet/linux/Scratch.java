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
            bytes = arena.allocate(BYTES_MAX, 16);
        }
        return bytes;
    }

    /** Returns the address of a direct buffer's position. */
    long addressOf(ByteBuffer direct) {
        return addresses.of(direct);
    }

    /** Returns how many of a buffer's bytes one call can process. */
    static int length(ByteBuffer buffer) {
        return buffer.isDirect() ? buffer.remaining() : Math.min(buffer.remaining(), BYTES_MAX);
    }

    /**
     * Returns the address of a buffer's bytes for a write. The bytes of a heap buffer are first copied to {@code offset} of
     * {@link #bytes}.
     */
    long outgoing(ByteBuffer buffer, int length, int offset) {
        if (buffer.isDirect()) {
            return addressOf(buffer);
        }
        MemorySegment area = bytes();
        MemorySegment.copy(MemorySegment.ofBuffer(buffer), 0, area, offset, length);
        return area.address() + offset;
    }

    /**
     * Returns the address to read into for a buffer; call {@link #incoming} afterwards. Refuses a read-only buffer here, before
     * any bytes are received.
     */
    long incomingAddress(ByteBuffer buffer) {
        if (buffer.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
        return buffer.isDirect() ? addressOf(buffer) : bytes().address();
    }

    /** Copies the bytes that were read into a heap buffer, and advances the buffer's position. */
    void incoming(ByteBuffer buffer, int length) {
        if (!buffer.isDirect()) {
            MemorySegment.copy(bytes(), 0, MemorySegment.ofBuffer(buffer), 0, length);
        }
        buffer.position(buffer.position() + length);
    }
}
