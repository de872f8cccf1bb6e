package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import io.trivet.sim.KernelAccounting;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Statistics of scripts for the readiness view: how much was compared, how much was excluded and why, and which situations occurred. Each step
 * counts one comparison for its result and one for the readiness of each open socket. Scripts that fill buffers are counted separately.
 */
final class ReadinessStatistics implements Statistics {
    /** Counters of the scripts of one kind. */
    private static final class Counts {
        long scripts;
        long steps;
        long comparisons;
        /** Steps whose outcome differed when the kernel ran them again. */
        long nondeterministicSteps;
        /** Comparisons in these steps. */
        long nondeterministicComparisons;
        /** Comparisons excluded because an end was closed while sent bytes did not fit into its receive buffer. */
        long closedWhileFull;
        /** Comparisons excluded because a FIN did not fit into the receive buffer. */
        long finBlocked;
        /** Streams that became writable while a poller did not report it, or not yet. */
        long toleratedEvents;

        void count(Step step, Outcome real, Outcome simulated, boolean nondeterministic) {
            steps++;
            long before = comparisons;
            compare(real.isResultComparable(step), nondeterministic,
                    step.op() == Step.Op.SELECT ? real.closedWhileFull() != 0 : contains(real.closedWhileFull(), step.slot()));
            for (int slot = 0; slot < Slot.COUNT; slot++) {
                if (real.lists()[slot] >= 0) {
                    compare(real.isComparable(slot), nondeterministic, contains(real.closedWhileFull(), slot));
                    toleratedEvents += !nondeterministic && real.hasToleratedEventDifference(slot, simulated) ? 1 : 0;
                }
            }
            if (nondeterministic) {
                nondeterministicSteps++;
                nondeterministicComparisons += comparisons - before;
            }
        }

        private void compare(boolean comparable, boolean nondeterministic, boolean causedByClose) {
            comparisons++;
            if (!comparable && !nondeterministic) {
                closedWhileFull += causedByClose ? 1 : 0;
                finBlocked += causedByClose ? 0 : 1;
            }
        }

        private static boolean contains(int slotBits, int slot) {
            return (slotBits & 1 << slot) != 0;
        }

        long excluded() {
            return nondeterministicComparisons + closedWhileFull + finBlocked + toleratedEvents;
        }

        String lines(String kind) {
            return line(scripts, "scripts " + kind)
                    + line(steps, "steps of scripts " + kind)
                    + line(comparisons, "comparisons in them: results, and readiness of each socket")
                    + line(excluded(), "of these excluded: " + percent(excluded(), comparisons))
                    + line(nondeterministicComparisons,
                            "because the kernel is nondeterministic; steps: " + nondeterministicSteps + ", "
                                    + percent(nondeterministicSteps, steps))
                    + line(closedWhileFull, "because an end was closed while bytes did not fit into its receive buffer")
                    + line(finBlocked, "because a FIN did not fit into the receive buffer")
                    + line(toleratedEvents, "because a poller need not report that a stream is writable again");
        }
    }

    private final Counts plain = new Counts();
    private final Counts filling = new Counts();
    private long unsettled;
    private long differences;
    private final Map<String, Long> features = new TreeMap<>();

    void count(Script script, ScriptResult result, ScriptResult simulated, boolean[] nondeterministic) {
        Counts counts = script.buffersFill() ? filling : plain;
        counts.scripts++;
        unsettled += result.unsettled();
        for (int i = 0; i < nondeterministic.length; i++) {
            counts.count(script.steps().get(i), result.outcomes().get(i), simulated.outcomes().get(i), nondeterministic[i]);
            countFeatures(script.steps().get(i), result.outcomes().get(i));
        }
    }

    @Override
    public void countDifference() {
        differences++;
    }

    @Override
    public long differences() {
        return differences;
    }

    private void countFeatures(Step step, Outcome outcome) {
        if (outcome.result().startsWith("E")) {
            add("error " + outcome.result());
        }
        if (outcome.accepted() >= 0 && outcome.result().startsWith("accepted") && outcome.accepted() < step.value()) {
            add("a send that accepted only a part, or nothing");
        }
        for (KernelAccounting.Accounts accounts : outcome.accounts()) {
            if (accounts != null) {
                add(accounts.window() < 0 ? "kernel records of a stream, without its window" : "kernel records of a stream");
            }
        }
        int all = 0;
        boolean full = false;
        boolean connecting = false;
        for (int slot = 0; slot < Slot.COUNT; slot++) {
            all |= Math.max(0, outcome.lists()[slot]) | outcome.events()[slot];
            full |= Slot.isStream(slot) && outcome.lists()[slot] >= 0 && (outcome.lists()[slot] & Interest.WRITE) == 0;
            connecting |= Slot.isClient(slot) && outcome.lists()[slot] == 0 && outcome.arrived()[slot] == 0;
        }
        if (connecting) {
            add("a stream that is connecting, in no list");
        }
        if ((all & Interest.PRIORITY) != 0) {
            add("a socket in the third list");
        }
        if ((all & Interest.ERROR) != 0) {
            add("an error reported by the poller");
        }
        if ((all & Interest.HANG_UP) != 0) {
            add("a hang-up reported by the poller");
        }
        if (full) {
            add("a stream that is not writable");
        }
        if (!outcome.result().equals(Outcome.NO_OP)) {
            add("step " + step.op().name().toLowerCase(Locale.ROOT).replace('_', ' '));
        }
    }

    private void add(String what) {
        features.merge(what, 1L, Long::sum);
    }

    @Override
    public String summary() {
        return String.format(Locale.ROOT,
                "%d scripts, %d steps, %d differences; excluded %s; in %d scripts that fill buffers %s; %d steps did not settle",
                plain.scripts + filling.scripts, plain.steps + filling.steps, differences,
                percent(plain.excluded(), plain.comparisons),
                filling.scripts, percent(filling.excluded(), filling.comparisons), unsettled);
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
        text.append(line(differences, "differences")).append(line(unsettled, "steps that did not settle in time"));
        features.forEach((what, count) -> text.append(line(count, what)));
        return text.toString();
    }
}
