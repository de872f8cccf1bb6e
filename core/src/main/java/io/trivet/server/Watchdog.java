package io.trivet.server;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Names a handler that holds its loop for too long, with its stack: a thread of its own, since the loop cannot. It looks twice in the time
 * that a handler has, and names a callback that it has seen under way for so long, so it is late by up to a half, and never mistaken. It
 * sleeps while all loops wait, and a loop that leaves its wait wakes it, at most once in its period.
 */
final class Watchdog implements Runnable {
    private static final long PERIOD_NANOS_MIN = 1_000_000;
    private final List<EventLoop> loops;
    private final Log log;
    private final long limitNanos;
    private final Thread thread;
    /** By loop: the callback that was under way at the last look, when it was first seen, and the last that was named. */
    private final long[] seen;

    private final long[] sinceNanos;
    private final long[] named;
    private volatile boolean asleep;
    private volatile boolean stopped;

    Watchdog(List<EventLoop> loops, Log log, Duration limit) {
        this.loops = loops;
        this.log = log;
        limitNanos = Math.max(PERIOD_NANOS_MIN * 2, Limits.nanos(limit));
        seen = new long[loops.size()];
        sinceNanos = new long[loops.size()];
        named = new long[loops.size()];
        thread = Thread.ofPlatform().name("trivet-watchdog").daemon().unstarted(this);
    }

    void start() {
        thread.start();
    }

    void stop() {
        stopped = true;
        LockSupport.unpark(thread);
    }

    /** A loop has something to do. Costs a read while the watchdog is awake. */
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
                if (allWait() && !stopped) { // looked at again after saying so: whoever leaves his wait from now on wakes us
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
        for (EventLoop loop : loops) {
            look(loop);
        }
    }

    private boolean allWait() {
        for (EventLoop loop : loops) {
            if (!loop.isWaiting()) {
                return false;
            }
        }
        return true;
    }

    private void look(EventLoop loop) {
        long mark = loop.callbackMark();
        long now = loop.clockNanos();
        if (mark != seen[loop.index]) {
            seen[loop.index] = mark;
            sinceNanos[loop.index] = now;
        }
        long held = now - sinceNanos[loop.index];
        Thread looping = loop.thread();
        boolean isUnderWay = (mark & 1) != 0;
        if (!isUnderWay || looping == null || held < limitNanos || mark == named[loop.index]) {
            return;
        }
        StackTraceElement[] stack = looping.getStackTrace();
        if (loop.callbackMark() == mark) { // else it has returned, and the stack is another's
            named[loop.index] = mark;
            log.slowHandler(looping.getName(), Duration.ofNanos(held).toMillis(), stack);
        }
    }
}
