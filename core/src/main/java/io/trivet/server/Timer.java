package io.trivet.server;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A task and its time, with its places in a {@link TimerHeap} and in the list of its connection. Both places are part of the
 * timer, so that it leaves them without a search. Loop thread only, except {@link #takeTask}.
 */
abstract class Timer {
    private static final VarHandle TASK;

    static {
        try {
            TASK = MethodHandles.lookup().findVarHandle(Timer.class, "task", Runnable.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final long deadlineNanos;
    /** Orders timers with equal deadlines. Set when the timer enters the heap. */
    long number;
    /** The index in the heap, or {@link TimerHeap#ABSENT}. */
    int place = TimerHeap.ABSENT;
    @Nullable Timer previous;
    @Nullable Timer next;
    /** Null once the timer was run, cancelled or dropped. */
    private volatile @Nullable Runnable task;

    Timer(long deadlineNanos, Runnable task) {
        this.deadlineNanos = deadlineNanos;
        this.task = task;
    }

    /**
     * Takes the task out. The caller that gets it decides: the loop runs it, a cancel drops it. Any thread.
     *
     * @return the task, or null if another call has taken it
     */
    @Nullable
    Runnable takeTask() {
        return (Runnable) TASK.getAndSet(this, null);
    }

    /** Returns true if the task was taken out. */
    boolean isOver() {
        return task == null;
    }

    /** Called when the timer is due and has left the heap. */
    abstract void due();
}
