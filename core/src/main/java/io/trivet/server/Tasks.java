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
    private volatile boolean closed;

    /**
     * Adds a task. The loop must be woken afterwards: it looks at the queue after it was woken, so none is overlooked.
     *
     * @throws RejectedExecutionException too many are waiting, or the queue is closed
     */
    void add(Runnable task) {
        if (!offer(task, WAITING_MAX)) {
            throw new RejectedExecutionException(
                    closed ? "the server is closed" : "the loop has " + WAITING_MAX + " tasks waiting");
        }
    }

    /**
     * Adds something that the server itself wants done, to close or to pause: for that there is room when tasks are refused already.
     *
     * @return false: the queue is closed
     * @throws RejectedExecutionException twice too many are waiting
     */
    boolean addOwn(Runnable task) {
        boolean added = offer(task, 2 * WAITING_MAX);
        if (!added && !closed) {
            throw new RejectedExecutionException("the loop has " + 2 * WAITING_MAX + " tasks waiting");
        }
        return added;
    }

    private boolean offer(Runnable task, int waitingMax) {
        if (waiting.incrementAndGet() > waitingMax || closed) {
            waiting.decrementAndGet();
            return false;
        }
        queue.add(task);
        return !closed || !withdraw(task);
    }

    /** Closed just now: either the loop has found the task all the same and runs it, or it is taken back. */
    @SuppressWarnings("ReferenceEquality") // this very task, whatever it takes for its equal
    private boolean withdraw(Runnable task) {
        boolean withdrawn = queue.removeIf(other -> other == task);
        if (withdrawn) {
            waiting.decrementAndGet();
        }
        return withdrawn;
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

    boolean isClosed() {
        return closed;
    }

    /** Takes no more; what was added before can still be taken. */
    void close() {
        closed = true;
    }
}
