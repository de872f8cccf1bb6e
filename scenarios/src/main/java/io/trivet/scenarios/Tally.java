package io.trivet.scenarios;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** Counts events of runs by name: faults, close reasons, limits, and everything else that must be covered. Not thread-safe. */
public final class Tally {
    private final Map<String, long[]> counts = new TreeMap<>();

    Tally() {}

    /**
     * Returns a new, empty tally.
     *
     * @return the tally
     */
    public static Tally empty() {
        return new Tally();
    }

    void add(String name, long count) {
        counts.computeIfAbsent(name, _ -> new long[1])[0] += count;
    }

    void add(String kind, Enum<?> constant) {
        add(kind + " " + constant.name(), 1);
    }

    /**
     * Adds another tally's counts.
     *
     * @param other the other tally
     */
    public void add(Tally other) {
        other.counts.forEach((name, count) -> add(name, count[0]));
    }

    /**
     * Returns how often an event has occurred.
     *
     * @param name its name
     * @return at least 0
     */
    public long count(String name) {
        long[] count = counts.get(name);
        return count == null ? 0 : count[0];
    }

    /**
     * Returns all counts.
     *
     * @return the counts by name, in alphabetical order
     */
    public Map<String, Long> counts() {
        Map<String, Long> copy = new TreeMap<>();
        counts.forEach((name, count) -> copy.put(name, count[0]));
        return Collections.unmodifiableMap(copy);
    }
}
