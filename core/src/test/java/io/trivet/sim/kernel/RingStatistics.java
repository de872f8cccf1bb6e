package io.trivet.sim.kernel;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Statistics of scripts for the completion view. Each step counts one comparison for its result, and for each end one for its completions
 * and one for its byte counts.
 */
final class RingStatistics implements Statistics {
    /** Counters of the scripts of one kind. */
    private static final class Counts {
        long scripts;
        long steps;
        long comparisons;
        long nondeterministicSteps;
        long nondeterministicComparisons;
        long stopped;
        long full;

        void count(RingOutcome real, RingOutcome simulated, boolean nondeterministic) {
            steps++;
            long before = comparisons++;
            for (int i = 0; i < real.ends().size(); i++) {
                RingOutcome.End end = real.ends().get(i);
                if (end != null) {
                    comparisons += 2;
                    RingOutcome.End other = nondeterministic ? null : simulated.ends().get(i);
                    if (other != null && !end.countsMatch(other)) {
                        stopped += isExempt(end, other, RingOutcome.Incomparable.STOPPED) ? 1 : 0;
                        full += isExempt(end, other, RingOutcome.Incomparable.STOPPED) ? 0 : 1;
                    }
                }
            }
            if (nondeterministic) {
                nondeterministicSteps++;
                nondeterministicComparisons += comparisons - before;
            }
        }

        private static boolean isExempt(RingOutcome.End end, RingOutcome.End other, RingOutcome.Incomparable reason) {
            return end.incomparable() == reason || other.incomparable() == reason;
        }

        long excluded() {
            return nondeterministicComparisons + stopped + full;
        }

        String lines(String kind) {
            return line(scripts, "scripts " + kind)
                    + line(steps, "steps of scripts " + kind)
                    + line(comparisons, "comparisons in them: results, completions of each end, and its byte counts")
                    + line(excluded(), "of these excluded: " + percent(excluded(), comparisons))
                    + line(nondeterministicComparisons,
                            "because the kernel is nondeterministic; steps: " + nondeterministicSteps + ", "
                                    + percent(nondeterministicSteps, steps))
                    + line(stopped, "because receiving had been stopped: completed bytes may be delivered or kept")
                    + line(full, "because buffers had been filled");
        }
    }

    private final Counts plain = new Counts();
    private final Counts filling = new Counts();
    private final Map<String, Long> features = new TreeMap<>();
    private long differences;

    void count(RingScript script, List<RingOutcome> real, List<RingOutcome> simulated, boolean[] nondeterministic) {
        Counts counts = script.buffersFill() ? filling : plain;
        counts.scripts++;
        for (int i = 0; i < nondeterministic.length; i++) {
            counts.count(real.get(i), simulated.get(i), nondeterministic[i]);
            countFeatures(script.steps().get(i), real.get(i));
        }
    }

    private void countFeatures(RingStep step, RingOutcome outcome) {
        if (outcome.result().startsWith(RingOutcome.SKIPPED)) {
            add("a step that was skipped because its outcome on a ring is unspecified");
        } else if (!outcome.result().startsWith(Outcome.NO_OP)) {
            add("step " + step.op().name().toLowerCase(Locale.ROOT).replace('_', ' '));
        }
        if (step.skipsPoll()) {
            add("a step submitted together with the next one");
        }
        if (outcome.result().startsWith("pending")) {
            add("a send that was pending");
        }
        for (RingOutcome.End end : outcome.ends()) {
            if (end != null && !end.events().startsWith("[]")) {
                for (String event : end.events().substring(1, end.events().indexOf(']')).split(", ", -1)) {
                    add("completion: " + event.replaceAll("urgent .*", "urgent"));
                }
            }
        }
    }

    private void add(String what) {
        features.merge(what, 1L, Long::sum);
    }

    @Override
    public void countDifference() {
        differences++;
    }

    @Override
    public long differences() {
        return differences;
    }

    @Override
    public String summary() {
        return String.format(Locale.ROOT, "%d scripts, %d steps, %d differences; excluded %s; in %d scripts that fill buffers %s",
                plain.scripts + filling.scripts, plain.steps + filling.steps, differences,
                percent(plain.excluded(), plain.comparisons),
                filling.scripts, percent(filling.excluded(), filling.comparisons));
    }

    private static String percent(long part, long whole) {
        return String.format(Locale.ROOT, "%.4f %%", whole == 0 ? 0 : 100.0 * part / whole);
    }

    private static String line(long count, String what) {
        return String.format(Locale.ROOT, "%12d  %s%n", count, what);
    }

    @Override
    public String table() {
        StringBuilder text = new StringBuilder();
        text.append(plain.lines("that do not fill buffers")).append(filling.lines("that fill buffers"));
        text.append(line(differences, "differences"));
        features.forEach((what, count) -> text.append(line(count, what)));
        return text.toString();
    }
}
