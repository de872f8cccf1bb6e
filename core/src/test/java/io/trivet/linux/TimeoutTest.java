package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimeoutTest {
    private static final long DAY_NANOS = 86_400_000_000_000L;

    private final Timeout timeout = new Timeout();

    @ParameterizedTest
    @CsvSource({
        "1, 0, 1",
        "999999999, 0, 999999999",
        "1000000000, 1, 0",
        "3000000007, 3, 7",
        "9223372036854775807, 9223372036, 854775807"})
    void timespecContainsEveryNanosecond(long nanos, long seconds, long rest) {
        timeout.start(nanos);
        assertThat(timespec()).containsExactly(seconds, rest);
        assertThat(timeout.isExpired()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "999999, 1", "1000000, 1", "1000001, 2", "1999999, 2", "2000000, 2", "3000000000, 3000"})
    void millisecondsAreRoundedUp(long nanos, int millis) {
        timeout.start(nanos);
        assertThat(timeout.millis()).isEqualTo(millis);
    }

    @ParameterizedTest
    @ValueSource(longs = {25 * DAY_NANOS, 100_000 * DAY_NANOS, Long.MAX_VALUE - 1, Long.MAX_VALUE})
    void hugeTimeoutBecomesTheMaximumNumberOfMilliseconds(long nanos) {
        timeout.start(nanos);
        assertThat(timeout.millis()).isEqualTo(Integer.MAX_VALUE);
        timeout.update();
        assertThat(timeout.isExpired()).isFalse();
        assertThat(timeout.millis()).isEqualTo(Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, -1_000_000, Long.MIN_VALUE})
    void negativeHasNoLimit(long nanos) {
        timeout.start(nanos);
        timeout.update();
        assertThat(timeout.timespec()).isZero();
        assertThat(timeout.millis()).isEqualTo(-1);
        assertThat(timeout.isExpired()).isFalse();
    }

    @Test
    void zeroIsExpiredFromTheStart() {
        timeout.start(0);
        assertThat(timeout.isExpired()).isTrue();
        assertThat(timeout.millis()).isZero();
        assertThat(timespec()).containsExactly(0, 0);
        timeout.update();
        assertThat(timeout.isExpired()).isTrue();
    }

    @Test
    void remainingTimeShrinksWithTheClockAndStopsAtZero() {
        long start = System.nanoTime();
        timeout.start(5_000_000);
        long before = 5_000_000;
        while (!timeout.isExpired()) {
            timeout.update();
            long[] left = timespec();
            assertThat(left[0]).isZero();
            assertThat(left[1]).isBetween(0L, before);
            before = left[1];
        }
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(5_000_000);
        assertThat(timeout.millis()).isZero();
    }

    @Test
    void objectCanBeReusedForManyWaits() {
        timeout.start(0);
        timeout.start(-1);
        assertThat(timeout.isExpired()).isFalse();
        timeout.start(1_500_000);
        assertThat(timespec()).containsExactly(0, 1_500_000);
    }

    @SuppressWarnings("restricted") // the structure is accessed by its address, as by the kernel
    private long[] timespec() {
        MemorySegment memory = MemorySegment.ofAddress(timeout.timespec()).reinterpret(Timeout.TIMESPEC_SIZE);
        return new long[]{memory.get(ValueLayout.JAVA_LONG, 0), memory.get(ValueLayout.JAVA_LONG, Timeout.TV_NSEC)};
    }
}
