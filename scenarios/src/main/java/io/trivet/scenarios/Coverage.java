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
import org.jspecify.annotations.Nullable;

/** The events that the runs must cover. An event that never occurs is not tested. */
public final class Coverage {
    /** Events that cannot be counted, and why. */
    private static final Map<String, String> NEVER = new TreeMap<>(Map.of(
            "reason TOO_MANY_FROM_ADDRESS", "no handler is called: see limit CONNECTIONS_PER_ADDRESS",
            "reason ADDRESS_DENIED", "not by the servers under test: see guarded",
            "reason SPINNING", "a bug of the server, which fails a run",
            "reason HANDSHAKE_FAILED", "not by the servers under test: see secured",
            "reason HANDSHAKE_TIMEOUT", "not by the servers under test: see secured",
            "reason TRUNCATED", "not by the servers under test: see secured",
            "limit HANDLER_TIME", "only for started servers: a separate thread watches it"));

    /** With fewer runs the counts of rare events are not significant. */
    private static final long SEEDS_FOR_RARE = 10_000;
    private static final double RARE_BELOW = 0.001;

    /** Starts the names of combinations, which are counted and not part of the table. */
    static final String COMBINATION = "end ";

    private Coverage() {}

    /** Counts that a connection has ended: the reason, the last state that was observed before, and each fault that has occurred. */
    static void addCombinations(RunContext context, CloseReason reason, @Nullable ConnectionState state) {
        for (Fault fault : context.scenario.faults().faults()) {
            if (context.hasFired(fault)) {
                context.tally.add(
                        COMBINATION + reason.name() + ' ' + fault.name() + ' ' + (state == null ? "NEW" : state.name()), 1);
            }
        }
    }

    private static Map<String, Long> combinations(Tally tally, boolean withState) {
        Map<String, Long> counts = new TreeMap<>();
        tally.counts().forEach((name, count) -> {
            if (name.startsWith(COMBINATION)) {
                int end = withState ? name.length() : name.lastIndexOf(' ');
                counts.merge(name.substring(COMBINATION.length(), end), count, Long::sum);
            }
        });
        return counts;
    }

    /**
     * Reports the combinations of a reason for the end of a connection and a fault that had occurred before.
     *
     * @param tally the counts
     * @param seeds the number of runs
     * @return a line with the number of those that have occurred, and one with those that are rare, with their counts
     */
    public static List<String> combinations(Tally tally, long seeds) {
        Map<String, Long> counts = combinations(tally, false);
        List<String> rare = new ArrayList<>();
        int often = 0;
        for (Map.Entry<String, Long> entry : counts.entrySet()) {
            if (entry.getValue() < seeds * RARE_BELOW) {
                rare.add(entry.getKey() + ' ' + entry.getValue());
            } else {
                often++;
            }
        }
        return List.of(
                String.format(Locale.ROOT, "%d combinations of reason and fault have occurred, %d of them at least 100 times per"
                        + " 100,000 seeds; %d combinations of reason, fault and state",
                        counts.size(), often, combinations(tally, true).size()),
                "rare combinations: " + String.join(", ", rare));
    }

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
        add(names, "framing", ClientFraming.values());
        add(names, "client", ClientKind.values());
        add(names, "request", RequestKind.values());
        add(names, "reaction", Reaction.values());
        add(names, "server-end", ServerUnderTest.Ending.values());
        add(names, "client-end", Client.End.values());
        names.remove("client-end NONE");
        add(names, "session", SessionRequest.values());
        add(names, "session-end", SessionEnd.values());
        add(names, "relay", RelayMode.values());
        names.addAll(List.of("relay COMPLETE", "relay CUT", "relay TRANSFER_FAILED"));
        add(names, "trial", TrialKind.values());
        names.add("select CALLED");
        names.addAll(List.of("trial-event BACKED_OFF", "trial-event BUDGET_EXCEEDED", "trial-event SPINNING",
                "trial-event SPARED", "trial-event TRANSFER_FAILED", "trial-event STREAM_TIMED_OUT",
                "trial-event OBSERVER_THREW", "trial-event PLAINTEXT_INJECTED", "trial-event SECURED_FINISH_OUTPUT",
                "trial-event MANY_TIMERS_CANCELLED", "trial-event MANY_TIMERS_OF_CLOSED", "trial-event ADOPT_FAILED",
                "trial-event DROPPED_OBSERVED"));
        names.addAll(List.of("session SEND_WAITED", "session RECEIVE_TIMED_OUT"));
        add(names, "secured", SecuredClientKind.values());
        add(names, "secured-answer", SecuredPlan.Answer.values());
        names.addAll(List.of("secured-reason PEER_FINISHED", "secured-reason TRUNCATED", "secured-reason PROTOCOL_ERROR",
                "secured-reason HANDSHAKE_FAILED", "secured-reason HANDSHAKE_TIMEOUT"));
        add(names, "guarded-proxy", GuardedPlan.Header.values());
        names.addAll(List.of("guarded-client NONE", "guarded-client V1", "guarded DENIED", "guarded ADMITTED", "guarded TOO_MANY",
                "guarded-reason ADDRESS_DENIED"));
        add(names, "guarded-ending", GuardedPlan.Ending.values());
        return names;
    }

    private static void add(Set<String> names, String kind, Enum<?>[] constants) {
        for (Enum<?> constant : constants) {
            names.add(kind + " " + constant.name());
        }
    }

    /**
     * Returns the events that have never occurred.
     *
     * @param tally the counts
     * @return their names, in the order of the table
     */
    public static List<String> uncovered(Tally tally) {
        return expected().stream().filter(name -> tally.count(name) == 0).toList();
    }

    /**
     * Reports the events that are too rare to count as tested: fewer than 100 in 100,000 runs.
     *
     * @param tally the counts
     * @param seeds the number of runs
     * @return a line with their number, names and counts; empty if there were too few runs
     */
    public static Optional<String> rare(Tally tally, long seeds) {
        if (seeds < SEEDS_FOR_RARE) {
            return Optional.empty();
        }
        double least = seeds * RARE_BELOW;
        Set<String> names = names(tally);
        names.removeIf(name -> name.startsWith("excuse ")); // which may well never be needed
        List<String> rare = names.stream().filter(name -> tally.count(name) < least)
                .map(name -> name + " " + tally.count(name)).toList();
        return Optional
                .of(String.format(Locale.ROOT, "%d of %d rows are below 100 per 100,000 seeds%s%s", rare.size(), names.size(),
                        rare.isEmpty() ? "" : ": ", String.join(", ", rare)));
    }

    private static Set<String> names(Tally tally) {
        Set<String> names = expected();
        tally.counts().keySet().stream().filter(name -> !name.startsWith(COMBINATION)).forEach(names::add);
        return names;
    }

    /**
     * Returns a table of all events and their counts.
     *
     * @param tally the counts
     * @return the lines
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
