package io.trivet.view;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.LoopStats;
import io.trivet.observe.MemoryStats;
import io.trivet.observe.ServerStats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Changes snapshots: to those of a later moment at which nothing else has happened, and to those of several servers together. */
final class Ages {
    private Ages() {}

    /** Returns a connection's snapshot some time later: the same, but for its ages. */
    static ConnectionSnapshot later(ConnectionSnapshot now, long nanos) {
        boolean waits = now.queueBytes() > 0;
        return copy(now, now.id(), now.loop(), waits ? now.oldestAge().plusNanos(nanos) : now.oldestAge(),
                waits ? now.sinceProgress().plusNanos(nanos) : now.sinceProgress(), now.sinceActivity().plusNanos(nanos));
    }

    static ClosedConnection later(ClosedConnection end, long nanos) {
        return new ClosedConnection(end.id(), end.remoteAddress(), end.loop(), end.reason(), end.failure(), end.reset(),
                end.bytesIn(), end.bytesOut(), Duration.ofNanos(Math.max(0, nanos)));
    }

    /** Returns the snapshot with another id and another number of its loop. */
    static ConnectionSnapshot renamed(ConnectionSnapshot now, long id, int loop) {
        return id == now.id() && loop == now.loop() ? now
                : copy(now, id, loop, now.oldestAge(), now.sinceProgress(), now.sinceActivity());
    }

    private static ConnectionSnapshot copy(ConnectionSnapshot now, long id, int loop, Duration oldestAge, Duration sinceProgress,
            Duration sinceActivity) {
        return new ConnectionSnapshot(id, now.remoteAddress(), loop, now.state(), now.readable(), now.writable(),
                now.exceptional(),
                now.readState(), now.interestReason(), now.queueBytes(), now.queueBytesMax(), now.queueMessages(), oldestAge,
                sinceProgress, now.writeTimeout(), now.timesFull(), now.bytesIn(), now.bytesOut(), sinceActivity, now.tls(),
                now.closeReason());
    }

    /** Returns the counters of several servers together. */
    static ServerStats sum(List<ServerStats> servers) {
        if (servers.size() == 1) {
            return servers.getFirst();
        }
        LoopStats total = new LoopStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        MemoryStats memory = new MemoryStats(0, 0, 0, 0, 0, 0);
        List<LoopStats> loops = new ArrayList<>();
        Map<CloseReason, Long> closed = new EnumMap<>(CloseReason.class);
        long queueBytes = 0;
        long queueBytesMax = 0;
        for (ServerStats server : servers) {
            total = total.plus(server.total());
            memory = memory.plus(server.memory());
            loops.addAll(server.loops());
            server.closed().forEach((reason, count) -> closed.merge(reason, count, Long::sum));
            queueBytes += server.queueBytes();
            queueBytesMax += server.queueBytesMax();
        }
        return new ServerStats(total, loops, queueBytes, queueBytesMax, memory, closed);
    }
}
