package io.trivet.server;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Names a handler that holds its loop for too long, with its stack: a thread of its own, since the loop cannot. It sleeps while all loops
 * wait, and a loop that leaves its wait wakes it, at most once in its period.
 */
final class Watchdog implements Runnable {
    private final List<EventLoop> loops;
    private final Log log;
    private final long limitNanos;
    private final Thread thread;
    private volatile boolean asleep;
    private volatile boolean stopped;

    Watchdog(List<EventLoop> loops, Log log, Duration limit) {
        this.loops = loops;
        this.log = log;
        limitNanos = Limits.nanos(limit);
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
        long[] named = new long[loops.size()];
        while (!stopped) {
            if (allWait()) {
                asleep = true;
                if (allWait() && !stopped) { // looked at again after saying so: whoever leaves his wait from now on wakes us
                    LockSupport.park(this);
                }
                asleep = false;
            }
            LockSupport.parkNanos(this, limitNanos / 2);
            for (EventLoop loop : loops) {
                look(loop, named);
            }
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

    private void look(EventLoop loop, long[] named) {
        long since = loop.callbackSinceNanos();
        Thread looping = loop.thread();
        long held = loop.clockNanos() - since;
        if (since == 0 || looping == null || held < limitNanos || since == named[loop.index]) {
            return;
        }
        StackTraceElement[] stack = looping.getStackTrace();
        if (loop.callbackSinceNanos() == since) { // else it has returned, and the stack is another's
            named[loop.index] = since;
            log.slowHandler(looping.getName(), Duration.ofNanos(held).toMillis(), stack);
        }
    }
}
