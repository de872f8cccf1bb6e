package io.trivet.linux;

import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Where direct buffers lie, remembered: {@link MemorySegment#ofBuffer} allocates at each call, and a loop uses the same few buffers for
 * every message. A small table by identity; a buffer that is not found takes the place of another. It keeps no buffer alive. One thread.
 */
final class DirectAddresses {
    private static final int SIZE = 256; // a power of two

    private record Entry(WeakReference<ByteBuffer> buffer, long base) {}

    private final @Nullable Entry[] entries = new @Nullable Entry[SIZE];

    /** The address of the buffer's position. */
    long of(ByteBuffer direct) {
        int index = System.identityHashCode(direct) & (SIZE - 1);
        Entry entry = entries[index];
        if (entry == null || !entry.buffer.refersTo(direct)) {
            long base = MemorySegment.ofBuffer(direct).address() - direct.position();
            entry = new Entry(new WeakReference<>(direct), base);
            entries[index] = entry;
        } else if (direct.limit() > 0) { // a limit of 0 leaves nothing to hand out
            direct.get(0); // throws if the buffer is a view of an arena that was closed meanwhile: never hand out freed memory
        }
        return entry.base + direct.position();
    }
}
