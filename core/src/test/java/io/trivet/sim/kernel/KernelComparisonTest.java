package io.trivet.sim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.net.Network;
import io.trivet.net.UnavailableException;
import io.trivet.sim.KernelAccounting;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares the simulated network with the kernel: the same random script yields the same results, errors and ready sets on both, step by
 * step. Runs a fixed set of scripts and some with fresh seeds. {@code build/kernel-scripts} runs many more, without a test framework.
 */
@Timeout(600)
final class KernelComparisonTest {
    private static final int FIXED_SCRIPTS = 100;
    private static final int FRESH_SCRIPTS = 20;
    /** A corrupted record must be detected within this many scripts that fill buffers. */
    private static final int FILLING_SCRIPTS_MAX = 400;
    /** Few: one of several thousand may still differ, where stopReceiving or close meets operations in flight in a way not yet known. */
    private static final int FRESH_RING_SCRIPTS = 4;

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "poll", "select", "nio"})
    void simulationMatchesKernel(String engine) throws IOException {
        assumeAvailable(engine);
        ReadinessStatistics statistics = new ReadinessStatistics();
        Comparison comparison = new Comparison(new RealEngine(engine), statistics);
        compare(comparison, 1, FIXED_SCRIPTS);
        long fresh = System.nanoTime() >>> 1;
        compare(comparison, fresh, fresh + FRESH_SCRIPTS - 1);
        System.out.println(
                engine + ", including fresh scripts " + fresh + ".." + (fresh + FRESH_SCRIPTS - 1) + ": " + statistics.summary());
    }

    /** Corruptions of the kernel's records. Each must be detected; otherwise the comparison would not depend on the records. */
    enum CorruptedRecord {
        SEND_BUFFER_TWICE_AS_LARGE {
            @Override
            KernelAccounting.Accounts corrupt(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), 2 * right.sendBytes(), right.acknowledged(),
                        right.notSent(),
                        right.receiveTaken(), right.receiveBytes(), right.window(), right.segmentBytes());
            }
        },
        SEND_BUFFER_HALF_AS_LARGE {
            @Override
            KernelAccounting.Accounts corrupt(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), right.sendBytes() / 2, right.acknowledged(),
                        right.notSent(),
                        right.receiveTaken(), right.receiveBytes(), right.window(), right.segmentBytes());
            }
        },
        NOTHING_IS_UNSENT {
            @Override
            KernelAccounting.Accounts corrupt(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), right.sendBytes(), right.acknowledged(), 0,
                        right.receiveTaken(),
                        right.receiveBytes(), right.window(), right.segmentBytes());
            }
        },
        RECEIVE_BUFFER_NEVER_NEARLY_FULL {
            @Override
            KernelAccounting.Accounts corrupt(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), right.sendBytes(), right.acknowledged(), right.notSent(),
                        0,
                        right.receiveBytes(), right.receiveBytes(), right.segmentBytes());
            }
        },
        RECEIVE_BUFFER_ALWAYS_NEARLY_FULL {
            @Override
            KernelAccounting.Accounts corrupt(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), right.sendBytes(), right.acknowledged(), right.notSent(),
                        right.receiveBytes(), right.receiveBytes(), right.window(), right.segmentBytes());
            }
        };

        abstract KernelAccounting.Accounts corrupt(KernelAccounting.Accounts right);
    }

    @ParameterizedTest
    @EnumSource(CorruptedRecord.class)
    void corruptedKernelRecordsAreDetected(CorruptedRecord corruption) throws IOException {
        assumeAvailable("poll");
        Comparison comparison = new Comparison(new RealEngine("poll"), new ReadinessStatistics(), corruption::corrupt);
        Difference found = null;
        long seed = 0;
        while (found == null && seed < FILLING_SCRIPTS_MAX) {
            found = comparison.compare(++seed * Script.FILLING_ONE_IN);
        }
        assertThat(found).as("no difference in scripts up to %d", seed * Script.FILLING_ONE_IN).isNotNull();
        assertThat(found.simulated().get(found.index()).result()).doesNotContain("not allowed");
    }

    /** Compares completions. Runs few scripts, since each of them opens two rings. */
    @Test
    void simulatedCompletionsMatchIoUring() throws IOException {
        assumeAvailable("uring");
        RingStatistics statistics = new RingStatistics();
        RingComparison comparison = new RingComparison(statistics);
        compare(comparison, 1, FIXED_SCRIPTS);
        long fresh = System.nanoTime() >>> 1;
        compare(comparison, fresh, fresh + FRESH_RING_SCRIPTS - 1);
        System.out.println("uring, including fresh scripts " + fresh + ".." + (fresh + FRESH_RING_SCRIPTS - 1) + ": "
                + statistics.summary());
    }

    private static void compare(RingComparison comparison, long first, long last) throws IOException {
        for (long seed = first; seed <= last; seed++) {
            RingDifference difference = comparison.compare(seed);
            if (difference != null) {
                fail(comparison.shrink(difference).toString());
            }
        }
    }

    private static void compare(Comparison comparison, long first, long last) throws IOException {
        for (long seed = first; seed <= last; seed++) {
            Difference difference = comparison.compare(seed);
            if (difference != null) {
                fail(comparison.shrink(difference).toString());
            }
        }
    }

    private static void assumeAvailable(String engine) {
        try {
            assumeTrue(Network.named(engine).name().equals(engine), engine + " is not available");
        } catch (UnavailableException e) {
            assumeTrue(false, e.reason());
        }
    }
}
