package io.trivet.server;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What a loop is doing, for the {@link Watchdog}: whether it waits in the kernel, and whether a callback is running. The loop
 * thread writes, any thread reads.
 */
final class LoopActivity {
    private static final VarHandle MARK;

    static {
        try {
            MARK = MethodHandles.lookup().findVarHandle(LoopActivity.class, "mark", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Runnable onWaitOver;
    private volatile boolean waiting;
    /** Changes at the beginning and at the end of each callback: no fence is needed, and no clock is read. */
    private long mark;
    /** The number of nested callbacks: a task of the server may call handlers. */
    private int depth;

    /**
     * Creates the activity of a loop.
     *
     * @param onWaitOver called each time the loop has stopped waiting
     */
    LoopActivity(Runnable onWaitOver) {
        this.onWaitOver = onWaitOver;
    }

    void beginWait() {
        waiting = true;
    }

    /** Ends the wait, if there is one. The first callback may come from within the poll, before the poll has returned. */
    void endWait() {
        if (waiting) {
            waiting = false;
            onWaitOver.run();
        }
    }

    boolean isWaiting() {
        return waiting;
    }

    // A nested callback changes the mark too, to another odd number: otherwise, many short callbacks in one task would look like
    // one slow callback.

    void beginCallback() {
        endWait();
        MARK.setOpaque(this, mark + (depth++ == 0 ? 1 : 2));
    }

    void endCallback() {
        MARK.setOpaque(this, mark + (--depth == 0 ? 1 : 2));
    }

    /** Returns a number that is odd while a callback runs, and another one for each callback. */
    long mark() {
        return (long) MARK.getOpaque(this);
    }
}
