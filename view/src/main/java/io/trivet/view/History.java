package io.trivet.view;

import io.trivet.observe.CloseReason;
import io.trivet.observe.LoopStats;
import io.trivet.observe.ServerStats;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The last ten minutes of a server's counters, a point a second. Costs a few microseconds a second. Any thread. */
final class History {
    /** Ten minutes. */
    static final int POINTS_MAX = 600;
    /** The reasons with which a connection ends in good order. All others are shown as cut. */
    private static final List<CloseReason> ORDERLY = List.of(CloseReason.PEER_FINISHED, CloseReason.FINISHED, CloseReason.DRAINED,
            CloseReason.CLOSED, CloseReason.SERVER_CLOSED);

    private final ArrayDeque<Point> points = new ArrayDeque<>();
    private @Nullable ServerStats last;
    private long lastNanos;

    /**
     * A second of a server. Rates are in the second before.
     *
     * @param millis its end, in milliseconds since 1970
     * @param cut connections that ended out of order, in a second
     * @param memory native memory, in bytes
     */
    record Point(long millis, int connections, double messagesIn, double messagesOut, double bytesIn, double bytesOut,
            double accepted, double refused, double dropped, double cut, long queueBytes, long memory, double turns,
            double completions) {}

    /** Adds a point, and returns it. */
    synchronized Point add(ServerStats stats, long nanos, long millis) {
        ServerStats before = last == null ? stats : last;
        double seconds = last == null ? 1 : Math.max(1, nanos - lastNanos) / 1e9;
        LoopStats now = stats.total();
        LoopStats then = before.total();
        Point point = new Point(millis, now.connections(), (now.messagesIn() - then.messagesIn()) / seconds,
                (now.messagesOut() - then.messagesOut()) / seconds, (now.bytesIn() - then.bytesIn()) / seconds,
                (now.bytesOut() - then.bytesOut()) / seconds, (now.accepted() - then.accepted()) / seconds,
                (now.refused() + now.acceptFailures() - then.refused() - then.acceptFailures()) / seconds,
                (now.dropped() - then.dropped()) / seconds, (cut(stats.closed()) - cut(before.closed())) / seconds,
                stats.queueBytes(), stats.memory().total(), (now.turns() - then.turns()) / seconds,
                (now.completions() - then.completions()) / seconds);
        if (points.size() == POINTS_MAX) {
            points.removeFirst();
        }
        points.addLast(point);
        last = stats;
        lastNanos = nanos;
        return point;
    }

    private static long cut(Map<CloseReason, Long> closed) {
        return closed.entrySet().stream().filter(entry -> !ORDERLY.contains(entry.getKey())).mapToLong(Map.Entry::getValue).sum();
    }

    /** Returns the points, the oldest first. */
    synchronized List<Point> points() {
        return new ArrayList<>(points);
    }

    /** Returns the newest point, or null. */
    synchronized @Nullable Point newest() {
        return points.peekLast();
    }
}
