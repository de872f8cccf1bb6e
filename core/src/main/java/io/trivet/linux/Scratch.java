package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;

/**
 * Native memory of one thread, for the arguments of a single call: a socket address, a number, an array of buffers, and a bounded
 * place for bytes on their way from or to a buffer on the heap. Freed when the thread is gone.
 */
final class Scratch {
    /** A heap buffer is copied through here, at most so much a call: reads and writes may always be partial. */
    static final int BYTES_MAX = 64 * 1024;
    /** The most buffers that one gathering write hands to the kernel; UIO_MAXIOV would allow 1,024. */
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
    /** An int or a socklen_t or two. */
    final MemorySegment number = arena.allocate(16, 8);
    /** A struct msghdr, all zero but for the array of parts. */
    final MemorySegment message = arena.allocate(MSGHDR_SIZE, 8);
    /** PARTS_MAX of struct iovec. */
    final MemorySegment parts = arena.allocate((long) IOVEC_SIZE * PARTS_MAX, 8);

    private MemorySegment bytes = MemorySegment.NULL;

    private Scratch() {
        message.set(ValueLayout.JAVA_LONG, MSG_IOV, parts.address());
    }

    static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** The address of a socklen_t that says how much room {@link #address} has; the kernel overwrites it. */
    long addressLength() {
        number.set(ValueLayout.JAVA_INT, 0, SocketAddress.SIZE_MAX);
        return number.address();
    }

    /** Room for bytes that cannot be handed to the kernel where they are; made when first needed. */
    MemorySegment bytes() {
        if (bytes.byteSize() == 0) {
            bytes = arena.allocate(BYTES_MAX, 16);
        }
        return bytes;
    }

    /** The address of a direct buffer's position. */
    long addressOf(ByteBuffer direct) {
        return addresses.of(direct);
    }

    /** How many of a buffer's bytes go into one call. */
    static int length(ByteBuffer buffer) {
        return buffer.isDirect() ? buffer.remaining() : Math.min(buffer.remaining(), BYTES_MAX);
    }

    /** The address to write a buffer's bytes from; a heap buffer's are copied to {@code offset} of {@link #bytes} first. */
    long outgoing(ByteBuffer buffer, int length, int offset) {
        if (buffer.isDirect()) {
            return addressOf(buffer);
        }
        MemorySegment room = bytes();
        MemorySegment.copy(MemorySegment.ofBuffer(buffer), 0, room, offset, length);
        return room.address() + offset;
    }

    /** The address to read into for a buffer; call {@link #incoming} afterwards. Refused here, before bytes are lost or overwritten. */
    long incomingAddress(ByteBuffer buffer) {
        if (buffer.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
        return buffer.isDirect() ? addressOf(buffer) : bytes().address();
    }

    /** Puts what was read into the buffer, if it is not there yet, and moves its position. */
    void incoming(ByteBuffer buffer, int length) {
        if (!buffer.isDirect()) {
            MemorySegment.copy(bytes(), 0, MemorySegment.ofBuffer(buffer), 0, length);
        }
        buffer.position(buffer.position() + length);
    }
}
