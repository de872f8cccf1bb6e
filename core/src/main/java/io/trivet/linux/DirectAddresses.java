package io.trivet.linux;

import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A cache of the addresses of direct buffers: {@link MemorySegment#ofBuffer} allocates at each call, and a loop uses the same few
 * buffers for every message. It is a small table by identity; a new buffer replaces another. It does not keep buffers alive. Not
 * thread-safe.
 */
final class DirectAddresses {
    private static final int SIZE = 256; // a power of two

    private record Entry(WeakReference<ByteBuffer> buffer, long base) {}

    private final @Nullable Entry[] entries = new @Nullable Entry[SIZE];

    /** Returns the address of the buffer's position. */
    long of(ByteBuffer direct) {
        int index = System.identityHashCode(direct) & (SIZE - 1);
        Entry entry = entries[index];
        if (entry == null || !entry.buffer.refersTo(direct)) {
            long base = MemorySegment.ofBuffer(direct).address() - direct.position();
            entry = new Entry(new WeakReference<>(direct), base);
            entries[index] = entry;
        } else if (direct.limit() > 0) { // with limit 0 there is nothing to access
            // Throws if the buffer is a view of an arena that has since been closed. Otherwise the address of freed memory would
            // be returned.
            direct.get(0);
        }
        return entry.base + direct.position();
    }
}
