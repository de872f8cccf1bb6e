package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What scripts have been through: how much was compared, how much the kernel left open, and what happened on the way. */
final class Tally {
    private final long[] scripts = new long[2];
    private final long[] steps = new long[2];
    private final long[] open = new long[2];
    private long unsettled;
    private final Map<String, Long> seen = new TreeMap<>();

    void count(Script script, Performance performance, boolean[] leftOpen) {
        int kind = script.buffersFill() ? 1 : 0;
        scripts[kind]++;
        steps[kind] += leftOpen.length;
        unsettled += performance.unsettled();
        for (int i = 0; i < leftOpen.length; i++) {
            if (leftOpen[i]) {
                open[kind]++;
            }
            see(script.steps().get(i), performance.answers().get(i));
        }
    }

    private void see(Step step, Answer answer) {
        if (answer.result().startsWith("E")) {
            add("error " + answer.result());
        }
        if (answer.taken() >= 0 && answer.result().startsWith("took") && answer.taken() < step.value()) {
            add("a send that took a part, or nothing");
        }
        int all = 0;
        boolean full = false;
        for (int slot = 0; slot < Slot.COUNT; slot++) {
            all |= Math.max(0, answer.lists()[slot]) | answer.events()[slot];
            full |= Slot.isStream(slot) && answer.lists()[slot] >= 0 && (answer.lists()[slot] & Interest.WRITE) == 0;
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
        add("step " + step.op().name().toLowerCase(Locale.ROOT).replace('_', ' '));
    }

    private void add(String what) {
        seen.merge(what, 1L, Long::sum);
    }

    /** One line for people. */
    String summary() {
        return String.format(Locale.ROOT,
                "%d scripts, %d steps: %d left open (%.4f %%), in %d scripts that fill buffers %d of %d (%.3f %%); %d did not come to rest",
                scripts[0] + scripts[1], steps[0] + steps[1], open[0], percent(open[0], steps[0]), scripts[1], open[1], steps[1],
                percent(open[1], steps[1]), unsettled);
    }

    private static double percent(long part, long whole) {
        return whole == 0 ? 0 : 100.0 * part / whole;
    }

    /** What was seen how often, one line each. */
    String table() {
        StringBuilder text = new StringBuilder();
        seen.forEach((what, count) -> text.append(String.format("%10d  %s%n", count, what)));
        return text.toString();
    }
}
