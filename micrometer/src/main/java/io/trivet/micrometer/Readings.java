package io.trivet.micrometer;

import io.micrometer.core.instrument.Clock;
import io.trivet.net.Addresses;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.ServerStats;
import io.trivet.server.Server;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the meters of a server read. A registry reads all of them in a row, so they share one look at the server. Any thread.
 */
final class Readings {
    /** Meters that are read within this time see the same moment. */
    static final Duration AGE_MAX = Duration.ofSeconds(1);

    private final Server server;
    private final Clock clock;
    private @Nullable Moment last;

    /** A moment of a server. */
    record Moment(long nanos, ServerStats stats, long readable, long writable, long exceptional, long queueing,
            long queueLongestBytes, long queueOldestNanos, Map<String, Boolean> accepting) {}

    Readings(Server server, Clock clock) {
        this.server = server;
        this.clock = clock;
    }

    /** Returns the last moment, or the current one if that is too old. */
    synchronized Moment now() {
        Moment before = last;
        long nanos = clock.monotonicTime();
        if (before != null && nanos - before.nanos() < AGE_MAX.toNanos()) {
            return before;
        }
        Moment taken = take(nanos);
        last = taken;
        return taken;
    }

    private Moment take(long nanos) {
        List<ConnectionSnapshot> connections = server.connections();
        return new Moment(nanos, server.stats(), count(connections, ConnectionSnapshot::readable),
                count(connections, ConnectionSnapshot::writable), count(connections, ConnectionSnapshot::exceptional),
                count(connections, now -> now.queueBytes() > 0), max(connections, ConnectionSnapshot::queueBytes),
                max(connections, now -> now.oldestAge().toNanos()), acceptingByAddress(server.listeners()));
    }

    /**
     * Returns at which addresses clients are accepted. Of several listeners whose addresses have the same text, which would have the same
     * meter, one that accepts is enough.
     */
    static Map<String, Boolean> acceptingByAddress(List<ListenerSnapshot> listeners) {
        Map<String, Boolean> accepting = new LinkedHashMap<>();
        for (ListenerSnapshot listener : listeners) {
            accepting.merge(Addresses.toString(listener.address()), listener.state() == ListenerSnapshot.State.ACCEPTING,
                    Boolean::logicalOr);
        }
        return accepting;
    }

    private static long count(List<ConnectionSnapshot> connections, Predicate<ConnectionSnapshot> condition) {
        return connections.stream().filter(condition).count();
    }

    private static long max(List<ConnectionSnapshot> connections, ToLongFunction<ConnectionSnapshot> value) {
        return connections.stream().mapToLong(value).max().orElse(0);
    }
}
