package io.trivet.server;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The tasks that other threads submit to a loop, in order; bounded. Any thread may add, only the loop removes. */
final class TaskQueue {
    /** Maximum number of waiting tasks. If it is reached, their senders are permanently faster than the loop. */
    static final int WAITING_MAX = 1 << 20;

    private final ConcurrentLinkedQueue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile boolean closed;

    /**
     * Adds a task of the application. The caller must wake the loop afterwards: it looks at the queue after each wake-up.
     *
     * @throws RejectedExecutionException {@link #WAITING_MAX} tasks are waiting, or the queue is closed
     */
    void add(Runnable task) {
        if (!offer(task, WAITING_MAX)) {
            throw new RejectedExecutionException(
                    closed ? "the server is closed" : "the loop has " + WAITING_MAX + " tasks waiting");
        }
    }

    /**
     * Adds an internal task, such as a close or a pause. The limit is twice {@link #WAITING_MAX}, so internal tasks are accepted
     * while application tasks are already rejected.
     *
     * @return false if the queue is closed
     * @throws RejectedExecutionException twice {@link #WAITING_MAX} tasks are waiting
     */
    boolean addInternal(Runnable task) {
        boolean added = offer(task, 2 * WAITING_MAX);
        if (!added && !closed) {
            throw new RejectedExecutionException("the loop has " + 2 * WAITING_MAX + " tasks waiting");
        }
        return added;
    }

    /**
     * Adds an internal task that releases what an earlier task has reserved. Such a task is never rejected: there are at most as
     * many as earlier tasks, whose number is bounded.
     *
     * @return false if the queue is closed
     */
    boolean addAlways(Runnable task) {
        return offer(task, Integer.MAX_VALUE);
    }

    private boolean offer(Runnable task, int waitingMax) {
        if (waiting.incrementAndGet() > waitingMax || closed) {
            waiting.decrementAndGet();
            return false;
        }
        queue.add(task);
        return !closed || !withdraw(task);
    }

    /**
     * Removes a task that was added while the queue was being closed. Returns false if the loop has already taken it, and runs
     * it.
     */
    @SuppressWarnings("ReferenceEquality") // this very task, whatever it considers its equal
    private boolean withdraw(Runnable task) {
        boolean withdrawn = queue.removeIf(other -> other == task);
        if (withdrawn) {
            waiting.decrementAndGet();
        }
        return withdrawn;
    }

    /** Removes and returns the oldest task, or null. */
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

    boolean isClosed() {
        return closed;
    }

    /** Accepts no further tasks; those that were added before can still be taken. */
    void close() {
        closed = true;
    }
}
