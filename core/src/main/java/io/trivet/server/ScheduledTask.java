package io.trivet.server;

/**
 * A task that runs on a loop at a later time: what {@link Connection#schedule} and {@link Server#schedule} return.
 *
 * <p>A cancelled task holds nothing, and neither does one whose connection is closed: the loop forgets it at once, however far
 * its time is. So a deadline for each request costs no memory beyond the requests that are open.
 *
 * <p>Any thread.
 */
public interface ScheduledTask {
    /**
     * Cancels the task, unless it has started.
     *
     * @return true if this call has cancelled the task: it never runs. False if there is nothing to cancel: the task is running
     *     or has run, was cancelled before, or its connection or server is closed
     */
    boolean cancel();
}
