package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Overflow;
import io.trivet.sim.Fault;
import io.trivet.sim.SimEngine;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** All that must not stay untried, whatever the seeds: what has never happened was never tested. */
public final class Coverage {
    /** What cannot be counted, and why. */
    private static final Map<String, String> NEVER = new TreeMap<>(Map.of(
            "reason TOO_MANY_FROM_ADDRESS", "told to no handler: limit CONNECTIONS_PER_ADDRESS",
            "reason SPINNING", "a defect of the server, which ends a run",
            "limit HANDLER_TIME", "of started servers alone: a thread of its own watches"));

    /** Below this the counts of what is rare say little. */
    private static final long SEEDS_FOR_RARE = 10_000;
    private static final double RARE_BELOW = 0.001;

    private Coverage() {}

    private static Set<String> expected() {
        Set<String> names = new LinkedHashSet<>();
        for (Fault fault : Fault.values()) {
            names.add("fault " + fault.name());
        }
        for (CloseReason reason : CloseReason.values()) {
            if (!NEVER.containsKey("reason " + reason.name())) {
                names.add("reason " + reason.name());
            }
        }
        add(names, "policy", Overflow.values());
        add(names, "limit", Limit.values());
        add(names, "race", Race.values());
        add(names, "state", ConnectionState.values());
        add(names, "engine", SimEngine.values());
        add(names, "framing", Frames.values());
        add(names, "client", Manner.values());
        add(names, "asked to", Verb.values());
        add(names, "reaction", Reaction.values());
        add(names, "end", House.Ending.values());
        add(names, "client's end", Peer.End.values());
        names.remove("client's end NONE");
        return names;
    }

    private static void add(Set<String> names, String kind, Enum<?>[] constants) {
        for (Enum<?> constant : constants) {
            names.add(kind + " " + constant.name());
        }
    }

    /**
     * What has never happened.
     *
     * @param tally what has
     * @return the names, in the order of the table
     */
    public static List<String> untried(Tally tally) {
        return expected().stream().filter(name -> tally.count(name) == 0).toList();
    }

    /**
     * What has happened too seldom to be called tested: less often than a hundred times in a hundred thousand worlds.
     *
     * @param tally what has
     * @param seeds in how many worlds
     * @return a line that counts and names them, with their counts; empty: there were too few worlds to tell
     */
    public static Optional<String> rare(Tally tally, long seeds) {
        if (seeds < SEEDS_FOR_RARE) {
            return Optional.empty();
        }
        double least = seeds * RARE_BELOW;
        Set<String> names = names(tally);
        List<String> rare = names.stream().filter(name -> tally.count(name) < least)
                .map(name -> name + " " + tally.count(name)).toList();
        return Optional
                .of(String.format(Locale.ROOT, "%d of %d rows are below 100 per 100,000 seeds%s%s", rare.size(), names.size(),
                        rare.isEmpty() ? "" : ": ", String.join(", ", rare)));
    }

    private static Set<String> names(Tally tally) {
        Set<String> names = expected();
        names.addAll(tally.counts().keySet());
        return names;
    }

    /**
     * Everything, and how often it has happened.
     *
     * @param tally the counts
     * @return a line each
     */
    public static List<String> table(Tally tally) {
        Set<String> names = names(tally);
        List<String> lines = new ArrayList<>();
        String kindBefore = "";
        for (String name : names) {
            int space = name.lastIndexOf(' ');
            String kind = name.substring(0, space);
            lines.add(String.format(Locale.ROOT, "%-14s %-26s %,14d", kind.equals(kindBefore) ? "" : kind,
                    name.substring(space + 1),
                    tally.count(name)));
            kindBefore = kind;
        }
        NEVER.forEach(
                (name, why) -> lines.add(String.format(Locale.ROOT, "%-14s %-26s %14s  %s", name.substring(0, name.indexOf(' ')),
                        name.substring(name.indexOf(' ') + 1), "-", why)));
        return lines;
    }
}
