package io.trivet.sim.kernel;

import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.net.Network;
import io.trivet.net.UnavailableException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The simulated network held against the kernel: the same random script on both gives the same results, errors and ready sets, step by
 * step. A fixed set of scripts, and a fresh one. Many more, without a test framework: {@code build/kernel-scripts}.
 */
@Timeout(600)
final class HeldAgainstTheKernelTest {
    private static final int FIXED = 100;
    private static final int FRESH = 20;
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
