package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The lag of a server by its heartbeats. The sender has started at 1,000,000 ms by this server's clock. Times are in milliseconds. */
final class LagTest {
    private static final long STARTED = 1_000_000;

    private final Lag lag = new Lag();

    /** A heartbeat that was sent at a time after the start, and took a while. Returns the lag. */
    private long heartbeat(long sent, long took) {
        lag.heartbeat(Duration.ofMillis(sent).toNanos(), Duration.ofMillis(STARTED + sent + took).toNanos());
        return Duration.ofNanos(lag.nanos()).toMillis();
    }

    @Test
    void theFastestHeartbeatIsTheMeasure() {
        assertThat(lag.nanos()).isZero();
        assertThat(heartbeat(1000, 30)).as("nothing is known to compare it with").isZero();
        assertThat(heartbeat(2000, 10)).as("faster").isZero();
        assertThat(heartbeat(3000, 30)).isEqualTo(19); // and a bit: clocks may differ in speed
        assertThat(heartbeat(4000, 3010)).isEqualTo(2999);
        assertThat(heartbeat(8000, 10)).isZero();
    }

    @Test
    void aClockThatIsSlowOrFastIsFollowed() {
        for (long second = 1; second < 100_000; second += 10) {
            assertThat(heartbeat(second * 1000, 10 + second / 20)).as("slower by 50 ppm, after %s s", second).isLessThan(2);
        }
        assertThat(heartbeat(100_000_000, 5010 + 500)).isBetween(498L, 500L);
        for (long second = 100_001; second < 200_000; second += 10) {
            assertThat(heartbeat(second * 1000, 5010 - second / 100)).as("faster by 10 ppm, after %s s", second).isLessThan(2);
        }
    }

    @Test
    void aDelayThatLastsIsSeenForHours() {
        heartbeat(0, 10);
        for (long second = 1; second < 3600; second++) {
            assertThat(heartbeat(second * 1000, 2010)).as("less 0.36 s an hour").isGreaterThan(1600);
        }
    }

    @Test
    void aSenderThatLiesDoesNoHarm() {
        for (long uptime : new long[]{Long.MIN_VALUE, -1, Long.MAX_VALUE, 0, Long.MIN_VALUE, Long.MAX_VALUE}) {
            lag.heartbeat(uptime, 1000);
            assertThat(lag.nanos()).isNotNegative();
        }
    }
}
