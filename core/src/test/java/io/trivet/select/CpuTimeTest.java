package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The measurement must distinguish a busy thread from an idle one. */
class CpuTimeTest {
    @Test
    void busyThreadIsMeasured() throws Exception {
        long before = CpuTime.currentThreadNanos();
        long start = System.nanoTime();
        while (CpuTime.currentThreadNanos() - before < 20_000_000) {
            assertThat(System.nanoTime() - start).as("nanoseconds until 20 ms of processor time were measured")
                    .isLessThan(10_000_000_000L);
        }
    }
}
