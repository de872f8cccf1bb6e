package io.trivet.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The threads of a started server: one for each loop. Each thread first {@linkplain #prepare prepares} its loop, and waits. All of
 * them turn, or none does. Any thread.
 */
final class LoopThreads {
    private final LoopGroup loops;
    private final @Nullable Watchdog watchdog;
    /** Counts the loops that have been prepared, successfully or not. */
    private final CountDownLatch prepared;
    /** Opened when the threads are to turn, or to end. */
    private final CountDownLatch released = new CountDownLatch(1);
    private final CountDownLatch running;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean abandoned;

    /**
     * Creates the threads, and does not start them.
     *
     * @param loops the loops to turn
     * @param watchdog started and stopped with the threads; null: none
     */
    LoopThreads(LoopGroup loops, @Nullable Watchdog watchdog) {
        this.loops = loops;
        this.watchdog = watchdog;
        prepared = new CountDownLatch(loops.all().size());
        running = new CountDownLatch(loops.all().size());
    }

    /**
     * Starts the threads, and waits until each has prepared its loop. Then call {@link #start} or {@link #abandon}.
     *
     * @throws IOException a loop cannot be used, or a thread cannot be started
     */
    void prepare() throws IOException {
        for (EventLoop loop : loops.all()) {
            try {
                threads.add(Thread.ofPlatform().name("trivet-loop-" + loop.index()).start(() -> run(loop)));
            } catch (OutOfMemoryError e) { // the JVM's name for a refused thread: a limit of processes, or no memory
                failure.compareAndSet(null,
                        new IOException(
                                "no thread for loop " + loop.index() + " of " + loops.all().size() + ": " + e.getMessage(), e));
                prepared.countDown();
                running.countDown();
            }
        }
        awaitUninterruptibly(prepared);
        switch (failure.get()) {
            case null -> {
            }
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable t -> throw new AssertionError(t);
        }
    }

    /** Makes the loops turn. All of them are prepared. */
    void start() {
        if (watchdog != null) {
            watchdog.start();
        }
        released.countDown();
    }

    /** Ends the threads and their loops instead of {@link #start}. */
    void abandon() {
        abandoned = true;
        released.countDown();
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run(EventLoop loop) {
        boolean isPrepared = prepareLoop(loop);
        try {
            awaitUninterruptibly(released);
            if (isPrepared && !abandoned) {
                turnUntilEnded(loop);
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

    private boolean prepareLoop(EventLoop loop) {
        try {
            loop.prepare();
            return true;
        } catch (Throwable t) { // prepare() throws it
            failure.compareAndSet(null, t);
            return false;
        } finally {
            prepared.countDown();
        }
    }

    private static void turnUntilEnded(EventLoop loop) throws IOException {
        while (!loop.hasEnded()) {
            loop.turn(-1);
            // A handler may leave its thread interrupted, and an interrupted thread cannot wait.
            Thread.interrupted();
        }
    }

    /** Waits until all loops have ended. */
    void join() throws InterruptedException {
        running.await();
    }

    /** Waits until all loops have ended. An interrupt does not end the wait; it is set again afterwards. */
    void joinUninterruptibly() {
        awaitUninterruptibly(running);
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
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
