package io.trivet.nio;

import io.trivet.net.ReadyEvents;
import java.util.ArrayDeque;

/**
 * The sockets that a poller has found ready, least recently reported first. So every ready socket is reported in turn, however small
 * the caller's buffer is.
 *
 * <p>A <em>batch</em> is what the selects of one poll find. An entry stays queued after its report, and is dropped when a complete
 * batch does not contain it. Guarded by the poller's selector lock.
 */
final class ReadyQueue {
    private final ArrayDeque<PollerEntry> queue = new ArrayDeque<>();
    /** The number of the current batch, and of the entries in it. */
    private int batch;
    private int found;
    private boolean overflowed;

    /** Starts the next batch. */
    void startBatch() {
        batch++;
        found = 0;
    }

    /** Adds events of an entry to the current batch. */
    void add(PollerEntry entry, int events) {
        if (entry.batch == batch) {
            entry.ready |= events;
        } else {
            entry.ready = events;
            entry.batch = batch;
            found++;
        }
        if (!entry.queued) {
            entry.queued = true;
            queue.addLast(entry);
        }
    }

    /** Returns the number of entries in the current batch. */
    int found() {
        return found;
    }

    /** Returns whether entries did not fit into the buffer of the last {@link #collect}. */
    boolean hasOverflowed() {
        return overflowed;
    }

    /**
     * Reports entries from the head of the queue until the buffer is full, and moves each reported entry to the tail.
     *
     * @param complete whether the batch contains every ready socket; otherwise an entry that is missing from it may still be ready
     */
    void collect(ReadyEvents out, boolean complete) {
        int left = queue.size();
        while (left > 0 && !out.isFull()) {
            left--;
            PollerEntry entry = queue.removeFirst();
            boolean current = entry.batch == batch || !complete;
            entry.queued = current && entry.ready != 0 && entry.report(out);
            entry.ready = 0;
            if (entry.queued) {
                queue.addLast(entry);
            }
        }
        overflowed = left > 0;
    }
}
