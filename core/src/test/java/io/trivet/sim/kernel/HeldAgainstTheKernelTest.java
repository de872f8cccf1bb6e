package io.trivet.sim.kernel;

import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.net.Network;
import io.trivet.net.UnavailableException;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The simulated network held against the kernel: the same random script on both gives the same results, errors and ready sets, step by
 * step. A fixed set of scripts, and a fresh one; by properties others, and many more:
 *
 * <pre>
 * mvn -q -pl core test -Dtest=HeldAgainstTheKernelTest -Dtrivet.scripts=1..100000 -Dtrivet.engine=epoll
 * </pre>
 */
final class HeldAgainstTheKernelTest {
    private static final String SCRIPTS = System.getProperty("trivet.scripts", "");
    private static final String ENGINE = System.getProperty("trivet.engine", "");
    private static final int FIXED = 100;
    private static final int FRESH = 20;
    private static final int PROGRESS_EVERY = 5000;

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "poll", "select", "nio"})
    @Timeout(value = 12, unit = TimeUnit.HOURS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void simulationAndKernelGiveTheSame(String engine) throws IOException {
        assumeTrue(ENGINE.isEmpty() || ENGINE.equals(engine), "another engine was asked for");
        assumeTrue(isThere(engine), "the engine is not available here");
        Tally tally = new Tally();
        Comparison comparison = new Comparison(new RealEngine(engine), tally);
        if (SCRIPTS.isEmpty()) {
            compare(comparison, tally, 1, FIXED);
            long fresh = System.nanoTime() >>> 1;
            compare(comparison, tally, fresh, fresh + FRESH - 1);
            System.out.println(engine + ", also with scripts " + fresh + ".." + (fresh + FRESH - 1) + ": " + tally.summary());
        } else {
            String[] range = SCRIPTS.split("\\.\\.", 2);
            compare(comparison, tally, Long.parseLong(range[0]), Long.parseLong(range[range.length - 1]));
            System.out.println(engine + ": " + tally.summary() + "\n" + tally.table());
        }
    }

    private static void compare(Comparison comparison, Tally tally, long first, long last) throws IOException {
        long begun = System.nanoTime();
        for (long seed = first; seed <= last; seed++) {
            Difference difference = comparison.compare(seed);
            if (difference != null) {
                fail(comparison.shrink(difference).toString());
            }
            if ((seed - first + 1) % PROGRESS_EVERY == 0) {
                long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun));
                System.out.println((seed - first + 1) / seconds + " scripts a second; " + tally.summary());
            }
        }
    }

    private static boolean isThere(String engine) {
        try {
            return Network.named(engine).name().equals(engine);
        } catch (UnavailableException e) {
            return false;
        }
    }
}
