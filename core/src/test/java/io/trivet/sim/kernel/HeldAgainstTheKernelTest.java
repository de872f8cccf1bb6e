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
 * The simulated network held against the kernel: the same random script on both gives the same results, errors and ready sets, step by
 * step. A fixed set of scripts, and a fresh one. Many more, without a test framework: {@code build/kernel-scripts}.
 */
@Timeout(600)
final class HeldAgainstTheKernelTest {
    private static final int FIXED = 100;
    private static final int FRESH = 20;
    /** So many scripts that fill buffers find a mistake in the kernel's records. */
    private static final int FOUND_WITHIN = 400;
    /** Fewer: one of several thousand may still differ, where a stop or a close meets what is under way in a way not seen yet. */
    private static final int FRESH_OF_THE_RING = 4;

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "poll", "select", "nio"})
    void simulationAndKernelGiveTheSame(String engine) throws IOException {
        assumeThere(engine);
        Tally tally = new Tally();
        Comparison comparison = new Comparison(new RealEngine(engine), tally);
        compare(comparison, 1, FIXED);
        long fresh = System.nanoTime() >>> 1;
        compare(comparison, fresh, fresh + FRESH - 1);
        System.out.println(engine + ", also with scripts " + fresh + ".." + (fresh + FRESH - 1) + ": " + tally.summary());
    }

    /** Mistakes in copying the kernel's records: if what follows from these were not compared, nobody would notice. */
    enum Mistake {
        SEND_BUFFER_TWICE_AS_LARGE {
            @Override
            KernelAccounting.Accounts in(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), 2 * right.sendBytes(), right.acknowledged(),
                        right.notSent(),
                        right.receiveTaken(), right.receiveBytes(), right.window(), right.segmentBytes());
            }
        },
        SEND_BUFFER_HALF_AS_LARGE {
            @Override
            KernelAccounting.Accounts in(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), right.sendBytes() / 2, right.acknowledged(),
                        right.notSent(),
                        right.receiveTaken(), right.receiveBytes(), right.window(), right.segmentBytes());
            }
        },
        NOTHING_IS_UNSENT {
            @Override
            KernelAccounting.Accounts in(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), right.sendBytes(), right.acknowledged(), 0,
                        right.receiveTaken(),
                        right.receiveBytes(), right.window(), right.segmentBytes());
            }
        },
        RECEIVE_BUFFER_NEVER_NEARLY_FULL {
            @Override
            KernelAccounting.Accounts in(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), right.sendBytes(), right.acknowledged(), right.notSent(),
                        0,
                        right.receiveBytes(), right.receiveBytes(), right.segmentBytes());
            }
        },
        RECEIVE_BUFFER_ALWAYS_NEARLY_FULL {
            @Override
            KernelAccounting.Accounts in(KernelAccounting.Accounts right) {
                return new KernelAccounting.Accounts(right.sendTaken(), right.sendBytes(), right.acknowledged(), right.notSent(),
                        right.receiveBytes(), right.receiveBytes(), right.window(), right.segmentBytes());
            }
        };

        abstract KernelAccounting.Accounts in(KernelAccounting.Accounts right);
    }

    @ParameterizedTest
    @EnumSource(Mistake.class)
    void aMistakeInTheRecordsIsFound(Mistake mistake) throws IOException {
        assumeThere("poll");
        Comparison comparison = new Comparison(new RealEngine("poll"), new Tally(), mistake::in);
        Difference found = null;
        long seed = 0;
        while (found == null && seed < FOUND_WITHIN) {
            found = comparison.compare(++seed * Script.FILLING_ONE_IN);
        }
        assertThat(found).as("no script up to %d differs", seed * Script.FILLING_ONE_IN).isNotNull();
        assertThat(found.simulated().get(found.index()).result()).doesNotContain("not allowed");
    }

    /** The completion view: a few, since each opens two rings. */
    @Test
    void completionsOfTheSimulationAndOfARingAreTheSame() throws IOException {
        assumeThere("uring");
        RingTally tally = new RingTally();
        RingComparison comparison = new RingComparison(tally);
        compare(comparison, 1, FIXED);
        long fresh = System.nanoTime() >>> 1;
        compare(comparison, fresh, fresh + FRESH_OF_THE_RING - 1);
        System.out.println("uring, also with scripts " + fresh + ".." + (fresh + FRESH_OF_THE_RING - 1) + ": " + tally.summary());
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

    private static void assumeThere(String engine) {
        try {
            assumeTrue(Network.named(engine).name().equals(engine), engine + " is not available");
        } catch (UnavailableException e) {
            assumeTrue(false, e.reason());
        }
    }
}
