package io.trivet.view;

import io.trivet.observe.ConnectionSnapshot;
import io.trivet.server.Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Takes samples of a server, for all readers together. Reading does not stop the loops, but costs processor time: about half a
 * microsecond for each connection. Any thread.
 */
final class Sampler {
    /** Samples that are farther apart are not compared: a connection may have changed in between, and back. */
    private static final long COMPARED_NANOS_MAX = Duration.ofSeconds(5).toNanos();

    private final Server server;
    private @Nullable Sample last;
    private long tookNanos;

    Sampler(Server server) {
        this.server = server;
    }

    /** Returns the last sample, or a new one if that is older than the given age. */
    synchronized Sample sample(Duration ageMax) {
        Sample before = last;
        long started = System.nanoTime();
        if (before != null && started - before.nanos() <= ageMax.toNanos()) {
            return before;
        }
        Sample taken = take(before, started);
        last = taken;
        tookNanos = System.nanoTime() - started;
        return taken;
    }

    /** Returns how long the last sample took, in nanoseconds. */
    synchronized long tookNanos() {
        return tookNanos;
    }

    private Sample take(@Nullable Sample last, long now) {
        long elapsed = last == null ? Long.MAX_VALUE : now - last.nanos();
        Sample before = elapsed <= COMPARED_NANOS_MAX ? last : null;
        List<ConnectionSnapshot> snapshots = server.connections();
        Map<Long, Row> old = before == null ? Map.of() : before.byId();
        Map<Long, Row> byId = HashMap.newHashMap(snapshots.size());
        List<Row> rows = new ArrayList<>(snapshots.size());
        List<Row> unseen = new ArrayList<>();
        Map<Long, ConnectionSnapshot> current = LinkedHashMap.newLinkedHashMap(snapshots.size());
        for (ConnectionSnapshot snapshot : snapshots) {
            current.put(snapshot.id(), snapshot);
        }
        if (before != null) { // those that were there before keep their places, so that a reader sees the same order
            for (Row row : before.rows()) {
                ConnectionSnapshot snapshot = current.remove(row.id());
                if (snapshot != null) {
                    rows.add(Row.of(snapshot, old.get(row.id()), now, elapsed, false));
                }
            }
        }
        for (ConnectionSnapshot snapshot : current.values()) {
            unseen.add(Row.of(snapshot, null, now, elapsed, before == null));
        }
        rows.addAll(unseen);
        rows.forEach(row -> byId.put(row.id(), row));
        return new Sample(now, System.currentTimeMillis(), server.stats(), server.listeners(), rows, byId,
                server.recentlyClosed());
    }
}
