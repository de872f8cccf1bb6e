package io.trivet.server;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The threads of a started server: one for each loop. Any thread. */
final class LoopThreads {
    private final LoopGroup loops;
    private final @Nullable Watchdog watchdog;
    private final CountDownLatch running;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /**
     * Creates the threads, and does not start them.
     *
     * @param loops the loops to turn
     * @param watchdog started and stopped with the threads; null: none
     */
    LoopThreads(LoopGroup loops, @Nullable Watchdog watchdog) {
        this.loops = loops;
        this.watchdog = watchdog;
        running = new CountDownLatch(loops.all().size());
    }

    void start() {
        if (watchdog != null) {
            watchdog.start();
        }
        for (EventLoop loop : loops.all()) {
            Thread.ofPlatform().name("trivet-loop-" + loop.index()).start(() -> turnUntilEnded(loop));
        }
    }

    private void turnUntilEnded(EventLoop loop) {
        try {
            while (!loop.hasEnded()) {
                loop.turn(-1);
                // A handler may leave its thread interrupted, and an interrupted thread cannot wait.
                Thread.interrupted();
            }
        } catch (Throwable t) { // an Error of a handler, or the kernel refuses to wait: the loop cannot continue
            failure.compareAndSet(null, t);
            loops.fail(loop, t);
        } finally {
            try {
                loop.shutDown();
            } finally { // whatever happens there, join must return
                running.countDown();
                if (watchdog != null && running.getCount() == 0) {
                    watchdog.stop();
                }
            }
        }
    }

    /** Waits until all loops have ended. */
    void join() throws InterruptedException {
        running.await();
    }

    /** Waits until all loops have ended. An interrupt does not end the wait; it is set again afterwards. */
    void joinUninterruptibly() {
        boolean interrupted = false;
        while (true) {
            try {
                running.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns why a loop could not continue, or null. */
    @Nullable
    Throwable failure() {
        return failure.get();
    }
}
