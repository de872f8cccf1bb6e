package io.trivet.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** How many expensive parts of handshakes a poll does. Each takes 1 ms of the test's clock. */
final class HandshakeTasksTest {
    private static final long MILLI = 1_000_000;

    private long now = Long.MAX_VALUE - MILLI; // only differences are meaningful
    private final HandshakeTasks tasks = new HandshakeTasks(() -> now);

    private void add(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            tasks.add(new TlsConnection(i, TestCertificates.server(TlsEngineKind.JDK).engine(new EngineBuffers())));
        }
    }

    /** Returns the number of parts after a turn that has taken this long. */
    private int poll(long turnMillis, boolean mayHaveWaited) {
        now += turnMillis * MILLI;
        tasks.begin(mayHaveWaited);
        while (tasks.next() != null) {
            now += MILLI;
        }
        return tasks.end();
    }

    @Test
    void onePartAfterAShortTurnOrAWait() throws IOException {
        add(10);
        assertThat(poll(1000, true)).as("after a wait").isEqualTo(1);
        assertThat(poll(0, false)).isEqualTo(1);
        assertThat(poll(1, false)).isEqualTo(1);
        assertThat(poll(2, false)).isEqualTo(1);
    }

    @Test
    void halfOfTheTimeOfTheRestOfALongTurn() throws IOException {
        add(200);
        assertThat(poll(0, true)).isEqualTo(1);
        assertThat(poll(10, false)).isEqualTo(5);
        assertThat(poll(40, false)).isEqualTo(20);
        assertThat(poll(5_000, false)).as("after a stall").isEqualTo(HandshakeTasks.PER_POLL_MAX);
        assertThat(poll(10, false)).isEqualTo(5);
    }

    @Test
    void onePartIfTheQueueWasEmptyBeforeHoweverLongAgoThatWas() throws IOException {
        add(200);
        assertThat(poll(5_000, false)).as("the first poll of all").isEqualTo(1);
        while (!tasks.isEmpty()) {
            poll(40, false);
        }
        add(200);
        assertThat(poll(3_600_000, false)).as("the first poll after hours without a handshake").isEqualTo(1);
        assertThat(poll(10, false)).isEqualTo(5);
    }

    @Test
    void closedConnectionsAreSkippedAndNothingIsDoneTwice() throws IOException {
        TlsConnection closed = new TlsConnection(1, TestCertificates.server(TlsEngineKind.JDK).engine(new EngineBuffers()));
        tasks.add(closed);
        add(1);
        closed.closed = true;
        assertThat(poll(0, true)).isEqualTo(1);
        assertThat(tasks.isEmpty()).isTrue();
        assertThat(poll(100, false)).isZero();
    }
}
