package io.trivet.scenarios;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Shrinks a failing scenario to a smaller one that breaks the same rule. Removes clients, faults, external actions, steps and
 * messages, and then resets properties of servers and clients to the default, as long as the same rule is broken. Tries to remove
 * many parts at once first, and then fewer (delta debugging: Zeller and Hildebrandt, 2002). Not thread-safe.
 */
public final class Shrinker {
    private final Scenario scenario;
    private final Rule rule;
    private final int runsMax;
    private final long nanosMax;
    private final long startNanos = System.nanoTime();
    private final boolean canary;
    private final Set<ScenarioPart> removed = new LinkedHashSet<>();
    private int runs;

    private Shrinker(Scenario scenario, Rule rule, int runsMax, Duration timeMax, boolean canary) {
        this.scenario = scenario;
        this.rule = rule;
        this.runsMax = runsMax;
        nanosMax = timeMax.toNanos();
        this.canary = canary;
    }

    /**
     * Shrinks a scenario.
     *
     * @param scenario the scenario
     * @param rule the rule that it breaks
     * @param runsMax the maximum number of runs of smaller scenarios
     * @param timeMax no further run starts after this time; zero for no run at all
     * @param canary true to report a failure on purpose, as {@link Run#canary} does
     * @return the parts that can be removed while the rule is still broken; empty if the rule is not broken
     */
    public static RemovedParts shrink(Scenario scenario, Rule rule, int runsMax, Duration timeMax, boolean canary) {
        return new Shrinker(scenario, rule, runsMax, timeMax, canary).shrink();
    }

    private RemovedParts shrink() {
        int before = -1;
        while (before != removed.size() && !isExhausted()) { // a part that was needed may no longer be, once others are removed
            before = removed.size();
            for (ScenarioPart.Kind kind : ScenarioPart.Kind.values()) {
                shrink(scenario.parts().stream().filter(part -> part.kind() == kind).toList());
            }
        }
        return RemovedParts.of(removed);
    }

    private boolean isExhausted() {
        return runs >= runsMax || System.nanoTime() - startNanos >= nanosMax;
    }

    private void shrink(List<ScenarioPart> parts) {
        for (int size = Math.max(1, parts.size() / 2);; size /= 2) {
            List<ScenarioPart> left = new ArrayList<>(parts);
            left.removeIf(part -> removed.contains(part) || liesInRemoved(part));
            for (int from = 0; from < left.size() && !isExhausted(); from += size) {
                List<ScenarioPart> some = left.subList(from, Math.min(left.size(), from + size));
                if (!isNeeded(some)) {
                    removed.addAll(some);
                }
            }
            if (size <= 1 || isExhausted()) {
                return;
            }
        }
    }

    private boolean liesInRemoved(ScenarioPart part) {
        for (String parent = part.parent(); !parent.isEmpty(); parent = new ScenarioPart(parent).parent()) {
            if (removed.contains(new ScenarioPart(parent))) {
                return true;
            }
        }
        return false;
    }

    private boolean isNeeded(List<ScenarioPart> parts) {
        runs++;
        Set<ScenarioPart> more = new LinkedHashSet<>(removed);
        more.addAll(parts);
        Scenario smaller = scenario.without(RemovedParts.of(more));
        CheckFailure failure = (canary ? Run.canary(smaller, null) : Run.of(smaller)).failure();
        return failure == null || failure.rule() != rule;
    }
}
