package io.trivet.junit;

import java.time.Duration;

/** Names a seed that has not ended after a minute, on standard error: a test that hangs would otherwise not say with which seed. */
final class SlowSeeds implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final String test;
    private final Thread watcher;
    private volatile long seed;
    private volatile long startNanos = System.nanoTime();

    SlowSeeds(String test) {
        this.test = test;
        watcher = Thread.ofVirtual().name("slow seeds").unstarted(this::watch);
        watcher.start();
    }

    /** Records that a run has started. */
    void start(long seed) {
        startNanos = System.nanoTime();
        this.seed = seed;
    }

    private void watch() {
        long named = System.nanoTime();
        while (true) {
            long started = startNanos;
            long left = PATIENCE.toNanos() - (System.nanoTime() - started);
            try {
                Thread.sleep(Duration.ofNanos(Math.max(left, PATIENCE.toNanos() / 10)));
            } catch (InterruptedException e) {
                return;
            }
            boolean isSlow = started == startNanos && System.nanoTime() - started >= PATIENCE.toNanos();
            if (isSlow && named != started) {
                named = started;
                System.err.println(test + ": seed " + seed + " has been running for " + PATIENCE.toSeconds() + " s");
            }
        }
    }

    @Override
    public void close() {
        watcher.interrupt();
    }
}
