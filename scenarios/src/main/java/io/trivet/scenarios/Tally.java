package io.trivet.scenarios;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** Counts what has happened in runs, by name: faults, reasons, limits, and whatever else must not stay untried. One thread. */
public final class Tally {
    private final Map<String, long[]> counts = new TreeMap<>();

    Tally() {}

    /**
     * An empty one.
     *
     * @return a new tally
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
     * Adds another's counts.
     *
     * @param other the other
     */
    public void add(Tally other) {
        other.counts.forEach((name, count) -> add(name, count[0]));
    }

    /**
     * How often that has happened.
     *
     * @param name the name
     * @return zero or more
     */
    public long count(String name) {
        long[] count = counts.get(name);
        return count == null ? 0 : count[0];
    }

    /**
     * All counts.
     *
     * @return by name, in alphabetical order
     */
    public Map<String, Long> counts() {
        Map<String, Long> copy = new TreeMap<>();
        counts.forEach((name, count) -> copy.put(name, count[0]));
        return Collections.unmodifiableMap(copy);
    }
}
