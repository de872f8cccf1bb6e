package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** When a handler that holds its loop is logged. The watchdog's own thread is not started. */
final class WatchdogTest {
    private static final Duration LIMIT = Duration.ofMillis(100);

    private final SteppedClock time = new SteppedClock();
    private final Mailbox mailbox = new Mailbox(new RecordingProactor(), false);
    private final LoopActivity activity = new LoopActivity(() -> {});
    private final Watchdog watchdog = new Watchdog(new Log(time), time, LIMIT);

    WatchdogTest() {
        mailbox.claim();
        watchdog.watch(activity, mailbox);
    }

    private void lookAfter(Duration duration) {
        time.step(duration);
        watchdog.look();
    }

    @Test
    void callbackThatRunsForTheWholeLimitIsLoggedOnceWithItsStack() {
        try (LogLines log = new LogLines()) {
            activity.beginCallback();
            watchdog.look();
            lookAfter(LIMIT.minusNanos(1));
            assertThat(log.lines()).isEmpty();
            lookAfter(Duration.ofNanos(1));
            assertThat(log.lines("has held " + Thread.currentThread().getName() + " for 100 ms")).singleElement().asString()
                    .contains("WatchdogTest.callbackThatRuns");
            lookAfter(Duration.ofSeconds(10));
            assertThat(log.lines()).as("once").hasSize(1);
        }
    }

    @Test
    void manyShortCallbacksAreNotOneSlowCallback() {
        try (LogLines log = new LogLines()) {
            activity.beginCallback(); // a task of the server, which calls handlers
            for (int i = 0; i < 10; i++) {
                activity.beginCallback();
                lookAfter(LIMIT.dividedBy(2));
                activity.endCallback();
                lookAfter(LIMIT.dividedBy(2).minusNanos(1));
            }
            activity.endCallback();
            assertThat(log.lines()).isEmpty();
        }
    }

    @Test
    void loopWithoutARunningCallbackOrOwnerIsNotLogged() {
        try (LogLines log = new LogLines()) {
            watchdog.look();
            lookAfter(LIMIT.multipliedBy(2));
            LoopActivity other = new LoopActivity(() -> {});
            watchdog.watch(other, new Mailbox(new RecordingProactor(), false));
            other.beginCallback();
            watchdog.look();
            lookAfter(LIMIT.multipliedBy(2));
            assertThat(log.lines()).isEmpty();
        }
    }

    @Test
    void nextSlowCallbackIsLoggedAgain() {
        try (LogLines log = new LogLines()) {
            for (int i = 0; i < 2; i++) {
                activity.beginCallback();
                watchdog.look();
                lookAfter(Duration.ofSeconds(2)); // beyond the time in which the log is quiet
                activity.endCallback();
            }
            assertThat(log.lines("has held")).hasSize(2);
        }
    }
}
