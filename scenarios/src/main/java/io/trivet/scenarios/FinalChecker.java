package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ServerStats;
import io.trivet.sim.Fault;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Checks the end of a run: everything has become quiescent, both sides agree how each connection ended, and nothing is left. */
final class FinalChecker {
    private static final Duration STEP = Duration.ofSeconds(1);
    private static final int RECOVERY_STEPS_MAX = 300;
    /** Time for a server's work after the last connection is closed, such as the retry of an accept. */
    private static final Duration SETTLE_TIME = Duration.ofSeconds(5);

    private final RunContext context;
    private final List<ServerUnderTest> servers;
    private final List<Client> clients;

    /** Lets simulated time pass. */
    interface Advance {
        void advance(Duration duration) throws IOException;
    }

    FinalChecker(RunContext context, List<ServerUnderTest> servers, List<Client> clients) {
        this.context = context;
        this.servers = servers;
        this.clients = clients;
    }

    /** Waits until everything is quiescent, within a bounded time (liveness). */
    void awaitQuiescence(Advance time) throws IOException {
        for (int i = 0; i < RECOVERY_STEPS_MAX && !isQuiescent(); i++) {
            time.advance(STEP);
        }
        if (!isQuiescent()) {
            context.failures.report(Rule.LIVENESS,
                    "the faults ended " + RECOVERY_STEPS_MAX + " s ago, but " + describeRemaining());
        }
        context.failures.abortIfFailed();
        time.advance(SETTLE_TIME);
        checkNothingWaits();
    }

    /**
     * Checks that loops without connections wait for no deadline: cancelled timers and those of closed connections must have been
     * removed.
     */
    private void checkNothingWaits() {
        for (ServerUnderTest server : servers) {
            for (CheckedLoop loop : server.network().loops()) {
                if (!server.isEnding() && loop.nextDeadline() != Loop.NO_DEADLINE) {
                    context.failures.report(Rule.LEAKS, loop + " has no connection left, and still waits for a deadline");
                }
                if (!server.isEnding() && loop.anyCloseOverdue()) {
                    context.failures.report(Rule.COMPLETIONS, "a close of " + loop + " has not completed");
                }
            }
        }
        context.failures.abortIfFailed();
    }

    private boolean isQuiescent() {
        for (Client client : clients) {
            if (!client.isOver()) {
                return false;
            }
        }
        for (ServerUnderTest server : servers) {
            if (!server.connections().isEmpty() || (server.isEnding() && !server.instance().isClosed())) {
                return false;
            }
        }
        return true;
    }

    private String describeRemaining() {
        StringBuilder text = new StringBuilder();
        for (Client client : clients) {
            if (!client.isOver()) {
                text.append(text.isEmpty() ? "" : "; ").append(client.describe());
            }
        }
        for (ServerUnderTest server : servers) {
            for (ConnectionModel model : server.connections()) {
                text.append(text.isEmpty() ? "" : "; ").append(model).append(" is ").append(model.connection().state())
                        .append(", its queue holds ").append(model.connection().queue().bytes()).append(" bytes");
            }
            if (server.isEnding() && !server.instance().isClosed()) {
                text.append(text.isEmpty() ? "" : "; ").append(server).append(" has not ended");
            }
        }
        return text.toString();
    }

    /** Checks that what each client saw fits the reason that its connection reported. */
    void checkEndings() {
        for (Client client : clients) {
            ConnectionModel model = client.model;
            CloseReason reason = model == null ? null : model.reason;
            if (model != null && reason != null) {
                checkEnding(client, model, reason);
            } else {
                checkUnknownToServer(client);
            }
        }
        context.failures.abortIfFailed();
    }

    private void checkEnding(Client client, ConnectionModel model, CloseReason reason) {
        // what a ring has accepted is lost if the linger timeout passes before it is sent
        boolean sentAll = model.hasSentAllAccepted() && model.socket != null && model.socket.unsentAtClose == 0;
        boolean orderly = CloseReasonChecker.isOrderly(reason)
                || (CloseReasonChecker.sendsBeforeEnd(reason) && sentAll && !model.closedByApplication);
        if (client.hasReadEnd()) {
            if (client.isUnix() && !orderly && context.isExcused(Excuse.UNIX_CUT)) {
                client.checker().checkSent(model);
            } else {
                client.checker().checkComplete(model); // for any reason: a FIN promises that nothing is missing
            }
        }
        boolean notReceived = client.serverLeftBytesUnread();
        boolean netReset = client.isAffectedBy(Fault.RESET);
        switch (client.end) {
            case FINISHED -> {
                if (reason == CloseReason.RESET && !netReset) {
                    report(client, reason, "has read the end of its input");
                }
            }
            case FAILED -> {
                if (orderly && !notReceived && !netReset) {
                    report(client, reason,
                            "lost its connection with " + client.failureCode + ", although everything that it wrote was read");
                }
                if (reason == CloseReason.RESET && !netReset) {
                    report(client, reason,
                            "lost its connection with " + client.failureCode + ", although neither side has reset it");
                }
            }
            case NOT_CONNECTED -> {
                boolean anyConnection = model.outgoing || netReset || !orderly || client.isAffectedBy(Fault.WATCH_REFUSED);
                if (!anyConnection) {
                    report(client, reason, "was never connected");
                }
            }
            case ABORTED -> {
                // After an abort by the client, the server may report any reason.
            }
            case NONE -> report(client, reason, "has not ended");
        }
    }

    /** Checks the end of a client for which no handler was called. */
    private void checkUnknownToServer(Client client) {
        ServerUnderTest server = client.server;
        boolean turnedAway = client.end == Client.End.FAILED || client.end == Client.End.FINISHED;
        if (turnedAway && server.plan.limits().connectionsPerAddressMax() > 0 && !server.isEnding()) {
            context.tally.add("limit", Limit.CONNECTIONS_PER_ADDRESS);
        }
        boolean explained = switch (client.end) {
            case ABORTED, NONE -> true;
            case NOT_CONNECTED -> client.plan.outgoing() || !client.hasTriedToConnect() || mayBeRefused(client)
                // its SYN never found room in the backlog
                    || ((client.failureCode == ErrorCode.ETIMEDOUT || client.failureCode == ErrorCode.EAGAIN)
                            && server.plan.backlog() < clients.size()
                            && context.isExcused(Excuse.BACKLOG_FULL));
            case FAILED, FINISHED -> mayBeRefused(client);
        };
        if (!explained) {
            report(client, null, "ended as " + client.end + (client.failureCode == null ? "" : " with " + client.failureCode));
        }
    }

    private boolean mayBeRefused(Client client) {
        return client.server.admissions.mayBeRefused(client.address())
                || (hasConnectFault(client) && context.isExcused(Excuse.CONNECT_FAULT))
                || (client.server.isEnding() && context.isExcused(Excuse.SERVER_ENDS));
    }

    private static boolean hasConnectFault(Client client) {
        return client.isAffectedBy(Fault.ACCEPT_ABORTED) || client.isAffectedBy(Fault.RESET)
                || client.isAffectedBy(Fault.CONNECT_REFUSED) || client.isAffectedBy(Fault.CONNECT_UNREACHABLE)
                || client.isAffectedBy(Fault.CONNECT_IGNORED) || client.isAffectedBy(Fault.WATCH_REFUSED);
    }

    private void report(Client client, @Nullable CloseReason reason, String saw) {
        context.failures.report(Rule.ENDS,
                client + " " + saw + ", but its server "
                        + (reason == null ? "has called no handler for it" : "reports " + reason));
    }

    /** Checks, after everything was closed, that nothing is left. */
    void checkLeaks(List<SimHost> clientHosts) {
        for (ServerUnderTest server : servers) {
            ServerStats stats = server.instance().stats();
            server.counters.check(stats);
            leak(stats.memory().spare() != 0, server, "it still keeps " + stats.memory().spare() + " bytes for reuse");
            leak(stats.memory().tls() != 0, server, "it still holds " + stats.memory().tls() + " bytes for TLS");
            leak(stats.queueBytes() != 0, server, "its budget still counts " + stats.queueBytes() + " bytes");
            leak(stats.memory().queues() != 0, server, "its queues still hold " + stats.memory().queues() + " bytes");
            leak(stats.memory().input() != 0, server, "it still holds " + stats.memory().input() + " bytes of input");
            leak(stats.total().connections() != 0, server, "it still counts " + stats.total().connections() + " connections");
            leak(server.tasksLeft != 0, server, server.tasksLeft + " tasks did not run");
            for (CheckedLoop loop : server.network().loops()) {
                leak(loop.nextDeadline() != Loop.NO_DEADLINE, server, loop + " still has a deadline");
            }
            leak(server.network().host().openDescriptors() != 0, server,
                    "open descriptors are left: " + server.network().host().describeDescriptors());
        }
        for (Client client : clients) {
            ConnectionModel model = client.model;
            if (model != null) {
                leak(model.openStreams != 0, client.server, model.openStreams + " listeners of transfers of " + model
                        + " were not called");
                leak(model.connection().queue().bytes() != 0 || model.connection().queue().messages() != 0, client.server,
                        "the queue of " + model + " still holds " + model.connection().queue().messages() + " messages, "
                                + model.connection().queue().bytes() + " bytes");
            }
        }
        for (SimHost host : clientHosts) {
            if (host.openDescriptors() != 0) {
                context.failures.report(Rule.LEAKS, "open descriptors of clients are left: " + host.describeDescriptors());
            }
        }
        context.failures.abortIfFailed();
    }

    private void leak(boolean found, ServerUnderTest server, String what) {
        if (found) {
            context.failures.report(Rule.LEAKS, server + " is closed, but " + what);
        }
    }
}
