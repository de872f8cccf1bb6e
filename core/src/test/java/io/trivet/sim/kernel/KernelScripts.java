package io.trivet.sim.kernel;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs scripts on the kernel and on the simulation, without a test framework: {@code build/kernel-scripts}. Prints what differs, and at the end what was
 * compared.
 */
final class KernelScripts {
    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(10);
    /** After so many the rest is the same again, most likely. */
    private static final int DIFFERENCES_MAX = 10;

    private KernelScripts() {}

    /**
     * Runs a range.
     *
     * @param arguments --engine NAME --scripts A..B; uring is the completion view; and --whole where a difference is not to be cut down
     */
    public static void main(String[] arguments) throws IOException {
        List<String> words = List.of(arguments);
        String engine = after(words, "--engine", "epoll");
        String[] range = after(words, "--scripts", "1..1000").split("\\.\\.", 2);
        Runner runner = runner(engine, !words.contains("--whole"));
        run(runner, Long.parseLong(range[0]), Long.parseLong(range[range.length - 1]), System.out);
        System.exit(runner.figures().differences() == 0 ? 0 : 1);
    }

    /** What runs one script after the other. */
    private interface Runner {
        /** What differs, or null. */
        @Nullable
        String run(long seed) throws IOException;

        Figures figures();
    }

    private static Runner runner(String engine, boolean shrinks) {
        return engine.equals("uring") ? completions(shrinks) : readiness(engine, shrinks);
    }

    private static Runner readiness(String engine, boolean shrinks) {
        Tally tally = new Tally();
        Comparison comparison = new Comparison(new RealEngine(engine), tally);
        return new Runner() {
            @Override
            public @Nullable String run(long seed) throws IOException {
                Difference difference = comparison.compare(seed);
                return difference == null ? null : (shrinks ? comparison.shrink(difference) : difference).toString();
            }

            @Override
            public Figures figures() {
                return tally;
            }
        };
    }

    private static Runner completions(boolean shrinks) {
        RingTally tally = new RingTally();
        RingComparison comparison = new RingComparison(tally);
        return new Runner() {
            @Override
            public @Nullable String run(long seed) throws IOException {
                RingDifference difference = comparison.compare(seed);
                return difference == null ? null : (shrinks ? comparison.shrink(difference) : difference).toString();
            }

            @Override
            public Figures figures() {
                return tally;
            }
        };
    }

    private static String after(List<String> words, String name, String otherwise) {
        int index = words.indexOf(name);
        return index < 0 || index + 1 == words.size() ? otherwise : words.get(index + 1);
    }

    private static void run(Runner runner, long first, long last, PrintStream out) throws IOException {
        Figures figures = runner.figures();
        long begun = System.nanoTime();
        long told = begun;
        long seed = first;
        for (; seed <= last && figures.differences() < DIFFERENCES_MAX; seed++) {
            String difference = runner.run(seed);
            if (difference != null) {
                figures.found();
                out.println(difference);
            }
            if (System.nanoTime() - told > PROGRESS_NANOS) {
                told = System.nanoTime();
                out.println(
                        "up to script " + seed + ", " + rate(seed - first + 1, told - begun) + " a second: " + figures.summary());
            }
        }
        out.println("scripts " + first + ".." + (seed - 1) + ", " + rate(seed - first, System.nanoTime() - begun) + " a second");
        out.print(figures.table());
    }

    private static long rate(long scripts, long nanos) {
        return Math.round(scripts * 1e9 / Math.max(1, nanos));
    }
}
