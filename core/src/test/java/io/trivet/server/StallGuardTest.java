package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** For how long overdue peers are spared. */
final class StallGuardTest {
    /** With one connection: 32 completions for it, and 32 for one that is accepted. */
    private static final int SEEN_MAX = 64;

    private final LoopParts parts = new LoopParts();
    private final StallGuard guard = new StallGuard(parts.proactor, parts.clock, parts.table);

    private boolean isOver(long deadlineNanos, int completions) {
        guard.beforePoll(deadlineNanos);
        guard.afterPoll(completions);
        return guard.isOver(deadlineNanos);
    }

    @Test
    void overduePeersAreSparedUntilAllThatArrivedWasSeen() {
        parts.open();
        long deadline = parts.clock.now();
        parts.time.step(Duration.ofSeconds(1));
        parts.proactor.behind = true;
        assertThat(isOver(deadline, SEEN_MAX - 1)).isFalse();
        parts.proactor.behind = false;
        assertThat(isOver(deadline, 1)).isTrue();
    }

    @Test
    void overduePeersAreNotSparedForEver() {
        parts.open();
        long deadline = parts.clock.now();
        parts.time.step(Duration.ofSeconds(1));
        parts.proactor.behind = true;
        assertThat(isOver(deadline, SEEN_MAX - 1)).isFalse();
        assertThat(isOver(deadline, 1)).isFalse();
        assertThat(isOver(deadline, 1)).isTrue();
    }

    @Test
    void nextOverduePeersAreSparedAsLongAsTheFirst() {
        parts.open();
        long deadline = parts.clock.now();
        parts.time.step(Duration.ofSeconds(1));
        parts.proactor.behind = true;
        assertThat(isOver(deadline, SEEN_MAX)).isFalse();
        assertThat(isOver(deadline, 1)).isTrue();
        assertThat(isOver(deadline, SEEN_MAX)).isFalse();
        assertThat(isOver(deadline, 1)).isTrue();
    }

    /** What has arrived during the wait may not have been received yet. */
    @Test
    void deadlinesAreComparedWithTheStartOfThePoll() {
        parts.open();
        long deadline = parts.clock.now() + 1;
        guard.beforePoll(deadline);
        long started = guard.judgeByNanos();
        parts.time.step(Duration.ofSeconds(1));
        guard.afterPoll(1);
        assertThat(guard.judgeByNanos()).isEqualTo(started);
        assertThat(guard.isOver(deadline)).isFalse();
    }

    @Test
    void eachStallIsSparedAnew() {
        parts.open();
        long first = parts.clock.now();
        long second = first + Duration.ofSeconds(10).toNanos();
        parts.time.step(Duration.ofSeconds(1));
        parts.proactor.behind = true;
        assertThat(isOver(first, SEEN_MAX - 1)).isFalse();
        assertThat(isOver(second, 1)).as("the only overdue peer has closed its connection").isFalse();
        parts.time.step(Duration.ofSeconds(60));
        assertThat(isOver(second, SEEN_MAX - 1)).isFalse();
        assertThat(isOver(second, 1)).isFalse();
    }
}
