package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Views of the memories in which a loop receives: that of its proactor and, with TLS, that of the plaintext. There are few, and they
 * live as long as the loop. So nothing is allocated when plaintext connections and those with TLS take turns. One thread.
 *
 * @param <V> a view, or several
 */
@SuppressWarnings("ReferenceEquality") // buffers are compared by identity: equals would compare their bytes
final class ViewsByMemory<V> {
    /** Maximum number of memories whose views are kept; beyond that, the oldest are made again. */
    private static final int MEMORIES_MAX = 4;

    private record Entry<V>(ByteBuffer memory, V views) {}

    private final Function<ByteBuffer, V> maker;
    private final List<Entry<V>> entries = new ArrayList<>(MEMORIES_MAX);
    private @Nullable Entry<V> latest;

    /**
     * Creates an empty collection.
     *
     * @param maker makes the views of a memory
     */
    ViewsByMemory(Function<ByteBuffer, V> maker) {
        this.maker = maker;
    }

    /** Returns the views of a memory, with the positions and limits that they were left with. */
    V of(ByteBuffer memory) {
        Entry<V> entry = latest;
        if (entry == null || entry.memory != memory) {
            entry = find(memory);
            latest = entry;
        }
        return entry.views;
    }

    private Entry<V> find(ByteBuffer memory) {
        for (int i = 0; i < entries.size(); i++) {
            if (entries.get(i).memory == memory) {
                return entries.get(i);
            }
        }
        if (entries.size() == MEMORIES_MAX) {
            entries.removeFirst();
        }
        Entry<V> made = new Entry<>(memory, maker.apply(memory));
        entries.add(made);
        return made;
    }
}
