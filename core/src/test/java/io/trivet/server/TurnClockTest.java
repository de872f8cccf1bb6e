package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The time of a loop. */
final class TurnClockTest {
    private static final Duration STEP = Duration.ofMillis(5);

    private final SteppedClock time = new SteppedClock();
    private final TurnClock clock = new TurnClock(time);

    @Test
    void timeStandsStillWithinATurnOnceItIsRead() {
        clock.beginTurn();
        time.step(STEP);
        long now = clock.now();
        assertThat(now).as("read when it is first asked for").isEqualTo(time.nanoTime());
        time.step(STEP);
        assertThat(clock.now()).isEqualTo(now);
        assertThat(clock.nanoTime()).as("the network's time").isEqualTo(now + STEP.toNanos());
    }

    @Test
    void timeIsReadAgainAfterAWaitAndInTheNextTurn() {
        clock.beginTurn();
        long start = clock.now();
        time.step(STEP);
        clock.forget();
        assertThat(clock.now()).isEqualTo(start + STEP.toNanos());
        time.step(STEP);
        clock.endTurn();
        clock.beginTurn();
        assertThat(clock.now()).isEqualTo(start + 2 * STEP.toNanos());
    }

    @Test
    void timeBetweenTurnsIsReadEachTime() {
        clock.beginTurn();
        long start = clock.now();
        clock.endTurn();
        time.step(STEP);
        assertThat(clock.now()).isEqualTo(start + STEP.toNanos());
        time.step(STEP);
        assertThat(clock.now()).isEqualTo(start + 2 * STEP.toNanos());
    }

    @Test
    void elapsedTimeIsNeverNegative() {
        long start = time.nanoTime();
        time.step(Duration.ofSeconds(4)); // beyond the overflow
        assertThat(clock.sinceNanos(start)).isEqualTo(Duration.ofSeconds(4).toNanos());
        assertThat(clock.sinceNanos(time.nanoTime() + 1)).isZero();
    }
}
