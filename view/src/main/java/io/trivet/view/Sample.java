package io.trivet.view;

import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.ServerStats;
import java.util.List;
import java.util.Map;

/**
 * Everything about a server at one moment.
 *
 * @param nanos the moment by {@link System#nanoTime}
 * @param millis the moment in milliseconds since 1970
 * @param rows the open connections, the oldest first
 * @param byId the same by their ids
 * @param closed the ends of the last connections, the newest first
 */
record Sample(long nanos, long millis, ServerStats stats, List<ListenerSnapshot> listeners, List<Row> rows, Map<Long, Row> byId,
        List<ClosedConnection> closed) {}
