package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The measure itself must be able to tell a busy thread from an idle one. */
class CpuTimeTest {
    @Test
    void aBusyThreadIsSeen() throws Exception {
        long before = CpuTime.ofThisThreadNanos();
        long begun = System.nanoTime();
        while (CpuTime.ofThisThreadNanos() - before < 20_000_000) {
            assertThat(System.nanoTime() - begun).as("nanoseconds until 20 ms of work were counted").isLessThan(10_000_000_000L);
        }
    }
}
