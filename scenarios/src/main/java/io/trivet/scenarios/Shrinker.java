package io.trivet.scenarios;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Cuts a world in which something was found down to a smaller one in which the same rule is broken: leaves out faults, clients, what is done
 * from outside, steps and messages, then what is special about servers and clients, many at a time first and then fewer (delta debugging: Zeller and Hildebrandt, 2002), as long as the
 * finding stays. One thread.
 */
public final class Shrinker {
    private final World world;
    private final Rule rule;
    private final int runsMax;
    private final long nanosMax;
    private final long begunNanos = System.nanoTime();
    private final boolean canary;
    private final Set<Part> cut = new LinkedHashSet<>();
    private int runs;

    private Shrinker(World world, Rule rule, int runsMax, Duration timeMax, boolean canary) {
        this.world = world;
        this.rule = rule;
        this.runsMax = runsMax;
        nanosMax = timeMax.toNanos();
        this.canary = canary;
    }

    /**
     * Cuts a world down.
     *
     * @param world a world
     * @param rule the rule that is broken in it
     * @param runsMax how many smaller worlds are tried at most
     * @param timeMax after which time no further one is tried; zero: none at all
     * @param canary whether the judges find fault on purpose, as in {@link Play#canary}
     * @return what may be left out, so that the rule is still broken; nothing, if it is not broken at all
     */
    public static Cut shrink(World world, Rule rule, int runsMax, Duration timeMax, boolean canary) {
        return new Shrinker(world, rule, runsMax, timeMax, canary).shrink();
    }

    private Cut shrink() {
        int before = -1;
        while (before != cut.size() && !isEnough()) { // what was needed at first may not be when other things are gone
            before = cut.size();
            for (Part.Kind kind : Part.Kind.values()) {
                cutDown(world.parts().stream().filter(part -> part.kind() == kind).toList());
            }
        }
        return Cut.of(cut);
    }

    private boolean isEnough() {
        return runs >= runsMax || System.nanoTime() - begunNanos >= nanosMax;
    }

    private void cutDown(List<Part> parts) {
        for (int size = Math.max(1, parts.size() / 2);; size /= 2) {
            List<Part> left = new ArrayList<>(parts);
            left.removeIf(part -> cut.contains(part) || liesInCut(part));
            for (int from = 0; from < left.size() && !isEnough(); from += size) {
                List<Part> some = left.subList(from, Math.min(left.size(), from + size));
                if (!isNeeded(some)) {
                    cut.addAll(some);
                }
            }
            if (size <= 1 || isEnough()) {
                return;
            }
        }
    }

    private boolean liesInCut(Part part) {
        for (String parent = part.parent(); !parent.isEmpty(); parent = new Part(parent).parent()) {
            if (cut.contains(new Part(parent))) {
                return true;
            }
        }
        return false;
    }

    private boolean isNeeded(List<Part> parts) {
        runs++;
        Set<Part> more = new LinkedHashSet<>(cut);
        more.addAll(parts);
        World smaller = world.without(Cut.of(more));
        Finding finding = (canary ? Play.canary(smaller, null) : Play.of(smaller)).finding();
        return finding == null || finding.rule() != rule;
    }
}
