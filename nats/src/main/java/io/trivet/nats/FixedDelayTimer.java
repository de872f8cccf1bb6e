package io.trivet.nats;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The timer of the NATS client. A periodic task runs a full period after its last run, even if the process was stopped meanwhile. With a
 * fixed rate, the client would make up for the missed pings at once after such a stop, and close the connection before the first of them can
 * be answered. Its threads are daemons, and end when the timer is idle.
 */
final class FixedDelayTimer extends ScheduledThreadPoolExecutor {
    private static final int THREADS = 2;
    private static final Duration IDLE = Duration.ofSeconds(10);

    FixedDelayTimer() {
        super(THREADS, task -> {
            Thread thread = new Thread(task, "trivet-nats-timer");
            thread.setDaemon(true);
            return thread;
        });
        setRemoveOnCancelPolicy(true);
        setKeepAliveTime(IDLE.toNanos(), TimeUnit.NANOSECONDS);
        allowCoreThreadTimeOut(true);
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long initialDelay, long period, TimeUnit unit) {
        return scheduleWithFixedDelay(task, initialDelay, period, unit);
    }
}
