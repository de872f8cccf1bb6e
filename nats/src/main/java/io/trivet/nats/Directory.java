package io.trivet.nats;

import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;

/** Which client is on which servers. The loop changes it; any thread reads it. */
final class Directory {
    private final ConcurrentSkipListMap<String, List<String>> servers = new ConcurrentSkipListMap<>();

    void change(String client, String server, boolean isPresent) {
        servers.compute(client, (_, before) -> {
            List<String> others = before == null ? List.of() : before.stream().filter(each -> !each.equals(server)).toList();
            if (isPresent) {
                return Stream.concat(others.stream(), Stream.of(server)).toList();
            }
            return others.isEmpty() ? null : others;
        });
    }

    /** Returns a copy. */
    SortedMap<String, List<String>> snapshot() {
        NavigableMap<String, List<String>> copy = new TreeMap<>();
        servers.forEach(copy::put); // the constructor that takes a sorted map fails if the map changes meanwhile
        return Collections.unmodifiableSortedMap(copy);
    }
}
