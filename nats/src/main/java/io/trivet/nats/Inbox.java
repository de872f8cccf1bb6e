package io.trivet.nats;

import io.trivet.server.SendResult;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Hands over work from any thread to the loop of a relay, in order. What holds messages is bounded in bytes; other work is as
 * much as the application does. One task of the loop runs many of them.
 */
final class Inbox {
    /** How much is run before the loop may turn to its connections. */
    private static final int RUNS_MAX = 1000;
    private static final long STEP_BYTES_MAX = 16 * 1024;

    /** A part of the inbox with its own limit. */
    static final class Share {
        private final long bytesMax;
        /** How much is released at once, because other threads use the number for each message. */
        private final long step;
        private final AtomicLong bytes = new AtomicLong();

        Share(long bytesMax) {
            this.bytesMax = bytesMax;
            step = Math.min(STEP_BYTES_MAX, bytesMax / 64);
        }

        long bytes() {
            return bytes.get();
        }

        private boolean reserve(int count) {
            if (bytes.addAndGet(count) > bytesMax) {
                bytes.addAndGet(-count);
                return false;
            }
            return true;
        }

        private void release(long count) {
            bytes.addAndGet(-count);
        }
    }

    private record Item(Runnable work, Share share, int bytes) {}

    private final Executor loop;
    private final Runnable afterRuns;
    private final Runnable onRejected;
    private final Queue<Item> items = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean isScheduled = new AtomicBoolean();
    private final Share free = new Share(Long.MAX_VALUE);
    private volatile boolean isClosed;

    /**
     * Creates an inbox.
     *
     * @param loop runs a task on the loop
     * @param afterRuns runs after each part of the work
     * @param onRejected runs once if the loop accepts no task any more
     */
    Inbox(Executor loop, Runnable afterRuns, Runnable onRejected) {
        this.loop = loop;
        this.afterRuns = afterRuns;
        this.onRejected = onRejected;
    }

    /** Accepts work that holds no message. Ignored once closed. */
    void put(Runnable work) {
        put(work, free, 0);
    }

    /** Accepts work that holds a message, if its share has room for it. */
    SendResult put(Runnable work, Share share, int bytes) {
        if (isClosed) {
            return SendResult.CLOSED;
        }
        if (!share.reserve(bytes)) {
            return SendResult.FULL;
        }
        items.add(new Item(work, share, bytes));
        schedule();
        return isClosed ? SendResult.CLOSED : SendResult.QUEUED;
    }

    private void schedule() {
        if (!isScheduled.compareAndSet(false, true)) {
            return;
        }
        try {
            loop.execute(this::run);
        } catch (RejectedExecutionException e) {
            isClosed = true;
            onRejected.run();
        }
    }

    private void run() {
        isScheduled.set(false); // before the first poll: what is added from now on is found, or scheduled again
        try {
            runItems();
            afterRuns.run();
        } finally {
            if (!items.isEmpty()) {
                schedule();
            }
        }
    }

    private void runItems() {
        Share share = free;
        long done = 0;
        try {
            for (int i = 0; i < RUNS_MAX; i++) {
                Item item = items.poll();
                if (item == null) {
                    return;
                }
                if (item.share != share || done >= share.step) {
                    share.release(done);
                    share = item.share;
                    done = 0;
                }
                done += item.bytes;
                item.work.run();
            }
        } finally {
            share.release(done);
        }
    }

    void close() {
        isClosed = true;
    }
}
