package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

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
    /** By send: up to PARTS_MAX buffers that must stay reachable, and their number. */
    private final @Nullable ByteBuffer[] held;
    private final int[] heldCounts;
    /** The parts of the next send. */
    private final long[] partAddresses = new long[PARTS_MAX];
    private final int[] partLengths = new int[PARTS_MAX];
    private final int[] free;
    private int freeCount;

    InFlightSends(int count) {
        messages = Arena.ofAuto().allocate((long) count * ENTRY_SIZE, 8);
        addresses = new long[count];
        lengths = new int[count];
        buffers = new int[count];
        held = new @Nullable ByteBuffer[count * PARTS_MAX];
        heldCounts = new int[count];
        free = new int[count];
        for (int i = 0; i < count; i++) {
            free[freeCount++] = count - 1 - i;
        }
    }

    /** Returns the size of the native memory of this object, in bytes. */
    long bytes() {
        return messages.byteSize();
    }

    boolean hasFree() {
        return freeCount > 0;
    }

    /**
     * Finds the bytes of one part of the next send. Returns false if the kernel must not access them by their address alone: see
     * {@link DirectAddresses}. The buffer's position is read once, so that address and length belong together.
     */
    boolean locate(ByteBuffer part, int i) {
        int position = part.position();
        partLengths[i] = Math.max(0, part.limit() - position);
        long base = directAddresses.base(part);
        partAddresses[i] = base + position;
        return base != DirectAddresses.NONE;
    }

    long partAddress(int i) {
        return partAddresses[i];
    }

    int partLength(int i) {
        return partLengths[i];
    }

    /** Adds a send with one part, and returns its index. */
    int addSingle(long address, int length, int buffer) {
        int index = free[--freeCount];
        addresses[index] = address;
        lengths[index] = length;
        buffers[index] = buffer;
        return index;
    }

    /** Keeps the buffers of a send reachable until it is removed. Needed for memory that is not the ring's own. */
    void hold(int index, ByteBuffer[] parts, int from, int count) {
        System.arraycopy(parts, from, held, index * PARTS_MAX, count);
        heldCounts[index] = count;
    }

    /** Adds a send of the parts that were located, and returns its index. */
    int addParts(int count, int length, int buffer) {
        int index = addSingle(0, length, buffer);
        long message = (long) index * ENTRY_SIZE;
        long iov = message + Scratch.MSGHDR_SIZE + 8;
        messages.set(ValueLayout.JAVA_LONG, message + Scratch.MSG_IOV, messages.address() + iov);
        messages.set(ValueLayout.JAVA_LONG, message + Scratch.MSG_IOVLEN, count);
        for (int i = 0; i < count; i++) {
            messages.set(ValueLayout.JAVA_LONG, iov, partLengths[i] == 0 ? 0 : partAddresses[i]);
            messages.set(ValueLayout.JAVA_LONG, iov + Scratch.IOV_LEN, partLengths[i]);
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
        if (heldCounts[index] > 0) {
            Arrays.fill(held, index * PARTS_MAX, index * PARTS_MAX + heldCounts[index], null);
            heldCounts[index] = 0;
        }
        free[freeCount++] = index;
    }
}
