package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Loop;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Deadlines, and which of them starts when. */
final class ConnectionDeadlinesTest {
    private static final Duration FIRST_MESSAGE = Duration.ofSeconds(1);
    private static final Duration MESSAGE = Duration.ofSeconds(2);
    private static final Duration WRITE = Duration.ofSeconds(4);
    private static final Duration IDLE = Duration.ofSeconds(8);
    private static final Limits LIMITS = Limits.defaults().withFirstMessageTimeout(FIRST_MESSAGE).withMessageTimeout(MESSAGE)
            .withWriteTimeout(WRITE).withIdleTimeout(IDLE);
    private static final Limits NONE = LIMITS.withFirstMessageTimeout(Duration.ZERO).withMessageTimeout(Duration.ZERO)
            .withWriteTimeout(Duration.ZERO).withIdleTimeout(Duration.ZERO);

    private final SteppedClock time = new SteppedClock();
    private final ConnectionDeadlines deadlines = new ConnectionDeadlines(new TurnClock(time));
    private final TestRecord connection = new TestRecord(true, profile(LIMITS));

    private static Profile profile(Limits limits) {
        return new Profile(Framing.lines(), limits, Overflow.PAUSE_READING, false);
    }

    ConnectionDeadlinesTest() {
        connection.handle = 7;
    }

    @Test
    void earlierDeadlineIsFoundAlsoAcrossTheOverflowOfTheClock() {
        long before = Long.MAX_VALUE - 1;
        long after = Long.MIN_VALUE + 1;
        assertThat(Deadline.earlier(before, after)).isEqualTo(before);
        assertThat(Deadline.earlier(after, before)).isEqualTo(before);
        assertThat(Deadline.earlier(Loop.NO_DEADLINE, after)).isEqualTo(after);
        assertThat(Deadline.earlier(after, Loop.NO_DEADLINE)).isEqualTo(after);
        assertThat(Deadline.earlier(Loop.NO_DEADLINE, Loop.NO_DEADLINE)).isEqualTo(Loop.NO_DEADLINE);
        assertThat(Deadline.isOver(before, after)).isTrue();
        assertThat(Deadline.isOver(after, before)).isFalse();
        assertThat(Deadline.isOver(after, after)).as("at that very time").isTrue();
        assertThat(Deadline.isOver(Loop.NO_DEADLINE, after)).isFalse();
    }

    @Test
    void eachDeadlineIsCountedFromItsOwnBeginning() {
        long now = time.nanoTime();
        deadlines.startIdle(connection);
        assertThat(deadlines.queue().next()).isEqualTo(now + IDLE.toNanos());
        assertThat(deadlines.queue().nextSlot()).isEqualTo(7);
        deadlines.startWrite(connection, now - 10);
        assertThat(deadlines.queue().next()).isEqualTo(now - 10 + WRITE.toNanos());
        deadlines.startMessage(connection, now - 20);
        assertThat(deadlines.queue().next()).isEqualTo(now - 20 + MESSAGE.toNanos());
        deadlines.startFirstMessage(connection);
        assertThat(deadlines.queue().next()).isEqualTo(now + FIRST_MESSAGE.toNanos());
        assertThat(connection.stateDeadlineNanos()).isEqualTo(now + FIRST_MESSAGE.toNanos());
        deadlines.startIdle(connection);
        assertThat(deadlines.queue().next()).as("a later deadline does not replace an earlier one")
                .isEqualTo(now + FIRST_MESSAGE.toNanos());
        deadlines.remove(connection);
        assertThat(deadlines.queue().next()).isEqualTo(Loop.NO_DEADLINE);
    }

    @Test
    void handshakeGetsNoMoreTimeThanItHad() {
        long now = time.nanoTime();
        deadlines.stateEndsIn(connection, Duration.ofSeconds(3));
        deadlines.handshakeEndsWithin(connection, Duration.ofSeconds(5), 0);
        assertThat(connection.stateDeadlineNanos()).isEqualTo(now + Duration.ofSeconds(3).toNanos());
        deadlines.handshakeEndsWithin(connection, Duration.ofSeconds(2), 0);
        assertThat(connection.stateDeadlineNanos()).isEqualTo(now + Duration.ofSeconds(2).toNanos());
    }

    @Test
    void firstMessageIsExpectedOnlyOfAcceptedConnectionsThatHaveSentNone() {
        TestRecord outgoing = new TestRecord(false, profile(LIMITS));
        outgoing.handle = 8;
        deadlines.startFirstMessage(outgoing);
        connection.set(ConnectionRecord.RECEIVED_MESSAGE);
        deadlines.startFirstMessage(connection);
        assertThat(outgoing.stateDeadlineNanos()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(connection.stateDeadlineNanos()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(deadlines.queue().next()).isEqualTo(Loop.NO_DEADLINE);
    }

    @Test
    void timeoutOfZeroSetsNoDeadlineAndClearsThatOfTheState() {
        connection.profile = profile(NONE);
        connection.stateDeadlineNanos(5);
        deadlines.startIdle(connection);
        deadlines.startWrite(connection, time.nanoTime());
        deadlines.startMessage(connection, time.nanoTime());
        deadlines.startFirstMessage(connection);
        assertThat(deadlines.queue().next()).isEqualTo(Loop.NO_DEADLINE);
        assertThat(connection.stateDeadlineNanos()).isEqualTo(Loop.NO_DEADLINE);
    }

    @Test
    void deadlineIsNeverTheNumberForNone() {
        assertThat(Deadline.after(Loop.NO_DEADLINE - 5, 5)).isEqualTo(Loop.NO_DEADLINE - 1);
        assertThat(Deadline.after(Loop.NO_DEADLINE, 0)).isEqualTo(Loop.NO_DEADLINE - 1);
        assertThat(Deadline.after(Loop.NO_DEADLINE, 1)).isEqualTo(Long.MIN_VALUE);
        assertThat(Deadline.after(5, 6)).isEqualTo(11);
        long base = Loop.NO_DEADLINE - WRITE.toNanos();
        deadlines.startWrite(connection, base);
        assertThat(deadlines.queue().next()).isEqualTo(Loop.NO_DEADLINE - 1);
        deadlines.remove(connection);
        deadlines.startWrite(connection, Loop.NO_DEADLINE);
        assertThat(deadlines.queue().next()).as("progress at that time").isEqualTo(Loop.NO_DEADLINE + WRITE.toNanos());
    }

    @Test
    void connectionWithoutASlotGetsAStateDeadlineButNoPlaceInTheQueue() {
        connection.handle = -1;
        deadlines.stateEndsIn(connection, FIRST_MESSAGE);
        assertThat(connection.stateDeadlineNanos()).isEqualTo(time.nanoTime() + FIRST_MESSAGE.toNanos());
        assertThat(deadlines.queue().next()).isEqualTo(Loop.NO_DEADLINE);
    }
}
