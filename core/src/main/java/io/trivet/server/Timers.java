package io.trivet.server;

import io.trivet.net.Loop;
import java.util.PriorityQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What is to run on one loop at a time to come, earliest first. The loop's thread, but for {@link #reserve}. */
final class Timers {
    private static final int SWEEP_MIN = 1024;

    private final Callbacks callbacks;
    private final PriorityQueue<Timer> waiting = new PriorityQueue<>();
    /** Those of the application, from when they were asked for: they have a bound. */
    private final AtomicInteger reserved = new AtomicInteger();
    private long number;
    /** With so many, those of connections that were closed meanwhile are looked for: an hour's timer must not keep them for an hour. */
    private int sweepAt = SWEEP_MIN;

    /** A task and when it is due; equal times keep their order. */
    private record Timer(long deadlineNanos, long number, @Nullable Connection connection,
            Runnable task) implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            long difference = deadlineNanos - other.deadlineNanos;
            return difference != 0 ? Long.signum(difference) : Long.compare(number, other.number);
        }
    }

    Timers(Callbacks callbacks) {
        this.callbacks = callbacks;
    }

    /** Makes room for a task of the application's, which is then {@linkplain #add(long, Connection, Runnable) added}. Any thread. */
    void reserve() {
        if (reserved.incrementAndGet() > Tasks.WAITING_MAX) {
            cancelReservation();
            throw new RejectedExecutionException("the loop has " + Tasks.WAITING_MAX + " scheduled tasks waiting");
        }
    }

    /** A task of the application's, which is dropped if its connection is closed by then. */
    void add(long deadlineNanos, Connection connection, Runnable task) {
        if (waiting.size() >= sweepAt) {
            waiting.removeIf(this::isForgotten);
            sweepAt = Math.max(SWEEP_MIN, 2 * waiting.size());
        }
        waiting.add(new Timer(deadlineNanos, number++, connection, task));
    }

    private boolean isForgotten(Timer timer) {
        boolean forgotten = timer.connection != null && timer.connection.isClosed();
        if (forgotten) {
            cancelReservation();
        }
        return forgotten;
    }

    /** What was reserved is not needed. Any thread. */
    void cancelReservation() {
        reserved.decrementAndGet();
    }

    /** A task of the server's own. */
    void add(long deadlineNanos, Runnable task) {
        waiting.add(new Timer(deadlineNanos, number++, null, task));
    }

    /** When the first is due, or {@link Loop#NO_DEADLINE}. */
    long next() {
        Timer first = waiting.peek();
        // A clock may pass the number that means none: a nanosecond early, the task is looked at, and not for ever late.
        return first == null ? Loop.NO_DEADLINE : Math.min(first.deadlineNanos, Loop.NO_DEADLINE - 1);
    }

    /** Runs what is due; how many. */
    int runDue(long nowNanos) {
        int done = 0;
        long numberMax = number; // those that are added meanwhile have their turn in the next
        for (Timer timer = waiting.peek(); timer != null && timer.deadlineNanos - nowNanos <= 0
                && timer.number < numberMax; timer = waiting.peek()) {
            waiting.remove();
            Connection connection = timer.connection;
            if (connection == null) {
                callbacks.task(timer.task);
            } else {
                cancelReservation();
                if (!connection.isClosed()) {
                    callbacks.timer(connection, timer.task);
                }
            }
            done++;
        }
        return done;
    }
}
