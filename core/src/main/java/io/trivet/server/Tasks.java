package io.trivet.server;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What other threads want done on a loop, in order; bounded. Any thread adds, the loop takes. */
final class Tasks {
    /** More than so many waiting tasks are refused: their senders are faster than the loop, for good. */
    static final int WAITING_MAX = 1 << 20;

    private final ConcurrentLinkedQueue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();

    /**
     * Adds a task. The loop must be woken afterwards: it looks at the queue after it was woken, so none is overlooked.
     *
     * @throws RejectedExecutionException too many are waiting
     */
    void add(Runnable task) {
        if (waiting.incrementAndGet() > WAITING_MAX) {
            waiting.decrementAndGet();
            throw new RejectedExecutionException("the loop has " + WAITING_MAX + " tasks waiting");
        }
        queue.add(task);
    }

    @Nullable
    Runnable take() {
        Runnable task = queue.poll();
        if (task != null) {
            waiting.decrementAndGet();
        }
        return task;
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }
}
