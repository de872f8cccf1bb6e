package io.trivet.server;

import io.trivet.net.Loop;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that run on a loop at a later time, earliest first. A timer that is cancelled, or whose connection is closed, leaves the
 * queue at once. Loop thread only, except {@link #schedule} and {@link ScheduledTask#cancel}.
 *
 * <p>The application's timers are counted per loop and per connection, from the call that schedules them until they run, are
 * cancelled or dropped. If another thread cancels a timer, its task is released and no longer counted at once. The loop removes
 * the empty timer in its next turn.
 */
final class TimerQueue {
    /** Maximum number of timers of one connection, so that one connection cannot use up those of the loop. */
    static final int PER_CONNECTION_MAX = 1 << 16;
    /** Maximum number of timers run in a turn. */
    static final int PER_TURN_MAX = 1024;

    private final Callbacks callbacks;
    private final Mailbox mailbox;
    private final TimerHeap heap = new TimerHeap();
    /** The number of timers, including those on their way to the loop. */
    private final AtomicInteger reserved = new AtomicInteger();

    TimerQueue(Callbacks callbacks, Mailbox mailbox) {
        this.callbacks = callbacks;
        this.mailbox = mailbox;
    }

    /** A timer of this queue. */
    private final class QueuedTimer extends Timer implements ScheduledTask {
        /** Null if the timer belongs to no connection. */
        private final @Nullable ConnectionRecord connection;

        QueuedTimer(long deadlineNanos, @Nullable ConnectionRecord connection, Runnable task) {
            super(deadlineNanos, task);
            this.connection = connection;
        }

        @Override
        void due() {
            Runnable task = release();
            unlink();
            if (task == null) {
                return; // another thread has just cancelled it
            }
            if (connection == null) {
                callbacks.task(task);
            } else if (mayRun(connection)) {
                callbacks.timer(connection, task);
            }
        }

        @Override
        public boolean cancel() {
            if (release() == null) {
                return false;
            }
            if (mailbox.isOwnThread()) {
                remove();
            } else {
                mailbox.runAlways(this::remove);
            }
            return true;
        }

        /** Takes the task, and frees its place. Returns null if that was done already. Any thread. */
        private @Nullable Runnable release() {
            Runnable task = takeTask();
            if (task != null) {
                TimerQueue.this.release(connection);
            }
            return task;
        }

        /** Cancels the timer and removes it. Loop thread. */
        private void drop() {
            release();
            remove();
        }

        private void remove() {
            if (place != TimerHeap.ABSENT) { // otherwise it has not been added yet, or was removed with its connection's
                heap.remove(this);
            }
            unlink();
        }

        private void unlink() {
            if (connection != null) {
                connection.unlink(this);
            }
        }
    }

    /** Returns true if a connection's timers may run: it is not closed, and does not end because a rule was broken. */
    private static boolean mayRun(ConnectionRecord connection) {
        return !connection.isClosed() && !connection.hasBrokenOff();
    }

    // ---- adding

    /**
     * Schedules a task of the application. If its connection is closed when the task reaches the loop, the task is dropped. Any
     * thread.
     *
     * @param deadlineNanos its time; never {@link Loop#NO_DEADLINE}
     * @param connection the connection that it belongs to, or null
     * @param task the task
     * @return the timer
     * @throws RejectedExecutionException the loop has ended, or has too many tasks or timers; or the connection has
     *     {@link #PER_CONNECTION_MAX} timers
     */
    ScheduledTask schedule(long deadlineNanos, @Nullable ConnectionRecord connection, Runnable task) {
        QueuedTimer timer = new QueuedTimer(deadlineNanos, connection, Objects.requireNonNull(task, "task"));
        if (mailbox.isClosed()) {
            throw new RejectedExecutionException("the server is closed");
        }
        reserve(connection);
        boolean added = false;
        try {
            added = mailbox.run(() -> add(timer));
        } finally {
            if (!added) {
                timer.release();
            }
        }
        if (!added) {
            throw new RejectedExecutionException("the server is closed");
        }
        return timer;
    }

    /** Adds a task of the server. Their number is not limited, because there are few. */
    void add(long deadlineNanos, Runnable task) {
        reserved.incrementAndGet();
        heap.add(new QueuedTimer(deadlineNanos, null, task));
    }

    private void add(QueuedTimer timer) {
        ConnectionRecord connection = timer.connection;
        if (timer.isOver() || (connection != null && !mayRun(connection))) {
            timer.drop();
            return;
        }
        heap.add(timer);
        if (connection != null) {
            connection.link(timer);
        }
    }

    private void reserve(@Nullable ConnectionRecord connection) {
        if (connection != null && !connection.reserveTimer(PER_CONNECTION_MAX)) {
            throw new RejectedExecutionException("the connection has " + PER_CONNECTION_MAX
                    + " scheduled tasks waiting: cancel those that are no longer needed");
        }
        if (reserved.incrementAndGet() > TaskQueue.WAITING_MAX) {
            release(connection);
            throw new RejectedExecutionException("the loop has " + TaskQueue.WAITING_MAX + " scheduled tasks waiting");
        }
    }

    private void release(@Nullable ConnectionRecord connection) {
        reserved.decrementAndGet();
        if (connection != null) {
            connection.releaseTimer();
        }
    }

    // ---- running and removing

    /** Returns when the first task is due, or {@link Loop#NO_DEADLINE}. */
    long next() {
        Timer first = heap.first();
        return first == null ? Loop.NO_DEADLINE : first.deadlineNanos;
    }

    /** Runs the tasks that are due, up to {@link #PER_TURN_MAX}, and returns how many there were. */
    int runDue(long nowNanos) {
        int done = 0;
        long numberMax = heap.nextNumber(); // tasks that are added meanwhile run in the next turn at the earliest
        for (Timer timer = heap.first(); timer != null && Deadline.isOver(timer.deadlineNanos, nowNanos)
                && timer.number < numberMax && done < PER_TURN_MAX; timer = heap.first()) {
            heap.remove(timer);
            timer.due();
            done++;
        }
        return done;
    }

    /** Drops the timers of a connection that has ended. */
    void dropAll(ConnectionRecord connection) {
        for (Timer timer = connection.firstTimer(); timer != null; timer = connection.firstTimer()) {
            ((QueuedTimer) timer).drop();
        }
    }

    /** Drops all timers. */
    void dropAll() {
        for (Timer timer = heap.first(); timer != null; timer = heap.first()) {
            ((QueuedTimer) timer).drop();
        }
    }

    /** Returns the number of timers that have not been run, cancelled or dropped. For tests, on any thread. */
    int count() {
        return reserved.get();
    }
}
