package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * The sends that a ring has in flight: the location of their bytes, and the structures that the kernel reads for a send with
 * several parts. An entry is reused only after the completion of its send. One thread.
 */
final class InFlightSends {
    static final int PARTS_MAX = 16;
    /** A struct msghdr, followed by its parts. */
    private static final int ENTRY_SIZE = Scratch.MSGHDR_SIZE + 8 + PARTS_MAX * Scratch.IOVEC_SIZE;

    private final MemorySegment messages;
    private final DirectAddresses directAddresses = new DirectAddresses();
    private final long[] addresses;
    private final int[] lengths;
    private final int[] buffers;
    private final int[] free;
    private int freeCount;

    InFlightSends(int count) {
        messages = Arena.ofAuto().allocate((long) count * ENTRY_SIZE, 8);
        addresses = new long[count];
        lengths = new int[count];
        buffers = new int[count];
        free = new int[count];
        for (int i = 0; i < count; i++) {
            free[freeCount++] = count - 1 - i;
        }
    }

    boolean hasFree() {
        return freeCount > 0;
    }

    /** Returns the address of a direct buffer's position. */
    long addressOf(ByteBuffer direct) {
        return directAddresses.of(direct);
    }

    /** Adds a send with one part, and returns its index. */
    int addSingle(long address, int length, int buffer) {
        int index = free[--freeCount];
        addresses[index] = address;
        lengths[index] = length;
        buffers[index] = buffer;
        return index;
    }

    /** Adds a send with several parts, and returns its index. */
    int addParts(ByteBuffer[] parts, int from, int count, int length, int buffer) {
        int index = addSingle(0, length, buffer);
        long message = (long) index * ENTRY_SIZE;
        long iov = message + Scratch.MSGHDR_SIZE + 8;
        messages.set(ValueLayout.JAVA_LONG, message + Scratch.MSG_IOV, messages.address() + iov);
        messages.set(ValueLayout.JAVA_LONG, message + Scratch.MSG_IOVLEN, count);
        for (int i = 0; i < count; i++) {
            ByteBuffer part = parts[from + i];
            messages.set(ValueLayout.JAVA_LONG, iov, part.hasRemaining() ? directAddresses.of(part) : 0);
            messages.set(ValueLayout.JAVA_LONG, iov + Scratch.IOV_LEN, part.remaining());
            iov += Scratch.IOVEC_SIZE;
        }
        return index;
    }

    /** Returns the address of the struct msghdr of a send with several parts. */
    long message(int index) {
        return messages.address() + (long) index * ENTRY_SIZE;
    }

    int length(int index) {
        return lengths[index];
    }

    /** Returns the ring's buffer that contains the bytes, or {@link BufferRing#NONE}. */
    int buffer(int index) {
        return buffers[index];
    }

    /** Returns a copy of the bytes after the first {@code sent} bytes. */
    byte[] copyFrom(int index, int sent) {
        byte[] left = new byte[lengths[index] - sent];
        if (addresses[index] != 0) {
            Downcall.copy(addresses[index] + sent, left, 0, left.length);
            return left;
        }
        long message = (long) index * ENTRY_SIZE;
        long iov = message + Scratch.MSGHDR_SIZE + 8;
        long parts = messages.get(ValueLayout.JAVA_LONG, message + Scratch.MSG_IOVLEN);
        int skip = sent;
        int copied = 0;
        for (int i = 0; i < parts; i++, iov += Scratch.IOVEC_SIZE) {
            int length = (int) messages.get(ValueLayout.JAVA_LONG, iov + Scratch.IOV_LEN);
            int skipped = Math.min(skip, length);
            skip -= skipped;
            Downcall.copy(messages.get(ValueLayout.JAVA_LONG, iov) + skipped, left, copied, length - skipped);
            copied += length - skipped;
        }
        return left;
    }

    void remove(int index) {
        free[freeCount++] = index;
    }
}
