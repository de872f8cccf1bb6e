package io.trivet.scenarios;

import io.trivet.net.Loop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Performs the external actions when they are due. It is a loop of the network, but belongs to no server. */
final class ExternalActions implements Loop {
    private final RunContext context;
    private final List<ServerUnderTest> servers;
    private final @Nullable UdpTraffic udpTraffic;
    private final @Nullable SessionServer sessions;
    private final @Nullable RelayServer relays;
    private final EdgeServers edges;
    private final List<ExternalAction> actions;
    private int next;
    /** When the next action is due. */
    private long nextNanos;

    ExternalActions(RunContext context, List<ServerUnderTest> servers, @Nullable UdpTraffic udpTraffic,
            @Nullable SessionServer sessions, @Nullable RelayServer relays, EdgeServers edges) {
        this.udpTraffic = udpTraffic;
        this.sessions = sessions;
        this.relays = relays;
        this.edges = edges;
        this.context = context;
        this.servers = servers;
        actions = new ArrayList<>(context.scenario.actions());
        actions.sort(Comparator.comparingLong(ExternalAction::atNanos));
        updateNext();
    }

    @Override
    public int turn() throws IOException {
        guardAgainstSpin();
        if (nextNanos > context.now() && !context.recovering) {
            return 0;
        }
        int done = 0;
        while (next < actions.size() && (context.recovering || actions.get(next).atNanos() <= context.now())) {
            ExternalAction action = actions.get(next++);
            done++;
            if (!context.recovering) {
                perform(action);
            }
        }
        updateNext();
        context.failures.abortIfFailed();
        return done;
    }

    /** Ends a run that takes too many rounds. This loop polls nothing, so it is turned in every round. */
    private void guardAgainstSpin() {
        if (context.network.rounds() > context.roundsMax) {
            context.failures.report(Rule.SPIN, String.format(Locale.ROOT,
                    "the run has not ended after %,d rounds of its loops", context.roundsMax));
            context.failures.abortIfFailed();
        }
    }

    private void updateNext() {
        nextNanos = next == actions.size() ? NO_DEADLINE : actions.get(next).atNanos();
    }

    @Override
    public long nextDeadline() {
        return nextNanos == NO_DEADLINE ? NO_DEADLINE : context.deadline(nextNanos);
    }

    private void perform(ExternalAction action) throws IOException {
        if (action.server() < 0) {
            context.progress++;
            record(action);
            performBeside(action);
        } else if (!servers.get(action.server()).isEnding() || (endsServer(action) && !servers.get(action.server()).closing)) {
            ServerUnderTest server = servers.get(action.server());
            perform(action, server);
            server.wakeSingleLoop();
        }
    }

    /** Performs an action that concerns none of the servers under test. */
    private void performBeside(ExternalAction action) throws IOException {
        switch (action) {
            case ExternalAction.Datagram datagram -> Objects.requireNonNull(udpTraffic).send(datagram.size());
            case ExternalAction.Converse converse -> Objects.requireNonNull(sessions).converse(converse.conversation());
            case ExternalAction.DrainSessions drain -> Objects.requireNonNull(sessions).drain(drain.timeoutNanos());
            case ExternalAction.ConnectRelayed relayed -> Objects.requireNonNull(relays).connect(relayed.plan());
            case ExternalAction.DrainRelays drain -> Objects.requireNonNull(relays).drain(drain.timeoutNanos());
            case ExternalAction.RunTrial trial -> new TrialRun(context, trial.kind(), trial.seed()).perform();
            default -> {
                if (!edges.perform(action)) {
                    throw new AssertionError("concerns a server under test: " + action);
                }
            }
        }
    }

    /** Returns true for actions that are performed on a draining server, too. */
    private static boolean endsServer(ExternalAction action) {
        return action instanceof ExternalAction.Drain || action instanceof ExternalAction.Shutdown;
    }

    private void record(ExternalAction action) {
        context.tally.add("external " + action.getClass().getSimpleName().toUpperCase(Locale.ROOT), 1);
        if (context.timeline.isEnabled()) {
            context.timeline.log("external action: " + action.subject() + " " + action);
        }
    }

    private void perform(ExternalAction action, ServerUnderTest server) {
        context.progress++;
        record(action);
        switch (action) {
            case ExternalAction.Broadcast broadcast -> server.broadcasts.send(broadcast.size());
            case ExternalAction.Send send -> {
                ConnectionModel model = server.pick(send.pick());
                for (int i = 0; model != null && !server.plan.pureEcho() && i < send.count(); i++) {
                    server.actions.reply(model, send.size(), send.sendFirst() ? SendMethod.FIRST : SendMethod.BYTES);
                }
            }
            case ExternalAction.Pause pause -> {
                ConnectionModel model = server.pick(pause.pick());
                if (model != null) {
                    server.actions.pause(model, pause.nanos());
                }
            }
            case ExternalAction.Finish finish -> {
                ConnectionModel model = server.pick(finish.pick());
                if (model != null) {
                    server.actions.finish(model);
                }
            }
            case ExternalAction.Close close -> {
                ConnectionModel model = server.pick(close.pick());
                if (model != null) {
                    server.actions.close(model);
                }
            }
            case ExternalAction.Datagram _,ExternalAction.Converse _,ExternalAction.DrainSessions _,ExternalAction.ConnectRelayed _,ExternalAction.DrainRelays _,ExternalAction.RunTrial _,ExternalAction.ConnectSecured _,ExternalAction.DrainSecured _,ExternalAction.ConnectGuarded _ ->
                throw new AssertionError("concerns no server under test: " + action);
            case ExternalAction.Drain drain when drain.inCallback() ->
                server.runInNextCallback(() -> server.drain(drain.timeoutNanos()));
            case ExternalAction.Drain drain -> server.drain(drain.timeoutNanos());
            case ExternalAction.Shutdown shutdown when shutdown.inCallback() -> server.runInNextCallback(server::shutdown);
            case ExternalAction.Shutdown shutdown -> server.shutdown();
        }
    }
}
