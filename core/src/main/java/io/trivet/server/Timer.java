package io.trivet.server;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A task and its time. Contains its index in a {@link TimerHeap} and the links of its connection's list, so that it is removed
 * from both without a search. Loop thread only, except {@link #takeTask}.
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
     * Removes and returns the task. Only one caller gets it: the loop, which runs it, or a cancel, which drops it. Any thread.
     *
     * @return the task, or null if an earlier call has removed it
     */
    @Nullable
    Runnable takeTask() {
        return (Runnable) TASK.getAndSet(this, null);
    }

    /** Returns true if the task was removed. */
    boolean isOver() {
        return task == null;
    }

    /** Called when the timer is due and has left the heap. */
    abstract void due();
}
