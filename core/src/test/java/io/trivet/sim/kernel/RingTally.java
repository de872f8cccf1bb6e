package io.trivet.sim.kernel;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What scripts of the completion view have been through. What is compared of a step are its result, and of each end what was told of it, and
 * how many bytes have come and gone.
 */
final class RingTally implements Figures {
    /** Of scripts of one kind. */
    private static final class Share {
        long scripts;
        long steps;
        long comparisons;
        long stepsOpen;
        long open;
        long stopped;
        long full;

        void count(RingAnswer real, RingAnswer simulated, boolean isOpen) {
            steps++;
            long before = comparisons++;
            for (int i = 0; i < real.ends().size(); i++) {
                RingAnswer.End end = real.ends().get(i);
                if (end != null) {
                    comparisons += 2;
                    RingAnswer.End same = isOpen ? null : simulated.ends().get(i);
                    if (same != null && !end.countsTheSame(same)) {
                        stopped += isOpen(end, same, RingAnswer.Open.STOPPED) ? 1 : 0;
                        full += isOpen(end, same, RingAnswer.Open.STOPPED) ? 0 : 1;
                    }
                }
            }
            if (isOpen) {
                stepsOpen++;
                open += comparisons - before;
            }
        }

        private static boolean isOpen(RingAnswer.End end, RingAnswer.End same, RingAnswer.Open why) {
            return end.open() == why || same.open() == why;
        }

        long leftOut() {
            return open + stopped + full;
        }

        String lines(String kind) {
            return line(scripts, "scripts " + kind)
                    + line(steps, "steps of scripts " + kind)
                    + line(comparisons, "comparisons in them: results, what was told of an end, how many bytes came and went")
                    + line(leftOut(), "left out of these: " + percent(leftOut(), comparisons))
                    + line(open, "since the kernel differs from itself; steps: " + stepsOpen + ", " + percent(stepsOpen, steps))
                    + line(stopped, "since receiving had been stopped, and what had completed is told, or kept")
                    + line(full, "since buffers had been filled");
        }
    }

    private final Share plain = new Share();
    private final Share filling = new Share();
    private final Map<String, Long> seen = new TreeMap<>();
    private long found;

    void count(RingScript script, List<RingAnswer> real, List<RingAnswer> simulated, boolean[] open) {
        Share share = script.buffersFill() ? filling : plain;
        share.scripts++;
        for (int i = 0; i < open.length; i++) {
            share.count(real.get(i), simulated.get(i), open[i]);
            see(script.steps().get(i), real.get(i));
        }
    }

    private void see(RingStep step, RingAnswer answer) {
        if (answer.result().startsWith(RingAnswer.LEFT_OUT)) {
            add("a step that was not done, since a ring leaves open what it gives");
        } else if (!answer.result().startsWith(Answer.NOTHING)) {
            add("step " + step.op().name().toLowerCase(Locale.ROOT).replace('_', ' '));
        }
        if (step.holds()) {
            add("a step with which the next one was handed over");
        }
        if (answer.result().startsWith("pending")) {
            add("a send that was pending");
        }
        for (RingAnswer.End end : answer.ends()) {
            if (end != null && !end.events().startsWith("[]")) {
                for (String event : end.events().substring(1, end.events().indexOf(']')).split(", ", -1)) {
                    add("told: " + event.replaceAll("urgent .*", "urgent"));
                }
            }
        }
    }

    private void add(String what) {
        seen.merge(what, 1L, Long::sum);
    }

    @Override
    public void found() {
        found++;
    }

    @Override
    public long differences() {
        return found;
    }

    @Override
    public String summary() {
        return String.format(Locale.ROOT, "%d scripts, %d steps, %d differences; left out %s; in %d scripts that fill buffers %s",
                plain.scripts + filling.scripts, plain.steps + filling.steps, found, percent(plain.leftOut(), plain.comparisons),
                filling.scripts, percent(filling.leftOut(), filling.comparisons));
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
        text.append(line(found, "differences"));
        seen.forEach((what, count) -> text.append(line(count, what)));
        return text.toString();
    }
}
