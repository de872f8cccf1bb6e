package io.trivet.sim.kernel;

import io.trivet.sim.KernelAccounting;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Runs scripts on a real engine and on the simulated network and compares the outcomes step by step. Each script runs on the real
 * engine twice: steps whose two outcomes differ are nondeterministic and are not compared.
 */
final class Comparison {
    /** A difference is reported only if it recurs this many times; otherwise the kernel itself is nondeterministic. */
    private static final int CONFIRMATIONS = 2;

    private final RealEngine engine;
    private final ReadinessStatistics statistics;
    private final UnaryOperator<KernelAccounting.Accounts> recordsMutation;

    Comparison(RealEngine engine, ReadinessStatistics statistics) {
        this(engine, statistics, UnaryOperator.identity());
    }

    /** Applies a function to the kernel's records before the simulation uses them, to test that corrupted records are detected. */
    Comparison(RealEngine engine, ReadinessStatistics statistics, UnaryOperator<KernelAccounting.Accounts> recordsMutation) {
        this.engine = engine;
        this.statistics = statistics;
        this.recordsMutation = recordsMutation;
    }

    /** Compares the script of a seed; returns the first difference, or null. */
    @Nullable
    Difference compare(long seed) throws IOException {
        return compare(Script.of(seed, engine.isNio()));
    }

    /** Compares a script; returns the first difference between the kernel and the simulation, or null. */
    @Nullable
    Difference compare(Script script) throws IOException {
        ScriptResult first = run(script);
        ScriptResult second = run(script);
        ScriptResult simulated = SimulatedEngine.run(script, engine, first, recordsMutation);
        boolean[] nondeterministic = nondeterministicSteps(script, first, second);
        int index = firstDifference(script, first, simulated, nondeterministic);
        for (int i = 0; i < CONFIRMATIONS && index >= 0; i++) {
            boolean[] other = nondeterministicSteps(script, first, engine.run(script));
            for (int step = 0; step < nondeterministic.length; step++) {
                nondeterministic[step] |= other[step];
            }
            index = firstDifference(script, first, simulated, nondeterministic);
        }
        statistics.count(script, first, simulated, nondeterministic);
        return index < 0 ? null : new Difference(script, engine.name(), index, first.outcomes(), simulated.outcomes());
    }

    /** Runs a script on the kernel; a second time if the machine was too slow at first, as it is just after the JVM has started. */
    private ScriptResult run(Script script) throws IOException {
        ScriptResult result = engine.run(script);
        return result.stepsBeforeSynRetry() < result.outcomes().size() ? engine.run(script) : result;
    }

    /** Shrinks the script by removing runs of steps and single steps as long as a difference remains. */
    Difference shrink(Difference found) throws IOException {
        Difference best = upTo(found);
        for (int length = best.script().steps().size() / 2; length >= 1; length = length == 1 ? 0 : length / 2) {
            for (int from = 0; from < best.script().steps().size();) {
                Difference smaller = without(best, from, length);
                if (smaller == null) {
                    from += length;
                } else {
                    best = smaller;
                }
            }
        }
        return best;
    }

    private Difference upTo(Difference found) throws IOException {
        Difference shorter = new Comparison(engine, new ReadinessStatistics(), recordsMutation)
                .compare(found.script().with(found.script().steps().subList(0, found.index() + 1)));
        return shorter == null ? found : shorter;
    }

    private @Nullable Difference without(Difference found, int from, int run) throws IOException {
        List<Step> fewer = new ArrayList<>(found.script().steps());
        fewer.subList(from, Math.min(from + run, fewer.size())).clear();
        return fewer.isEmpty() ? null
                : new Comparison(engine, new ReadinessStatistics(), recordsMutation).compare(found.script().with(fewer));
    }

    private static boolean[] nondeterministicSteps(Script script, ScriptResult first, ScriptResult second) {
        boolean[] nondeterministic = new boolean[first.outcomes().size()];
        for (int i = 0; i < nondeterministic.length; i++) {
            nondeterministic[i] = i >= Math.min(first.stepsBeforeSynRetry(), second.stepsBeforeSynRetry())
                    || !first.outcomes().get(i).matches(second.outcomes().get(i), script.steps().get(i), script.buffersFill());
        }
        return nondeterministic;
    }

    private static int firstDifference(Script script, ScriptResult real, ScriptResult simulated, boolean[] nondeterministic) {
        for (int i = 0; i < nondeterministic.length; i++) {
            if (!nondeterministic[i] && !real.outcomes().get(i).matches(simulated.outcomes().get(i), script.steps().get(i),
                    script.buffersFill())) {
                return i;
            }
        }
        return -1;
    }
}
