package io.trivet.server;

import io.trivet.net.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Logs a handler that holds its loop for too long, with its stack. It has a thread of its own, since the loop cannot do it. The
 * watchdog looks twice within the time that a handler has, and logs a callback that it has seen running for that long. So it may
 * log late, by up to half of that time, but never logs a callback that took less. It sleeps while all loops wait; a loop that
 * ends its wait wakes it.
 */
final class Watchdog implements Runnable {
    private static final long LIMIT_NANOS_MIN = 2_000_000;

    private final Log log;
    private final Clock clock;
    private final long limitNanos;
    private final List<Watched> loops = new ArrayList<>();
    private final Thread thread;
    private volatile boolean asleep;
    private volatile boolean stopped;

    /** A loop, and what was seen of it. */
    private static final class Watched {
        final LoopActivity activity;
        final Mailbox mailbox;
        /** The callback that was running at the last look, and when it was first seen. */
        long seenMark;
        long seenNanos;
        /** The last callback that was logged. */
        long loggedMark;

        Watched(LoopActivity activity, Mailbox mailbox) {
            this.activity = activity;
            this.mailbox = mailbox;
        }
    }

    /**
     * Creates a watchdog that watches nothing.
     *
     * @param limit the time that a handler has
     */
    Watchdog(Log log, Clock clock, Duration limit) {
        this.log = log;
        this.clock = clock;
        limitNanos = Math.max(LIMIT_NANOS_MIN, Limits.nanos(limit));
        thread = Thread.ofPlatform().name("trivet-watchdog").daemon().unstarted(this);
    }

    /** Adds a loop. Before {@link #start}. */
    void watch(LoopActivity activity, Mailbox mailbox) {
        loops.add(new Watched(activity, mailbox));
    }

    void start() {
        thread.start();
    }

    void stop() {
        stopped = true;
        LockSupport.unpark(thread);
    }

    /** Wakes the watchdog: a loop has ended its wait. Costs one read while the watchdog is awake. Any thread. */
    void wake() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void run() {
        while (!stopped) {
            if (allWait()) {
                asleep = true;
                if (allWait() && !stopped) { // checked again: from here on, each loop that ends its wait wakes us
                    LockSupport.park(this);
                }
                asleep = false;
            }
            LockSupport.parkNanos(this, limitNanos / 2);
            look();
        }
    }

    /** Looks at each loop once. */
    void look() {
        for (Watched loop : loops) {
            look(loop);
        }
    }

    private boolean allWait() {
        for (Watched loop : loops) {
            if (!loop.activity.isWaiting()) {
                return false;
            }
        }
        return true;
    }

    private void look(Watched loop) {
        long mark = loop.activity.mark();
        long now = clock.nanoTime();
        if (mark != loop.seenMark) {
            loop.seenMark = mark;
            loop.seenNanos = now;
        }
        long held = now - loop.seenNanos;
        Thread owner = loop.mailbox.owner();
        boolean isRunning = (mark & 1) != 0;
        if (!isRunning || owner == null || held < limitNanos || mark == loop.loggedMark) {
            return;
        }
        StackTraceElement[] stack = owner.getStackTrace();
        if (loop.activity.mark() == mark) { // otherwise it has returned, and the stack belongs to another callback
            loop.loggedMark = mark;
            FlightEvents.slowHandler(owner.getName(), held, stack);
            log.slowHandler(owner.getName(), Duration.ofNanos(held).toMillis(), stack);
        }
    }
}
