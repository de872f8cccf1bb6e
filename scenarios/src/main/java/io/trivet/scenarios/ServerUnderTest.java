package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.net.UnixAddress;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.sim.Fault;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** One server of a run, with its application and the models of its connections. */
final class ServerUnderTest {
    /** The result of {@link #origin} for the connection's own loop. */
    static final int OWN_LOOP = -2;
    static final int PORT = 8080;
    static final int SECOND_PORT = 8081;
    private static final int RECONNECTS_MAX = 3;
    private static final int CONNECT_FILL_MESSAGES = 5;
    private static final int CONNECT_FILL_BYTES_MAX = 20_000;
    private static final long DRAIN_STARTS_WITHIN_NANOS = 10_000;

    /** How the end of a server is requested. */
    enum Ending {
        DRAIN, DRAIN_AGAIN, CLOSE, CLOSE_WHILE_DRAINING, REQUESTED_IN_CALLBACK
    }

    final RunContext context;
    /**
     * Upper bound of a buffer's memory as a multiple of its bytes: a buffer grows to twice its size while the old one still
     * exists.
     */
    private static final long BUFFER_FACTOR = 3;
    /** The smallest buffer of a queue. */
    private static final int BUFFER_BYTES_MIN = 1024;

    final ServerPlan plan;
    final InetSocketAddress address;
    final ConnectionActions actions;
    final Broadcasts broadcasts;
    final CounterChecker counters;
    final Admissions admissions;
    final ServerTasks tasks;
    private final ServerApplication application;
    private final ServerApplication upgradedApplication;
    private final ClientsByAddress clientsByAddress;
    private final CheckedNetwork network;
    private @Nullable Server instance;
    /** The connections that are not closed, in the order in which they appeared. */
    private final List<ConnectionModel> connections = new ArrayList<>();
    private final Map<InetAddress, Integer> perAddress = new LinkedHashMap<>();
    private long budgetBytesBound;
    /** The earliest deadline of the drains before the latest one; {@link Loop#NO_DEADLINE} if there are none. */
    private long earlierDeadlineNanos = Loop.NO_DEADLINE;
    private long drainRequestedNanos;
    private long bytesReceivedBefore;
    private int orders;
    /** For each loop, a connection that it has served; null if there was none. */
    private final @Nullable Connection[] anyConnection;
    private int accepted;
    /** When the server must be closed; -1 if no end was requested. */
    long endDeadlineNanos = -1;
    boolean draining;
    boolean closing;
    /** The clients of the {@link AdmissionProbe} that were served; -1 before it connects any. */
    int probes = -1;
    /** Tasks that were passed to loops and have not run. */
    int tasksLeft;
    private @Nullable Runnable pendingAction;

    ServerUnderTest(RunContext context, ServerPlan plan, CheckedNetwork network, InetSocketAddress address,
            ClientsByAddress clientsByAddress) {
        this.context = context;
        this.plan = plan;
        this.network = network;
        this.address = address;
        this.clientsByAddress = clientsByAddress;
        anyConnection = new @Nullable Connection[plan.loops()];
        actions = new ConnectionActions(context, this);
        broadcasts = new Broadcasts(context, this);
        counters = new CounterChecker(context, this);
        admissions = new Admissions(context, this);
        tasks = new ServerTasks(context, this);
        application = new ServerApplication(context, this, null, false);
        upgradedApplication = new ServerApplication(context, this, null, true);
        network.belongsTo(this);
    }

    void start() throws IOException {
        ServerBuilder builder = Server.builder().network(network).listen(firstAddress()).backlog(plan.backlog())
                .handler(application).framing(plan.framing().toFraming());
        switch (plan.listeners()) {
            case TWO_PORTS -> builder.listen(new InetSocketAddress(address.getAddress(), SECOND_PORT));
            case PORT_AND_PATH -> builder.listen(path());
            case PORT, ABSTRACT_NAME -> {
                // There is one listener.
            }
        }
        instance = builder.limits(plan.limits()).overflow(plan.overflow()).urgent(plan.urgent()).loops(plan.loops()).open();
    }

    /** Returns the address that a client connects to. */
    InetSocketAddress addressFor(ClientPlan client) {
        return client.number() % 2 == 0 ? firstAddress() : switch (plan.listeners()) {
            case PORT, ABSTRACT_NAME -> firstAddress();
            case TWO_PORTS -> new InetSocketAddress(address.getAddress(), SECOND_PORT);
            case PORT_AND_PATH -> path().asInetSocketAddress();
        };
    }

    /** Returns the address of the first listener. */
    InetSocketAddress firstAddress() {
        return plan.listeners() == Listeners.ABSTRACT_NAME ? UnixAddress.parse("unix:@" + this).asInetSocketAddress() : address;
    }

    private UnixAddress path() {
        return UnixAddress.parse("unix:/run/" + this + ".sock");
    }

    Server instance() {
        return Objects.requireNonNull(instance);
    }

    /** Returns the handler of a connection after its upgrade. */
    Handler upgradedHandler(ConnectionModel model) {
        return model.outgoing ? new ServerApplication(context, this, model, true) : upgradedApplication;
    }

    CheckedNetwork network() {
        return network;
    }

    /** Returns true once a drain or a close was requested. */
    boolean isEnding() {
        return draining || closing;
    }

    // ---- the end of the server

    void drain(long timeoutNanos) {
        if (closing) {
            return;
        }
        if (context.timeline.isEnabled()) {
            context.timeline.log(this + ": drain within " + ReportText.duration(timeoutNanos));
        }
        context.tally.add("server-end", draining ? Ending.DRAIN_AGAIN : Ending.DRAIN);
        earlierDeadlineNanos = draining ? Math.min(earlierDeadlineNanos, endDeadlineNanos) : Loop.NO_DEADLINE;
        draining = true;
        drainRequestedNanos = context.now();
        endDeadlineNanos = context.now() + timeoutNanos;
        instance().drain(Duration.ofNanos(timeoutNanos));
    }

    /**
     * Returns true if the deadline of a drain has passed. That may be the latest drain, or an earlier one whose deadline passed
     * before a loop noticed the latest. A loop notices it within a round or two, or after a jump of the clock.
     */
    boolean mayEnd() {
        boolean earlierPassed = context.now() >= earlierDeadlineNanos
                && (earlierDeadlineNanos - drainRequestedNanos <= DRAIN_STARTS_WITHIN_NANOS
                        || context.jumpedNanos() >= drainRequestedNanos);
        return draining && (context.now() >= endDeadlineNanos || earlierPassed);
    }

    void shutdown() {
        if (closing) {
            return;
        }
        context.timeline.log(this + ": close");
        context.tally.add("server-end", draining ? Ending.CLOSE_WHILE_DRAINING : Ending.CLOSE);
        closing = true;
        endDeadlineNanos = context.now();
        instance().close();
    }

    void runInNextCallback(Runnable action) {
        pendingAction = action;
    }

    /** Runs the action for the next callback, if there is one. Called by every callback. */
    void runPendingAction() {
        Runnable action = pendingAction;
        if (action != null) {
            pendingAction = null;
            context.tally.add("server-end", Ending.REQUESTED_IN_CALLBACK);
            action.run();
        }
    }

    // ---- connections

    @Nullable
    Client clientOf(Connection connection) {
        return clientAt(connection.remoteAddress());
    }

    @Nullable
    Client clientAt(InetSocketAddress remote) {
        return clientsByAddress.get(remote);
    }

    /**
     * Called after an external action on the server. With a single loop the action comes from the loop's own thread, which is
     * awake then.
     */
    void wakeSingleLoop() {
        if (plan.loops() == 1) {
            network.wakeSilently();
        }
    }

    /** Returns the application's planned reaction for this connection; null if there is none. */
    @Nullable
    ReactionPlan reactionOf(ConnectionModel model, Reaction reaction) {
        for (int i = 0; i < plan.reactions().size() && !context.recovering && !closing; i++) {
            ReactionPlan planned = plan.reactions().get(i);
            if (planned.reaction() == reaction && planned.appliesTo(model.client)) {
                context.tally.add("reaction", reaction);
                return planned;
            }
        }
        return null;
    }

    /** Connects to a client. */
    void connectTo(Client client) {
        connectTo(client, true);
    }

    /**
     * Connects again to the client of a closed connection, up to {@link #RECONNECTS_MAX} times.
     *
     * @param lost the closed connection
     * @param unreached true if it was never established
     * @return true if the client still waits, now for the new connection
     */
    boolean reconnect(ConnectionModel lost, boolean unreached) {
        Client client = lost.client;
        // The client may have accepted a connection that the server could not register.
        boolean waits = unreached && client.awaitsConnection() && !client.isAffectedBy(Fault.WATCH_REFUSED);
        if (client.reconnects == RECONNECTS_MAX || (!waits && !client.hasStoppedListening())) {
            return false;
        }
        client.reconnects++;
        return connectTo(client, waits) && waits;
    }

    private boolean connectTo(Client client, boolean awaited) {
        ConnectionModel model = new ConnectionModel(plan, client, true, context.now());
        connections.add(model);
        if (awaited) {
            client.model = model;
        }
        Connection connection;
        try {
            ServerApplication handler = new ServerApplication(context, this, model, false);
            InetSocketAddress to = client.listenAddress();
            if (reactionOf(model, Reaction.CONNECT_BY_NAME) != null) {
                model.connectsByName = true;
                to = InetSocketAddress.createUnresolved(to.getAddress().getHostAddress(), to.getPort());
            }
            ReactionPlan timed = reactionOf(model, Reaction.CONNECT_WITH_TIMEOUT);
            if (timed != null) {
                model.connectTimeout = Duration.ofNanos(timed.nanos());
                connection = instance().connect(to, handler, model.connectTimeout);
            } else {
                connection = instance().connect(to, handler);
            }
        } catch (RejectedExecutionException e) { // the server is closed
            if (!isEnding()) {
                context.failures.report(Rule.CRASH, this + " is open and refuses to connect", e);
            }
            connections.remove(model);
            if (awaited) {
                client.model = null;
            }
            return false;
        }
        model.connection(connection);
        connection.attachment(model);
        context.tally.add("state", connection.state());
        if (!plan.pureEcho()) {
            // Queued until the connection is established. For some clients it is more than a socket accepts at once.
            int size = Math.min(25 + 20 * client.plan.number() * client.plan.number(), plan.limits().queueBytesMax() / 4);
            actions.reply(model, Math.min(size, plan.framing().lengthMax()), SendMethod.BYTES);
        }
        ReactionPlan fills = plan.pureEcho() ? null : reactionOf(model, Reaction.CONNECT_FILLS);
        int most = plan.limits().queueBytesMax();
        int fill = Math.min(most / 3 + 1, Math.min(plan.framing().lengthMax(), CONNECT_FILL_BYTES_MAX));
        for (int i = 0; fills != null && i < CONNECT_FILL_MESSAGES; i++) {
            actions.reply(model, fill, i % 2 == 0 ? SendMethod.BYTES : SendMethod.OFFER);
        }
        if (reactionOf(model, Reaction.CONNECT_FINISHES_OUTPUT) != null) {
            model.outputFinished = true;
            connection.finishOutput();
        }
        if (reactionOf(model, Reaction.CONNECT_FINISHES) != null) {
            actions.finish(model);
        }
        return true;
    }

    /** Starts the recovery phase: resumes every paused connection. */
    void recover() {
        for (ConnectionModel model : List.copyOf(connections)) {
            actions.resume(model);
            if (plan.endOfInput() == EndOfInputReaction.NOTHING && model.phase == ConnectionModel.Phase.INPUT_ENDED) {
                actions.finish(model);
            }
        }
    }

    void connectionOpened(ConnectionModel model, Connection connection) {
        context.connections++;
        model.connection(connection);
        connection.attachment(model);
        model.client.model = model;
        int loop = connection.loop();
        model.loopKey = RunContext.loopKey(plan.number(), loop);
        if (anyConnection[loop] == null) {
            anyConnection[loop] = connection;
        }
        if (!mayRunHere(model)) {
            context.failures.report(Rule.CALLBACKS,
                    model + ": belongs to loop " + loop + ", but onOpen is called on another one, " + context.currentLoop);
        }
        model.socket = network.socket(loop, connection.remoteAddress());
        model.socket.connection = connection;
        broadcasts.openedOrEnding(model);
        model.openedNanos = context.now();
        model.lastMessageNanos = context.now();
        model.lastResumeNanos = context.now();
        if (!model.outgoing) {
            connections.add(model);
            accepted++;
            boolean isUnix = UnixAddress.isUnix(connection.remoteAddress()); // the limit does not apply
            int sameAddress = isUnix ? 0 : perAddress.merge(connection.remoteAddress().getAddress(), 1, Integer::sum);
            int perAddressMax = plan.limits().connectionsPerAddressMax();
            if (accepted > plan.limits().connectionsMax() || (perAddressMax > 0 && sameAddress > perAddressMax)) {
                context.failures.report(Rule.CAPS, this + " has " + accepted + " accepted connections (maximum "
                        + plan.limits().connectionsMax() + "), " + sameAddress + " from one address (maximum " + perAddressMax
                        + ")");
            }
            if (accepted == plan.limits().connectionsMax()) {
                context.tally.add("limit", Limit.CONNECTIONS);
            }
        }
    }

    void connectionClosed(ConnectionModel model, boolean reconnecting) {
        connections.remove(model);
        if (!reconnecting) {
            model.client.connectFailed();
        }
        if (!model.outgoing) {
            accepted--;
            perAddress.computeIfPresent(model.connection().remoteAddress().getAddress(), (address, count) -> count - 1);
        }
    }

    /** Returns the connections that are not closed, in the order in which they appeared. */
    List<ConnectionModel> connections() {
        return connections;
    }

    /** Returns one of the open connections, selected by any number; null if none is open. */
    @Nullable
    ConnectionModel pick(int number) {
        ConnectionModel picked = connections.isEmpty() ? null : connections.get(number % connections.size());
        return picked == null || picked.phase == ConnectionModel.Phase.BEFORE_OPEN ? null : picked;
    }

    /** Returns any connection that a loop has served; null if there was none. */
    @Nullable
    Connection anyConnection(int loop) {
        return anyConnection[loop];
    }

    /** Returns the loop of this server whose turn it is; null if there is none. */
    @Nullable
    CheckedLoop turningLoop() {
        int current = context.currentLoop;
        return current == RunContext.OUTSIDE || current >> 8 != plan.number() ? null : network.loops().get(current & 0xff);
    }

    /** Returns the loop that the current call comes from: {@link #OWN_LOOP} if it is the connection's own. */
    int origin(ConnectionModel model) {
        boolean own = context.currentLoop == model.loopKey || (plan.loops() == 1 && context.currentLoop == RunContext.OUTSIDE);
        return own ? OWN_LOOP : context.currentLoop;
    }

    /**
     * Returns true if a callback or task of a connection may run now: on the connection's own loop; or outside all loops, if the
     * server is closing, or if it has a single loop and the current call is an external action.
     */
    boolean mayRunHere(ConnectionModel model) {
        return context.currentLoop == model.loopKey
                || (context.currentLoop == RunContext.OUTSIDE && (closing || plan.loops() == 1));
    }

    /** Returns the index of a connection's loop; -1 if the connection is still on its way to the loop. */
    static int loopOf(ConnectionModel model) {
        Connection connection = model.connection();
        return connection.id() < 0 ? -1 : connection.loop();
    }

    /** Returns the number of the next message. Messages from one origin must arrive in the order of their numbers. */
    int nextOrder() {
        return orders++;
    }

    // ---- the budget of all queues

    /** Returns true if a scenario of this size can exceed the budget. */
    boolean isBudgetScarce() {
        return plan.limits().queueBudgetBytes() < CloseReasonChecker.SCARCE_BUDGET_BYTES;
    }

    /**
     * Called at the end of a turn. Computes an upper bound of the bytes that count against the budget now, or will count if a
     * pending send is only partly completed. Until the next turn, new bytes only raise the bound.
     */
    void resetBudgetBound() {
        long bytes = instance().stats().queueBytes();
        for (int i = 0; i < connections.size(); i++) {
            bytes += connections.get(i).connection().queue().bytes();
        }
        budgetBytesBound = BUFFER_FACTOR * bytes;
        bytesReceivedBefore = context.bytesReceived;
    }

    /** Adds bytes that were to be sent, whether or not they were accepted. */
    void raiseBudgetBound(long bytes) {
        budgetBytesBound += BUFFER_FACTOR * bytes + BUFFER_BYTES_MIN;
    }

    /** Returns an upper bound of the bytes that counted against the budget at any moment since the last turn. */
    long budgetBytesBound() {
        return budgetBytesBound + BUFFER_FACTOR * (context.bytesReceived - bytesReceivedBefore)
                + (long) BUFFER_BYTES_MIN * connections.size();
    }

    @Override
    public String toString() {
        return "server " + plan.number();
    }
}
