package io.trivet.scenarios;

import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.sim.SimEngine;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Checks the snapshots of a server's connections after a turn: they tell what the connections themselves tell, and no other. */
final class SnapshotChecker {
    /** The time of the last activity is kept in steps of about a millisecond. */
    private static final long ACTIVITY_STEP_NANOS = 3_000_000;

    private final RunContext context;
    private final ServerUnderTest server;

    SnapshotChecker(RunContext context, ServerUnderTest server) {
        this.context = context;
        this.server = server;
    }

    void check() {
        List<ConnectionSnapshot> snapshots = server.instance().connections();
        List<ConnectionModel> models = server.connections();
        for (ConnectionModel model : models) {
            if (model.phase == ConnectionModel.Phase.BEFORE_OPEN || model.connection().state() == ConnectionState.CLOSED) {
                continue;
            }
            ConnectionSnapshot snapshot = find(snapshots, model.connection().id());
            ObservedSocket socket = model.socket;
            if (snapshot == null) {
                report(model, "nothing", "a snapshot");
            } else if (socket != null) {
                check(model, snapshot, socket);
            }
        }
        if (snapshots.size() > models.size() && server.plan.loops() == 1 && server.probes < 0) {
            report(server, snapshots.size() + " connections", String.valueOf(models.size()));
        }
    }

    private static @Nullable ConnectionSnapshot find(List<ConnectionSnapshot> snapshots, long id) {
        for (ConnectionSnapshot snapshot : snapshots) {
            if (snapshot.id() == id) {
                return snapshot;
            }
        }
        return null;
    }

    private void check(ConnectionModel model, ConnectionSnapshot snapshot, ObservedSocket socket) {
        same(model, "its state", snapshot.state(), model.connection().state());
        same(model, "its loop", snapshot.loop(), model.loopKey & 0xff);
        same(model, "its address", String.valueOf(snapshot.remoteAddress()), String.valueOf(model.connection().remoteAddress()));
        same(model, "bytes received", snapshot.bytesIn(), socket.servedIn);
        same(model, "bytes sent", snapshot.bytesOut(), socket.servedOut);
        same(model, "bytes queued", snapshot.queueBytes(), (long) model.connection().queue().bytes());
        same(model, "messages queued", snapshot.queueMessages(), model.connection().queue().messages());
        same(model, "the maximum of its queue", snapshot.queueBytesMax(), (long) model.plan.limits().queueBytesMax());
        same(model, "the age of its oldest message", snapshot.oldestAge(), model.connection().queue().oldestAge());
        same(model, "that it is read", snapshot.readable(), socket.receiving && !socket.inputEnded);
        same(model, "that it is written", snapshot.writable(), isWritten(model, socket));
        if (!model.plan.urgent() || snapshot.readable()) { // otherwise it depends on the engine
            same(model, "that it is watched for urgent data", snapshot.exceptional(), model.plan.urgent());
        }
        checkReason(model, snapshot);
        long idle = context.now() - Math.max(model.openedNanos, socket.activeNanos());
        long told = snapshot.sinceActivity().toNanos();
        if (told < 0 || Math.abs(told - idle) > ACTIVITY_STEP_NANOS) {
            report(model, told + " ns since the last activity", String.valueOf(idle));
        }
    }

    /**
     * Returns whether the socket is watched for output, as the proactor has just told. It must be while the server waits for a
     * send. A ring also waits for room on its own, for bytes that the socket has refused since they were accepted: then there are
     * bytes that the client has not read.
     */
    private static boolean isWritten(ConnectionModel model, ObservedSocket socket) {
        boolean mayHaveUnsent = model.plan.engine() == SimEngine.URING
                && model.client.bytesRead < socket.bytesOut + socket.urgentsOut;
        return socket.awaitsWritable || socket.hasPendingSend() || (mayHaveUnsent && socket.isWatchedForOutput);
    }

    private void checkReason(ConnectionModel model, ConnectionSnapshot snapshot) {
        String reason = snapshot.interestReason();
        boolean fits = switch (snapshot.state()) {
            case OPEN, INPUT_ENDED, DRAINING -> reason.startsWith(snapshot.readable() ? "read" : "not read")
                    && reason.contains("; written") == snapshot.writable();
            case LINGERING -> reason.startsWith("read");
            case CONNECTING, CLOSED -> !reason.isBlank();
        };
        if (!fits) {
            report(model, "as the reason why it is watched: " + reason, "one that fits " + snapshot);
        }
    }

    private void same(ConnectionModel model, String what, Object told, Object right) {
        if (!told.equals(right)) {
            report(model, what + ": " + told, String.valueOf(right));
        }
    }

    private void report(Object subject, String told, String right) {
        context.failures.report(Rule.GAUGES, "a snapshot of " + subject + " tells " + told + " instead of " + right);
    }
}
