package io.trivet.server;

/**
 * A task that runs on a loop at a later time. {@link Connection#schedule} and {@link Server#schedule} return it.
 *
 * <p>If a task is cancelled or its connection is closed, the loop removes it at once, long before its time. So a deadline for
 * each request takes memory only while the request is open.
 *
 * <p>Any thread.
 */
public interface ScheduledTask {
    /**
     * Cancels the task, unless it has started.
     *
     * @return true if this call has cancelled the task, which then never runs. False if there is nothing to cancel: the task is
     *     running, has run or was cancelled before, or its connection or server is closed
     */
    boolean cancel();
}
