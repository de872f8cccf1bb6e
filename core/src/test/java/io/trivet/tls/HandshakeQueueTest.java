package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** How many steps of handshakes a poll does. Each takes 1 ms of the test's clock. */
final class HandshakeQueueTest {
    private static final long MILLI = 1_000_000;

    private long now = Long.MAX_VALUE - MILLI; // only differences are meaningful
    private final TlsServer server = TestCertificates.server(TlsEngineKind.JDK);
    private final HandshakeQueue queue = new HandshakeQueue(() -> now);

    private TlsConnection add(int count) throws IOException {
        TlsConnection connection = null;
        for (int i = 0; i < count; i++) {
            connection = new TlsConnection(i, server.engine(new EngineBuffers()), true);
            queue.add(connection);
        }
        return connection;
    }

    /** Returns the number of steps after other work that has taken this long. */
    private int poll(long otherMillis, boolean isIdle) {
        now += otherMillis * MILLI;
        queue.begin(isIdle);
        while (queue.next() != null) {
            now += MILLI;
        }
        return queue.done();
    }

    private int steps(int polls, long otherMillis) {
        int steps = 0;
        for (int i = 0; i < polls; i++) {
            steps += poll(otherMillis, false);
        }
        return steps;
    }

    @Test
    void aQuarterOfTheTimeBesideOtherWorkHoweverItIsDivided() throws IOException {
        add(1_000);
        assertThat(steps(20, 15)).as("300 ms of other work").isBetween(100, 101);
        assertThat(steps(300, 1)).as("300 ms of other work in short turns").isBetween(99, 101);
    }

    @Test
    void allTheTimeIfThereIsNoOtherWork() throws IOException {
        add(30);
        for (int i = 0; i < 10; i++) {
            assertThat(poll(0, true)).isEqualTo(1);
        }
        assertThat(steps(1, 3)).as("what was done for free is not owed later").isPositive();
    }

    @Test
    void aLongTimeWithoutHandshakesIsNotSavedUp() throws IOException {
        add(1_000);
        int longest = (int) (HandshakeQueue.SAVED_NANOS_MAX / MILLI) + 1;
        assertThat(poll(3_600_000, false)).isEqualTo(longest);
        assertThat(poll(5_000, false)).as("after a stall").isBetween(longest - 1, longest);
    }

    @Test
    void aPauseDuringAStepDoesNotStopHandshakesForLong() throws IOException {
        add(1_000);
        queue.begin(false);
        assertThat(queue.next()).isNotNull();
        now += 2_000 * MILLI; // of the garbage collector, or of a handler's onOpen
        assertThat(queue.next()).isNull();
        assertThat(steps(4, 10)).as("40 ms later").isPositive();
    }

    @Test
    void aStandingClockDoesNotDelayOtherWorkForever() throws IOException {
        add(1_000);
        queue.begin(false);
        int steps = 0;
        while (queue.next() != null) {
            steps++;
        }
        assertThat(steps).isEqualTo(HandshakeQueue.PER_POLL_MAX);
    }

    @Test
    void aCallerThatPollsAllTheTimeDoesNotStopHandshakes() throws IOException {
        HandshakeQueue ticking = new HandshakeQueue(() -> now += 30); // as long as a call of System.nanoTime() takes
        ticking.add(add(1));
        ticking.add(add(1));
        ticking.begin(false);
        assertThat(ticking.next()).isNotNull();
        now += 20 * MILLI;
        assertThat(ticking.next()).isNull();
        long owedSince = now;
        do {
            ticking.begin(false);
        } while (ticking.next() == null && now - owedSince < 100 * MILLI);
        assertThat(now - owedSince).as("time until the next step").isLessThan(100 * MILLI);
    }

    @Test
    void closedConnectionsAreSkippedAndNothingIsDoneTwice() throws IOException {
        TlsConnection closed = add(1);
        add(1);
        closed.closed = true;
        assertThat(poll(0, true)).isEqualTo(1);
        assertThat(queue.isEmpty()).isTrue();
        assertThat(poll(100, true)).isZero();
    }

    @Test
    void theTimeInTheQueueIsCountedAndOnlyThat() throws IOException {
        add(1);
        TlsConnection second = add(1);
        now += 5 * MILLI;
        assertThat(queue.waitedNanos(second)).as("while it waits").isEqualTo(5 * MILLI);
        assertThat(poll(1, true)).isEqualTo(1);
        assertThat(poll(0, true)).isEqualTo(1);
        assertThat(second.isQueued).isFalse();
        assertThat(queue.waitedNanos(second)).as("behind the first").isEqualTo(7 * MILLI);
        now += 100 * MILLI;
        assertThat(queue.waitedNanos(second)).as("while the peer computes").isEqualTo(7 * MILLI);
        queue.add(second);
        now += MILLI;
        assertThat(queue.waitedNanos(second)).as("again").isEqualTo(8 * MILLI);
    }
}
