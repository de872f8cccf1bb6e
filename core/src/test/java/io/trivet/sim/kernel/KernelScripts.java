package io.trivet.sim.kernel;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Main class of {@code build/kernel-scripts}: runs scripts on the kernel and on the simulation, prints the differences, and at the end the
 * statistics.
 */
final class KernelScripts {
    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(10);
    /** Stops after this many differences: further ones most likely have the same cause. */
    private static final int DIFFERENCES_MAX = 10;
    /** The exit code for differences that were found while the kernel was short of memory (EX_TEMPFAIL of sysexits.h). */
    private static final int CANNOT_JUDGE = 75;

    private KernelScripts() {}

    /**
     * Runs a range of scripts.
     *
     * @param arguments --engine NAME (uring: the completion view), --scripts A..B, and --whole to report differences without shrinking
     */
    public static void main(String[] arguments) throws IOException {
        List<String> options = List.of(arguments);
        String engine = option(options, "--engine", "epoll");
        String[] range = option(options, "--scripts", "1..1000").split("\\.\\.", 2);
        ScriptCheck check = check(engine, !options.contains("--whole"));
        TcpMemoryPressure pressure = TcpMemoryPressure.now();
        run(check, Long.parseLong(range[0]), Long.parseLong(range[range.length - 1]), System.out);
        if (check.statistics().differences() == 0) {
            System.exit(0);
        }
        String cause = TcpMemoryPressure.now().since(pressure);
        if (cause != null) {
            System.out.println("cannot judge these differences: " + cause);
        }
        System.exit(cause == null ? 1 : CANNOT_JUDGE);
    }

    /** Compares one script after the other. */
    private interface ScriptCheck {
        /** Compares the script of a seed; returns a description of the difference, or null. */
        @Nullable
        String run(long seed) throws IOException;

        Statistics statistics();
    }

    private static ScriptCheck check(String engine, boolean shrinks) {
        return engine.equals("uring") ? completions(shrinks) : readiness(engine, shrinks);
    }

    private static ScriptCheck readiness(String engine, boolean shrinks) {
        ReadinessStatistics statistics = new ReadinessStatistics();
        Comparison comparison = new Comparison(new RealEngine(engine), statistics);
        return new ScriptCheck() {
            @Override
            public @Nullable String run(long seed) throws IOException {
                Difference difference = comparison.compare(seed);
                return difference == null ? null : (shrinks ? comparison.shrink(difference) : difference).toString();
            }

            @Override
            public Statistics statistics() {
                return statistics;
            }
        };
    }

    private static ScriptCheck completions(boolean shrinks) {
        RingStatistics statistics = new RingStatistics();
        RingComparison comparison = new RingComparison(statistics);
        return new ScriptCheck() {
            @Override
            public @Nullable String run(long seed) throws IOException {
                RingDifference difference = comparison.compare(seed);
                return difference == null ? null : (shrinks ? comparison.shrink(difference) : difference).toString();
            }

            @Override
            public Statistics statistics() {
                return statistics;
            }
        };
    }

    private static String option(List<String> options, String name, String fallback) {
        int index = options.indexOf(name);
        return index < 0 || index + 1 == options.size() ? fallback : options.get(index + 1);
    }

    private static void run(ScriptCheck check, long first, long last, PrintStream out) throws IOException {
        Statistics statistics = check.statistics();
        long startNanos = System.nanoTime();
        long lastReportNanos = startNanos;
        long seed = first;
        for (; seed <= last && statistics.differences() < DIFFERENCES_MAX; seed++) {
            String difference = check.run(seed);
            if (difference != null) {
                statistics.countDifference();
                out.println(difference);
            }
            if (System.nanoTime() - lastReportNanos > PROGRESS_NANOS) {
                lastReportNanos = System.nanoTime();
                out.println(
                        "up to script " + seed + ", " + perSecond(seed - first + 1, lastReportNanos - startNanos)
                                + " per second: " + statistics.summary());
            }
        }
        out.println("scripts " + first + ".." + (seed - 1) + ", " + perSecond(seed - first, System.nanoTime() - startNanos)
                + " per second");
        out.print(statistics.table());
    }

    private static long perSecond(long scripts, long nanos) {
        return Math.round(scripts * 1e9 / Math.max(1, nanos));
    }
}
