package io.trivet.nats;

import io.trivet.server.ScheduledTask;
import io.trivet.server.Server;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** Schedules what a relay does later on its server's first loop. */
final class Timers {
    private final Server server;
    private final Runnable onRejected;

    /**
     * Creates timers.
     *
     * @param onRejected called whenever the loop does not accept a task, because the server is closed
     */
    Timers(Server server, Runnable onRejected) {
        this.server = server;
        this.onRejected = onRejected;
    }

    /**
     * Runs a task after some time. If the loop has too many timers, tries again in the next turn.
     *
     * @return the task; null if the loop has not accepted it
     */
    @Nullable
    ScheduledTask schedule(Duration delay, Runnable task) {
        try {
            return server.schedule(delay, task);
        } catch (RejectedExecutionException e) {
            retry(delay, task);
            return null;
        }
    }

    private void retry(Duration delay, Runnable task) {
        try {
            server.execute(() -> schedule(delay, task));
        } catch (RejectedExecutionException e) {
            onRejected.run();
        }
    }
}
