package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A cache of the addresses of direct buffers: {@link MemorySegment#ofBuffer} allocates at each call, and a loop uses the same few
 * buffers for every message. It is a small table by identity; a new buffer replaces another. It does not keep buffers alive. Not
 * thread-safe.
 *
 * <p>An address may leave its buffer only if the memory lives as long as the buffer is reachable. That is so for a buffer of
 * {@link ByteBuffer#allocateDirect}, a mapped file, an automatic and the global arena. The memory of a shared arena can be freed
 * by another thread at any time, and that of a confined arena belongs to one thread. For these there is no address.
 */
final class DirectAddresses {
    /** Instead of an address: the kernel must not access the buffer by its address alone. */
    static final long NONE = 0;

    private static final int SIZE = 256; // a power of two

    private record Entry(WeakReference<ByteBuffer> buffer, long base) {}

    private final @Nullable Entry[] entries = new @Nullable Entry[SIZE];

    /** Returns the address of the buffer's first byte (index 0), or {@link #NONE}; {@code NONE} for a heap buffer. */
    long base(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            return NONE;
        }
        int index = System.identityHashCode(buffer) & (SIZE - 1);
        Entry entry = entries[index];
        if (entry == null || !entry.buffer.refersTo(buffer)) {
            entry = new Entry(new WeakReference<>(buffer), baseOf(buffer));
            entries[index] = entry;
        }
        return entry.base;
    }

    private static long baseOf(ByteBuffer direct) {
        // A duplicate's position does not change; the buffer's may, by another thread.
        MemorySegment segment = MemorySegment.ofBuffer(direct.duplicate().clear());
        return Scopes.REACHABLE.contains(segment.scope().getClass()) ? segment.address() : NONE;
    }

    /**
     * The scopes that end when nothing refers to them any more. The API does not tell them apart, so they are compared by class
     * with one sample of each kind. If a JDK used one class for these and for a scope that can be closed, none would qualify.
     */
    private static final class Scopes {
        static final Set<Class<?>> REACHABLE = reachable();

        private static Set<Class<?>> reachable() {
            Set<Class<?>> closeable;
            try (Arena shared = Arena.ofShared(); Arena confined = Arena.ofConfined()) {
                closeable = Set.of(shared.scope().getClass(), confined.scope().getClass());
            }
            Class<?> plain = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(1)).scope().getClass();
            Set<Class<?>> reachable = Set.of(plain, Arena.ofAuto().scope().getClass(), Arena.global().scope().getClass());
            return reachable.stream().anyMatch(closeable::contains) ? Set.of() : reachable;
        }
    }
}
