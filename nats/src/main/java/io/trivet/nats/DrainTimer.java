package io.trivet.nats;

import io.trivet.server.ScheduledTask;
import io.trivet.server.Server;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Ends a drain whose timeout has passed. While the bus is away, it allows only the time that a connector needs to notice that the bus is back,
 * so that a bus that is down does not delay the end of the process. Loop thread only.
 */
final class DrainTimer {
    /** Longer timeouts count as this one, so that no sum of times overflows. */
    private static final Duration TIMEOUT_MAX = Duration.ofDays(365);

    private final Server server;
    private final Timers timers;
    private final long awayNanosMax;
    private final Runnable onOver;
    private @Nullable ScheduledTask task;
    private boolean isStarted;
    private boolean isAway;
    private long endNanos;

    DrainTimer(Server server, Timers timers, Duration awayMax, Runnable onOver) {
        this.server = server;
        this.timers = timers;
        awayNanosMax = awayMax.toNanos();
        this.onOver = onOver;
    }

    void start(Duration timeout, boolean isAwayNow) {
        Duration limited = timeout.compareTo(TIMEOUT_MAX) < 0 ? timeout : TIMEOUT_MAX;
        isStarted = true;
        endNanos = now() + Math.max(0, limited.toNanos());
        isAway = isAwayNow;
        schedule();
    }

    /** Called when the bus is away or back, and after each failed attempt to connect. */
    void away(boolean isAwayNow) {
        if (isStarted && isAway != isAwayNow) {
            isAway = isAwayNow;
            schedule();
        }
    }

    private void schedule() {
        cancel();
        long left = endNanos - now();
        task = timers.schedule(Duration.ofNanos(isAway ? Math.min(left, awayNanosMax) : left), onOver);
    }

    void cancel() {
        if (task != null) {
            task.cancel();
        }
    }

    private long now() {
        return server.network().clock().nanoTime();
    }
}
