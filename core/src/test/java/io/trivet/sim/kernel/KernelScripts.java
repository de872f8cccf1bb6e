package io.trivet.sim.kernel;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.TimeUnit;

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
     * @param arguments --engine NAME --scripts A..B, and --whole where a difference is not to be cut down
     */
    public static void main(String[] arguments) throws IOException {
        List<String> words = List.of(arguments);
        String engine = after(words, "--engine", "epoll");
        String[] range = after(words, "--scripts", "1..1000").split("\\.\\.", 2);
        Tally tally = new Tally();
        run(new Comparison(new RealEngine(engine), tally), tally, Long.parseLong(range[0]),
                Long.parseLong(range[range.length - 1]),
                !words.contains("--whole"), System.out);
        System.exit(tally.differences() == 0 ? 0 : 1);
    }

    private static String after(List<String> words, String name, String otherwise) {
        int index = words.indexOf(name);
        return index < 0 || index + 1 == words.size() ? otherwise : words.get(index + 1);
    }

    private static void run(Comparison comparison, Tally tally, long first, long last, boolean shrinks, PrintStream out)
            throws IOException {
        long begun = System.nanoTime();
        long told = begun;
        long seed = first;
        for (; seed <= last && tally.differences() < DIFFERENCES_MAX; seed++) {
            Difference difference = comparison.compare(seed);
            if (difference != null) {
                tally.found();
                out.println(shrinks ? comparison.shrink(difference) : difference);
            }
            if (System.nanoTime() - told > PROGRESS_NANOS) {
                told = System.nanoTime();
                out.println(
                        "up to script " + seed + ", " + rate(seed - first + 1, told - begun) + " a second: " + tally.summary());
            }
        }
        out.println("scripts " + first + ".." + (seed - 1) + ", " + rate(seed - first, System.nanoTime() - begun) + " a second");
        out.print(tally.table());
    }

    private static long rate(long scripts, long nanos) {
        return Math.round(scripts * 1e9 / Math.max(1, nanos));
    }
}
