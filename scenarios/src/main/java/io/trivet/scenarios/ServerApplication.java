package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The handler of a server under test. Executes the requests in its clients' messages, performs the planned reactions, and passes
 * each callback to the checkers. It keeps a {@link ConnectionModel} of each connection.
 */
final class ServerApplication implements Handler {
    /** Limits a reaction that refills a drained queue, which would otherwise continue as long as its client reads. */
    private static final int REFILLS_MAX = 20;
    private static final int FILL_MESSAGES_MAX = 50;
    /** The maximum number of messages that are sent in one onDropped. */
    private static final int DROPPED_SENDS_MAX = 3;
    private static final long LATER_NANOS = 20_000_000;

    private final RunContext context;
    private final ServerUnderTest server;
    private final ServerPlan plan;
    private final InputChecker input;
    private final CallbackChecker callbacks;
    private final ConnectionActions actions;
    private final RequestExecutor requests;
    /** The connection that the server makes with this handler; null for the handler of accepted connections. */
    private final @Nullable ConnectionModel outgoing;
    /** It serves connections after their upgrade, and no others. */
    private final boolean upgraded;

    ServerApplication(RunContext context, ServerUnderTest server, @Nullable ConnectionModel outgoing, boolean upgraded) {
        this.context = context;
        this.server = server;
        this.outgoing = outgoing;
        this.upgraded = upgraded;
        plan = server.plan;
        input = new InputChecker(context, server);
        callbacks = new CallbackChecker(context);
        actions = server.actions;
        requests = new RequestExecutor(context, server);
    }

    // ---- callbacks

    @Override
    public void onOpen(Connection connection) throws Exception {
        ConnectionModel model = outgoing;
        if (model == null) {
            Client client = server.clientOf(connection);
            if (client == null && server.probes >= 0) {
                server.probes++;
                return;
            }
            if (client == null) {
                context.failures.report(Rule.CALLBACKS, "onOpen for a connection without a client: " + connection);
                return;
            }
            model = new ConnectionModel(plan, client, false, context.now());
        }
        server.connectionOpened(model, connection);
        callbacks.open(model, connection);
        server.runPendingAction();
        log(model, "onOpen");
        if (!plan.pureEcho()) {
            for (int i = 0; i < plan.greetings(); i++) {
                actions.reply(model, 20 + i, SendMethod.BYTES);
            }
        }
        reactToOpen(model);
        if (context.recovering) {
            actions.resume(model);
        }
        throwIfPlanned(model, Reaction.OPEN_THROWS);
    }

    @Override
    public void onMessage(Connection connection, ByteBuffer message) throws Exception {
        server.counters.messagesIn++;
        ConnectionModel model = modelOf(connection);
        if (model == null) {
            return;
        }
        callbacks.message(model, connection);
        model.inMessage = true;
        try {
            react(model, message);
        } finally {
            model.inMessage = false;
        }
    }

    private void react(ConnectionModel model, ByteBuffer message) throws Exception {
        server.runPendingAction();
        if (plan.framing().isRaw()) {
            onPiece(model, message);
            return;
        }
        SentStream.Message received = input.message(model, message);
        Request request = received == null ? null : received.request();
        if (received == null || request == null) {
            return;
        }
        boolean upgrades = plan.framing().upgrades() && received.number() == 0;
        boolean repliesFirst = model.client.plan.number() % 2 == 0;
        if (upgrades && !repliesFirst) {
            actions.upgrade(model);
        }
        execute(model, received, request, message);
        if (upgrades && repliesFirst) {
            actions.upgrade(model);
        }
    }

    private void onPiece(ConnectionModel model, ByteBuffer piece) throws Exception {
        int before = model.bytesDelivered;
        byte[] bytes = input.piece(model, piece);
        if (plan.pureEcho()) {
            if (context.timeline.isEnabled()) {
                log(model, "onMessage: " + bytes.length + " bytes at offset " + before);
            }
            int length = piece.remaining();
            SendResult result = actions.checkResult(model, model.connection().send(piece), length, SendMethod.BYTES);
            if (result == SendResult.QUEUED) {
                model.echoedBytes += bytes.length;
                model.accepted(length);
            }
        }
        for (SentStream.Message received = input.nextWhole(model); received != null; received = input.nextWhole(model)) {
            Request request = received.request();
            if (request != null && !plan.pureEcho()) {
                execute(model, received, request, null);
            }
        }
    }

    private void execute(ConnectionModel model, SentStream.Message received, Request request, @Nullable ByteBuffer message)
            throws Exception {
        context.tally.add("request", request.kind());
        if (context.timeline.isEnabled()) {
            log(model, "onMessage: m" + received.number() + " " + request);
        }
        requests.execute(model, received, request, message);
    }

    @Override
    public void onPart(Connection connection, ByteBuffer part, boolean last) {
        ConnectionModel model = modelOf(connection);
        if (model != null) {
            callbacks.message(model, connection);
            server.runPendingAction();
            input.part(model, part, last);
        }
    }

    @Override
    public void onUrgent(Connection connection, byte b) throws Exception {
        ConnectionModel model = modelOf(connection);
        if (model == null) {
            return;
        }
        callbacks.urgent(model, connection);
        server.runPendingAction();
        input.urgent(model, b);
        if (context.timeline.isEnabled()) {
            log(model, "onUrgent: " + (b & 0xff));
        }
        if (!plan.pureEcho() && model.client.plan.number() % 2 == 0) { // for the others, the urgent byte is the only activity
            actions.reply(model, 12, SendMethod.BYTES);
        }
        if (server.reactionOf(model, Reaction.URGENT_FINISHES) != null) {
            actions.finish(model);
        }
        if (server.reactionOf(model, Reaction.URGENT_CLOSES) != null) {
            actions.close(model);
        }
        throwIfPlanned(model, Reaction.URGENT_THROWS);
    }

    @Override
    public void onEndOfInput(Connection connection) throws Exception {
        ConnectionModel model = modelOf(connection);
        if (model == null) {
            return;
        }
        callbacks.endOfInput(model, connection);
        server.runPendingAction();
        input.end(model);
        log(model, "onEndOfInput");
        EndOfInputReaction reaction = plan.pureEcho() || context.recovering ? EndOfInputReaction.FINISH : plan.endOfInput();
        switch (reaction) {
            case FINISH -> actions.finish(model);
            case SEND_THEN_FINISH -> {
                actions.reply(model, 30, SendMethod.BYTES);
                actions.finish(model);
            }
            case SEND_LATER_THEN_FINISH -> actions.schedule(model, LATER_NANOS, () -> {
                actions.reply(model, 40, SendMethod.BYTES);
                actions.finish(model);
            });
            case CLOSE -> actions.close(model);
            case NOTHING -> {
                // The connection stays open until a deadline passes, or until the recovery phase.
            }
        }
        throwIfPlanned(model, Reaction.END_THROWS);
    }

    @Override
    public void onDrained(Connection connection) throws Exception {
        ConnectionModel model = modelOf(connection);
        if (model == null) {
            return;
        }
        context.tally.add("limit", Limit.QUEUE_LOW);
        callbacks.drained(model, connection);
        server.runPendingAction();
        log(model, "onDrained");
        actions.pump(model);
        ReactionPlan sends = server.reactionOf(model, Reaction.DRAINED_SENDS);
        if (sends != null && model.refills < REFILLS_MAX) {
            model.refills++;
            actions.reply(model, sends.size(), SendMethod.BYTES);
        }
        if (server.reactionOf(model, Reaction.DRAINED_FINISHES) != null) {
            actions.finish(model);
        }
        if (server.reactionOf(model, Reaction.DRAINED_CLOSES) != null) {
            actions.close(model);
        }
        throwIfPlanned(model, Reaction.DRAINED_THROWS);
    }

    @Override
    public void onDropped(Connection connection, int messages, long bytes) throws Exception {
        ConnectionModel model = modelOf(connection);
        if (model == null) {
            return;
        }
        context.tally.add("policy", Overflow.DROP_OLDEST);
        server.counters.dropped += messages;
        callbacks.dropped(model, messages, bytes);
        server.runPendingAction();
        model.droppedMessages += messages;
        model.droppedBytes += bytes;
        if (context.timeline.isEnabled()) {
            log(model, "onDropped: " + messages + " messages, " + bytes + " bytes");
        }
        ReactionPlan sends = server.reactionOf(model, Reaction.DROPPED_SENDS);
        int more = model.droppedReports++ < REFILLS_MAX ? model.client.plan.number() % DROPPED_SENDS_MAX : 0;
        for (int i = 0; sends != null && i <= more; i++) {
            model.hasSentInOnDropped = true;
            actions.reply(model, sends.size(), SendMethod.BYTES);
        }
        if (server.reactionOf(model, Reaction.DROPPED_FINISHES) != null) {
            actions.finish(model);
        }
        if (server.reactionOf(model, Reaction.DROPPED_CLOSES) != null) {
            actions.close(model);
        }
        throwIfPlanned(model, Reaction.DROPPED_THROWS);
    }

    @Override
    public void onClose(Connection connection, CloseReason reason) throws Exception {
        server.counters.closed++;
        if (outgoing == null) {
            server.admissions.gone(connection.remoteAddress());
        }
        ConnectionModel model = outgoing != null ? outgoing : modelOf(connection);
        if (model == null) {
            return;
        }
        checkUpgrade(model);
        context.tally.add("reason", reason);
        Coverage.addCombinations(context, reason, model.stateSeen);
        context.tally.add("state", ConnectionState.CLOSED);
        if (context.timeline.isEnabled()) {
            log(model, "onClose: " + reason);
        }
        boolean neverOpened = model.phase == ConnectionModel.Phase.BEFORE_OPEN;
        server.broadcasts.openedOrEnding(model);
        callbacks.closed(model, connection, reason);
        server.runPendingAction();
        boolean reconnects = model.outgoing && server.reactionOf(model, Reaction.CLOSE_RECONNECTS) != null;
        boolean awaited = reconnects && server.reconnect(model, neverOpened && reason == CloseReason.CONNECT_FAILED);
        server.connectionClosed(model, awaited);
        ReactionPlan sends = server.reactionOf(model, Reaction.CLOSE_SENDS);
        if (sends != null) {
            actions.reply(model, sends.size(), SendMethod.BYTES);
            ConnectionModel other = server.pick(model.client.plan.number());
            if (other != null) {
                actions.reply(other, sends.size(), SendMethod.BYTES);
            }
        }
        if (server.reactionOf(model, Reaction.CLOSE_THROWS) != null) {
            throw TestExceptions.of(model.client.plan.number());
        }
    }

    // ---- planned reactions

    private void reactToOpen(ConnectionModel model) {
        ReactionPlan first = server.reactionOf(model, Reaction.OPEN_SENDS_FIRST);
        if (first != null) {
            actions.reply(model, first.size(), SendMethod.FIRST);
        }
        ReactionPlan pauses = server.reactionOf(model, Reaction.OPEN_PAUSES);
        if (pauses != null) {
            actions.pause(model, pauses.nanos());
        }
        if (server.reactionOf(model, Reaction.OPEN_PAUSES_AND_RESUMES) != null) {
            actions.pauseAndResume(model);
        }
        ReactionPlan fills = server.reactionOf(model, Reaction.OPEN_FILLS);
        for (int i = 0; fills != null && i < FILL_MESSAGES_MAX && !model.connection().queue().isHigh(); i++) {
            actions.reply(model, fills.size(), SendMethod.OFFER);
        }
    }

    private void throwIfPlanned(ConnectionModel model, Reaction reaction) throws Exception {
        if (server.reactionOf(model, reaction) != null) {
            throw RequestExecutor.handlerException(model);
        }
    }

    private @Nullable ConnectionModel modelOf(Connection connection) {
        if (connection.attachment() instanceof ConnectionModel model) {
            checkUpgrade(model);
            return model;
        }
        return null;
    }

    private void checkUpgrade(ConnectionModel model) {
        if (model.upgraded != upgraded) {
            context.failures.report(Rule.CALLBACKS, model + ": a callback of the handler " + (upgraded ? "after" : "before")
                    + " the upgrade is called");
        }
    }

    private void log(ConnectionModel model, String event) {
        if (context.timeline.isEnabled()) {
            context.timeline.log(model + ": " + event);
        }
    }
}
