package io.trivet.server;

import io.trivet.net.Loop;
import java.util.PriorityQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that run on a loop at a later time, earliest first. Loop thread only, except {@link #reserve} and {@link
 * #cancelReservation}.
 */
final class TimerQueue {
    private static final int SWEEP_MIN = 1024;

    private final Callbacks callbacks;
    private final PriorityQueue<Timer> waiting = new PriorityQueue<>();
    /** The number of the application's timers, including those on their way to the loop: they are bounded. */
    private final AtomicInteger reserved = new AtomicInteger();
    private long number;
    /**
     * At this size, the timers of closed connections are removed: a timer of an hour must not keep its connection for an hour.
     */
    private int sweepAt = SWEEP_MIN;

    /** A task and its time. Tasks with equal times run in the order in which they were added. */
    private record Timer(long deadlineNanos, long number, @Nullable ConnectionRecord connection,
            Runnable task) implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            long difference = deadlineNanos - other.deadlineNanos;
            return difference != 0 ? Long.signum(difference) : Long.compare(number, other.number);
        }
    }

    TimerQueue(Callbacks callbacks) {
        this.callbacks = callbacks;
    }

    /**
     * Reserves a place for a task of the application. Any thread.
     *
     * @throws RejectedExecutionException {@link TaskQueue#WAITING_MAX} are reserved already
     */
    void reserve() {
        if (reserved.incrementAndGet() > TaskQueue.WAITING_MAX) {
            cancelReservation();
            throw new RejectedExecutionException("the loop has " + TaskQueue.WAITING_MAX + " scheduled tasks waiting");
        }
    }

    /** Cancels a reservation that is not used. Any thread. */
    void cancelReservation() {
        reserved.decrementAndGet();
    }

    /**
     * Adds a task of the application, for which a place is {@linkplain #reserve reserved}. If its connection is closed by then,
     * it is dropped.
     */
    void add(long deadlineNanos, ConnectionRecord connection, Runnable task) {
        if (waiting.size() >= sweepAt) {
            waiting.removeIf(this::isOfClosedConnection);
            sweepAt = Math.max(SWEEP_MIN, 2 * waiting.size());
        }
        waiting.add(new Timer(deadlineNanos, number++, connection, task));
    }

    private boolean isOfClosedConnection(Timer timer) {
        boolean closed = timer.connection != null && timer.connection.isClosed();
        if (closed) {
            cancelReservation();
        }
        return closed;
    }

    /** Adds a task of the server. */
    void add(long deadlineNanos, Runnable task) {
        waiting.add(new Timer(deadlineNanos, number++, null, task));
    }

    /** Returns when the first task is due, or {@link Loop#NO_DEADLINE}. */
    long next() {
        Timer first = waiting.peek();
        return first == null ? Loop.NO_DEADLINE : first.deadlineNanos;
    }

    /** Runs the tasks that are due, and returns how many there were. */
    int runDue(long nowNanos) {
        int done = 0;
        long numberMax = number; // tasks that are added meanwhile run in the next turn at the earliest
        for (Timer timer = waiting.peek(); timer != null && timer.deadlineNanos - nowNanos <= 0
                && timer.number < numberMax; timer = waiting.peek()) {
            waiting.remove();
            ConnectionRecord connection = timer.connection;
            if (connection == null) {
                callbacks.task(timer.task);
            } else {
                cancelReservation();
                if (!connection.isClosed() && !connection.hasBrokenOff()) {
                    callbacks.timer(connection, timer.task);
                }
            }
            done++;
        }
        return done;
    }
}
