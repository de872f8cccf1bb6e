package io.trivet.sim.kernel;

import io.trivet.sim.KernelAccounting;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Performs scripts on an engine of the kernel and on the simulated network, and compares them step by step. On the kernel each is performed
 * twice: where the kernel differs from itself there is nothing to compare.
 */
final class Comparison {
    /** A difference counts when it comes back: what comes only now and then is the kernel's. */
    private static final int WITNESSES = 2;

    private final RealEngine engine;
    private final Tally tally;
    private final UnaryOperator<KernelAccounting.Accounts> clerk;

    Comparison(RealEngine engine, Tally tally) {
        this(engine, tally, UnaryOperator.identity());
    }

    /** With somebody who copies the kernel's records for the simulation: who makes a mistake in it has to be found. */
    Comparison(RealEngine engine, Tally tally, UnaryOperator<KernelAccounting.Accounts> clerk) {
        this.engine = engine;
        this.tally = tally;
        this.clerk = clerk;
    }

    /** The script of a seed: the first difference, or null. */
    @Nullable
    Difference compare(long seed) throws IOException {
        return compare(Script.of(seed, engine.isNio()));
    }

    /** The first difference between the kernel and the simulation, or null. */
    @Nullable
    Difference compare(Script script) throws IOException {
        Performance first = perform(script);
        Performance second = perform(script);
        Performance simulated = SimulatedEngine.perform(script, engine, first, clerk);
        boolean[] open = leftOpen(script, first, second);
        int index = firstDifference(script, first, simulated, open);
        for (int i = 0; i < WITNESSES && index >= 0; i++) {
            boolean[] alsoOpen = leftOpen(script, first, engine.perform(script));
            for (int step = 0; step < open.length; step++) {
                open[step] |= alsoOpen[step];
            }
            index = firstDifference(script, first, simulated, open);
        }
        tally.count(script, first, simulated, open);
        return index < 0 ? null : new Difference(script, engine.name(), index, first.answers(), simulated.answers());
    }

    /** On the kernel; once more, if the machine was too slow just then, as it is when a JVM has just begun. */
    private Performance perform(Script script) throws IOException {
        Performance performance = engine.perform(script);
        return performance.inTime() < performance.answers().size() ? engine.perform(script) : performance;
    }

    /** The same script with fewer steps, and still a difference, as far as leaving out single ones and runs of them goes. */
    Difference shrink(Difference found) throws IOException {
        Difference best = upTo(found);
        for (int run = best.script().steps().size() / 2; run >= 1; run = run == 1 ? 0 : run / 2) {
            for (int from = 0; from < best.script().steps().size();) {
                Difference smaller = without(best, from, run);
                if (smaller == null) {
                    from += run;
                } else {
                    best = smaller;
                }
            }
        }
        return best;
    }

    private Difference upTo(Difference found) throws IOException {
        Difference shorter = new Comparison(engine, new Tally(), clerk)
                .compare(found.script().with(found.script().steps().subList(0, found.index() + 1)));
        return shorter == null ? found : shorter;
    }

    private @Nullable Difference without(Difference found, int from, int run) throws IOException {
        List<Step> fewer = new ArrayList<>(found.script().steps());
        fewer.subList(from, Math.min(from + run, fewer.size())).clear();
        return fewer.isEmpty() ? null : new Comparison(engine, new Tally(), clerk).compare(found.script().with(fewer));
    }

    private static boolean[] leftOpen(Script script, Performance first, Performance second) {
        boolean[] open = new boolean[first.answers().size()];
        for (int i = 0; i < open.length; i++) {
            open[i] = i >= Math.min(first.inTime(), second.inTime())
                    || !first.answers().get(i).agreesWith(second.answers().get(i), script.steps().get(i), script.buffersFill());
        }
        return open;
    }

    private static int firstDifference(Script script, Performance real, Performance simulated, boolean[] open) {
        for (int i = 0; i < open.length; i++) {
            if (!open[i] && !real.answers().get(i).agreesWith(simulated.answers().get(i), script.steps().get(i),
                    script.buffersFill())) {
                return i;
            }
        }
        return -1;
    }
}
