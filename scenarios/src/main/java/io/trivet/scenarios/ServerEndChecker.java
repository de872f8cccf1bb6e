package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.LoopStats;
import io.trivet.observe.ServerStats;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Checks what every server of a {@link Trial} reports when it is closed: its connections can be found by their ids, its totals are
 * the sums of its loops, the ends that it keeps are those of its handler, and a closed server accepts nothing.
 */
final class ServerEndChecker {
    /** The number of ends that each loop keeps. */
    private static final int ENDS_MAX = 128;
    private static final List<ToLongFunction<LoopStats>> COUNTERS = List.of(LoopStats::connections, LoopStats::turns,
            LoopStats::completions, LoopStats::accepted, LoopStats::acceptFailures, LoopStats::refused, LoopStats::messagesIn,
            LoopStats::messagesOut, LoopStats::bytesIn, LoopStats::bytesOut, LoopStats::closed, LoopStats::dropped,
            LoopStats::tasks);

    /** An end, as a server reports it. */
    private record End(long id, String remoteAddress, int loop, CloseReason reason, @Nullable String failure) {
        static End of(ClosedConnection closed) {
            return new End(closed.id(), String.valueOf(closed.remoteAddress()), closed.loop(), closed.reason(), closed.failure());
        }

        static End of(TrialHandler.Seen seen, CloseReason reason) {
            Connection connection = seen.connection;
            IOException failure = connection.failure();
            return new End(connection.id(), addressOf(connection), connection.loop(), reason,
                    failure == null ? null : failure.getMessage());
        }

        private static String addressOf(Connection connection) {
            try {
                return connection.remoteAddress().toString();
            } catch (IllegalStateException e) {
                return "null"; // it never had one
            }
        }
    }

    private final TrialRun run;
    private @Nullable TrialHandler handler;

    ServerEndChecker(TrialRun run) {
        this.run = run;
    }

    /** Called with the handler of a server's connections. */
    void handles(Handler of) {
        handler = of instanceof TrialHandler recording ? recording : null;
    }

    /** Checks a server that is about to be closed. */
    void checkBefore(Server server) {
        List<ConnectionSnapshot> snapshots = server.connections();
        for (ConnectionSnapshot each : snapshots) {
            if (each.id() < 0) { // it connects by name
                continue;
            }
            Connection found = server.connection(each.id());
            if (found == null) {
                run.fail(Rule.GAUGES, "the connection of a snapshot is not found by its id: " + each);
                return;
            }
            run.same(Rule.GAUGES, "the id of the connection that was found", found.id(), each.id());
            run.same(Rule.GAUGES, "its state", found.state(), each.state());
            run.same(Rule.GAUGES, "its loop", found.loop(), each.loop());
            run.same(Rule.GAUGES, "the bytes of its queue", (long) found.queue().bytes(), each.queueBytes());
            run.same(Rule.GAUGES, "the messages of its queue", found.queue().messages(), each.queueMessages());
        }
        for (ClosedConnection each : server.recentlyClosed()) {
            if (each.id() >= 0) {
                run.same(Rule.GAUGES, "a connection that is closed, whose place another one may have, is found by its id",
                        String.valueOf(server.connection(each.id())), "null");
            }
        }
        checkSums(server.stats());
    }

    private void checkSums(ServerStats stats) {
        for (ToLongFunction<LoopStats> counter : COUNTERS) {
            run.same(Rule.GAUGES, "counter " + COUNTERS.indexOf(counter) + " of the total " + stats.total(),
                    counter.applyAsLong(stats.total()), stats.loops().stream().mapToLong(counter).sum());
        }
        run.same(Rule.GAUGES, "the number of connections that were closed for any reason",
                stats.closed().values().stream().mapToLong(each -> each).sum(), stats.total().closed());
    }

    /** Checks a server that was closed. */
    void checkAfter(Server server) {
        run.same(Rule.ENDS, "the server is closed", server.isClosed(), true);
        run.same(Rule.LEAKS, "snapshots of a closed server", server.connections().size(), 0);
        for (ListenerSnapshot each : server.listeners()) {
            run.same(Rule.ENDS, "the state of a listener of a closed server", each.state(), ListenerSnapshot.State.CLOSED);
        }
        run.same(Rule.GAUGES, "the addresses of its listeners",
                server.listeners().stream().map(ListenerSnapshot::address).toList(), server.addresses());
        checkSums(server.stats());
        checkRejected("execute", () -> server.execute(() -> {}));
        checkRejected("schedule", () -> server.schedule(Duration.ZERO, () -> {}));
        checkRejected("connect", () -> server.connect(run.address, new TrialHandler()));
        checkBytes(server);
        TrialHandler recording = handler;
        if (recording != null && !run.hasFailed()) {
            checkEnds(server, recording.closed);
        }
    }

    private void checkRejected(String call, Runnable made) {
        try {
            made.run();
            run.fail(Rule.CALLBACKS, call + " of a closed server is not rejected");
        } catch (RejectedExecutionException e) {
            // As it must be.
        }
    }

    /** Unless some ends were forgotten, the bytes of the connections are those of the server. */
    private void checkBytes(Server server) {
        List<ClosedConnection> ends = server.recentlyClosed();
        LoopStats total = server.stats().total();
        if (ends.size() == total.closed()) {
            run.same(Rule.GAUGES, "bytes received by all connections",
                    ends.stream().mapToLong(ClosedConnection::bytesIn).sum(), total.bytesIn());
            run.same(Rule.GAUGES, "bytes sent by all connections",
                    ends.stream().mapToLong(ClosedConnection::bytesOut).sum(), total.bytesOut());
        }
    }

    private void checkEnds(Server server, List<TrialHandler.Seen> closed) {
        Map<CloseReason, Long> reasons = new EnumMap<>(CloseReason.class);
        List<End> ends = new ArrayList<>();
        for (TrialHandler.Seen each : closed) {
            CloseReason reason = each.reason;
            if (reason != null) {
                reasons.merge(reason, 1L, Long::sum);
                ends.addFirst(End.of(each, reason));
            }
            run.same(Rule.GAUGES, "a connection that is closed is found by its id",
                    String.valueOf(server.connection(each.connection.id())), "null");
        }
        run.same(Rule.GAUGES, "the number of closed connections by reason", server.stats().closed(), reasons);
        for (int i = 0; i < server.stats().loops().size(); i++) {
            int loop = i;
            List<End> right = ends.stream().filter(each -> each.loop == loop).limit(ENDS_MAX).toList();
            List<End> reported = server.recentlyClosed().stream().filter(each -> each.loop() == loop).map(End::of).toList();
            run.same(Rule.GAUGES, "the last ends of loop " + loop, reported, right);
        }
    }
}
