package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import io.trivet.sim.KernelAccounting;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What scripts have been through: how much was compared, how much could not be and why, and what happened on the way. What is compared of a
 * step are its result, and of each socket that is open where it stands; scripts that fill buffers are counted by themselves.
 */
final class Tally implements Figures {
    /** Of scripts of one kind. */
    private static final class Share {
        long scripts;
        long steps;
        long comparisons;
        /** Steps that the kernel answered otherwise the second time. */
        long stepsOpen;
        /** What would have been compared of these. */
        long open;
        /** Comparisons that are left out, since an end was closed while bytes had no room at it. */
        long cutShort;
        /** Comparisons that are left out, since the end of an output had no room. */
        long endHeldBack;
        /** Streams that are writable again, and a poller is not told, or not yet. */
        long toldOtherwise;

        void count(Step step, Answer real, Answer simulated, boolean isOpen) {
            steps++;
            long before = comparisons;
            compare(real.resultCounts(step), isOpen,
                    step.op() == Step.Op.SELECT ? real.cutShort() != 0 : is(real.cutShort(), step.slot()));
            for (int slot = 0; slot < Slot.COUNT; slot++) {
                if (real.lists()[slot] >= 0) {
                    compare(real.counts(slot), isOpen, is(real.cutShort(), slot));
                    toldOtherwise += !isOpen && real.isToldOtherwise(slot, simulated) ? 1 : 0;
                }
            }
            if (isOpen) {
                stepsOpen++;
                open += comparisons - before;
            }
        }

        private void compare(boolean counts, boolean isOpen, boolean isCut) {
            comparisons++;
            if (!counts && !isOpen) {
                cutShort += isCut ? 1 : 0;
                endHeldBack += isCut ? 0 : 1;
            }
        }

        private static boolean is(int places, int slot) {
            return (places & 1 << slot) != 0;
        }

        long leftOut() {
            return open + cutShort + endHeldBack + toldOtherwise;
        }

        String lines(String kind) {
            return line(scripts, "scripts " + kind)
                    + line(steps, "steps of scripts " + kind)
                    + line(comparisons, "comparisons in them: results, and where a socket stands")
                    + line(leftOut(), "left out of these: " + percent(leftOut(), comparisons))
                    + line(open, "since the kernel differs from itself; steps: " + stepsOpen + ", " + percent(stepsOpen, steps))
                    + line(cutShort, "since an end was closed while bytes had no room at it")
                    + line(endHeldBack, "since the end of an output had no room")
                    + line(toldOtherwise, "since a poller need not be told that there is room again");
        }
    }

    private final Share plain = new Share();
    private final Share filling = new Share();
    private long unsettled;
    private long found;
    private final Map<String, Long> seen = new TreeMap<>();

    void count(Script script, Performance performance, Performance simulated, boolean[] leftOpen) {
        Share share = script.buffersFill() ? filling : plain;
        share.scripts++;
        unsettled += performance.unsettled();
        for (int i = 0; i < leftOpen.length; i++) {
            share.count(script.steps().get(i), performance.answers().get(i), simulated.answers().get(i), leftOpen[i]);
            see(script.steps().get(i), performance.answers().get(i));
        }
    }

    @Override
    public void found() {
        found++;
    }

    @Override
    public long differences() {
        return found;
    }

    private void see(Step step, Answer answer) {
        if (answer.result().startsWith("E")) {
            add("error " + answer.result());
        }
        if (answer.taken() >= 0 && answer.result().startsWith("took") && answer.taken() < step.value()) {
            add("a send that took a part, or nothing");
        }
        for (KernelAccounting.Accounts accounts : answer.accounts()) {
            if (accounts != null) {
                add(accounts.window() < 0 ? "records of a stream, but for its window" : "records of a stream");
            }
        }
        int all = 0;
        boolean full = false;
        boolean connecting = false;
        for (int slot = 0; slot < Slot.COUNT; slot++) {
            all |= Math.max(0, answer.lists()[slot]) | answer.events()[slot];
            full |= Slot.isStream(slot) && answer.lists()[slot] >= 0 && (answer.lists()[slot] & Interest.WRITE) == 0;
            connecting |= Slot.isClient(slot) && answer.lists()[slot] == 0 && answer.arrived()[slot] == 0;
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
        if (!answer.result().equals(Answer.NOTHING)) {
            add("step " + step.op().name().toLowerCase(Locale.ROOT).replace('_', ' '));
        }
    }

    private void add(String what) {
        seen.merge(what, 1L, Long::sum);
    }

    @Override
    public String summary() {
        return String.format(Locale.ROOT,
                "%d scripts, %d steps, %d differences; left out %s; in %d scripts that fill buffers %s; %d steps did not come to rest",
                plain.scripts + filling.scripts, plain.steps + filling.steps, found, percent(plain.leftOut(), plain.comparisons),
                filling.scripts, percent(filling.leftOut(), filling.comparisons), unsettled);
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
        text.append(line(found, "differences")).append(line(unsettled, "steps that did not come to rest in time"));
        seen.forEach((what, count) -> text.append(line(count, what)));
        return text.toString();
    }
}
