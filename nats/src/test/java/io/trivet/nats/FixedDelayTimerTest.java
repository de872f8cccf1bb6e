package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the timer does after a stop of the process. */
final class PatientTimerTest {
    private static final long PERIOD_NANOS = 20_000_000;
    private static final int MISSED = 5;

    @Test
    void missedRunsAreNotMadeUpForAtOnce() throws InterruptedException {
        BlockingQueue<Long> ended = new LinkedBlockingQueue<>();
        BlockingQueue<Long> started = new LinkedBlockingQueue<>();
        FixedDelayTimer timer = new FixedDelayTimer();
        Future<?> runs = timer.scheduleAtFixedRate(() -> {
            long start = System.nanoTime();
            if (started.isEmpty()) { // the first run takes several periods, like a process that is stopped
                while (System.nanoTime() - start < MISSED * PERIOD_NANOS) {
                    Thread.onSpinWait();
                }
            }
            started.add(start);
            ended.add(System.nanoTime());
        }, 0, PERIOD_NANOS, TimeUnit.NANOSECONDS);
        started.take();
        for (int i = 0; i < MISSED - 1; i++) {
            assertThat(started.take() - ended.take()).isGreaterThanOrEqualTo(PERIOD_NANOS);
        }
        assertThat(runs).isNotDone();
        timer.shutdownNow();
    }
}
