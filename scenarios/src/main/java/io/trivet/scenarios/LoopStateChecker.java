package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.observe.ServerStats;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.Fault;
import java.time.Duration;
import java.util.List;

/**
 * Checks every connection of a loop after each turn: gauges must equal what is really queued, and no deadline may have passed.
 * Bytes that a ring has accepted no longer count as queued, even if the socket has refused them. Time does not pass during a
 * turn, so the checks are exact. Sometimes the connections are also checked before a turn, to find a waiting loop that was not
 * woken in time.
 */
final class LoopStateChecker {
    /** A buffer for input of fewer bytes than this is not replaced by a smaller one; others are, below an eighth of their size. */
    private static final int INPUT_BUFFER_BYTES = 4096;

    private static final long INPUT_BUFFER_FACTOR = 16;
    /** When a message whose length is too long must have been refused. It may have to wait for those before it. */
    private static final long REFUSED_WITHIN_NANOS = 1_000_000;
    /** The server measures idleness in steps of about a millisecond, rounded up. */
    private static final long IDLE_STEP_NANOS = 3_000_000;
    /** Two rounds of the loops are this far apart, so a deadline may pass between them. */
    private static final long ROUND_NANOS = 1_000;
    private static final int STATS_EVERY = 32;
    private static final int AGES_EVERY = 8;
    /** A turn runs a bounded number of tasks, and dropped messages are reported by a task. */
    private static final int TURNS_UNTIL_DROPPED_MAX = 4;
    private static final int SNAPSHOTS_EVERY = 128;
    /** Writable completions may be late, or denied by a fault, but not for this long. */
    private static final long ROOM_UNUSED_NANOS_MAX = 200_000_000;
    /** The completion after the last unsent byte may be late, but not for this long. */
    private static final long END_UNSENT_NANOS_MAX = 500_000_000;
    /** The end of the output may be in transit, and readiness may be reported late, but not for this long. */
    private static final long END_UNREAD_NANOS_MAX = 1_000_000_000;
    /** Bytes may be in transit for a tenth of a second, and readiness may be reported late, but not for this long. */
    private static final long UNREAD_NANOS_MAX = 500_000_000;

    private final RunContext context;
    private final ServerUnderTest server;
    private final CheckedProactor proactor;
    private final int loopKey;
    private final CloseReasonChecker closeReasonChecker;
    private final SnapshotChecker snapshots;
    private int turns;
    private long toleranceNanos;

    LoopStateChecker(RunContext context, ServerUnderTest server, CheckedProactor proactor, int loopKey) {
        this.context = context;
        this.server = server;
        this.proactor = proactor;
        this.loopKey = loopKey;
        closeReasonChecker = new CloseReasonChecker(context);
        snapshots = new SnapshotChecker(context, server);
    }

    /**
     * Called before a turn that takes place only for the checks. If a deadline has passed by now, the loop should have been
     * turned earlier.
     */
    void checkBeforeTurn() {
        toleranceNanos = ROUND_NANOS;
        for (int i = 0; i < server.connections().size(); i++) {
            ConnectionModel model = server.connections().get(i);
            if (model.loopKey == loopKey && model.socket != null) {
                checkDeadlines(model, model.socket);
            } else if (model.phase == ConnectionModel.Phase.BEFORE_OPEN) {
                checkConnect(model);
            }
        }
        toleranceNanos = 0;
    }

    void check() {
        for (int i = 0; i < server.connections().size(); i++) {
            ConnectionModel model = server.connections().get(i);
            if (model.loopKey == loopKey && model.socket != null) {
                checkGauges(model, model.socket);
                checkDeadlines(model, model.socket);
            } else if (model.phase == ConnectionModel.Phase.BEFORE_OPEN) {
                checkConnect(model);
            }
        }
        if (loopKey == RunContext.loopKey(server.plan.number(), 0)) {
            server.tasks.checkOverdue();
        }
        if (turns % SNAPSHOTS_EVERY == SNAPSHOTS_EVERY / 2) {
            snapshots.check();
        }
        if (++turns % STATS_EVERY == 0) {
            ServerStats stats = server.instance().stats();
            server.counters.check(stats);
            // Not with several loops: a broadcast may be on its way, or the loop that holds the most has yet to release memory.
            if (server.plan.loops() == 1 && stats.queueBytes() > stats.queueBytesMax()) {
                context.failures.report(Rule.CAPS, "the queues of " + server + " hold " + stats.queueBytes()
                        + " bytes, maximum " + stats.queueBytesMax());
            }
            checkInput(stats.memory().input());
            long buffers = stats.memory().queues() + stats.memory().input();
            if (stats.queueBytes() < buffers) {
                context.failures.report(Rule.CAPS, "the budget of " + server + " counts " + stats.queueBytes()
                        + " bytes, but buffers of " + buffers + " bytes are held");
            }
        }
    }

    /** Checks that the buffers of input that is not delivered yet grow with what has arrived, and not with announced lengths. */
    private void checkInput(long bufferBytes) {
        long most = 0;
        for (ConnectionModel model : server.connections()) {
            ObservedSocket socket = model.socket;
            if (socket != null) {
                long delivered = model.plan.framing().isRaw() ? model.bytesDelivered
                        : model.client.sentStream.endBefore(model.nextMessage);
                boolean mayHold = model.client.urgentsSent > 0 || socket.bytesIn != delivered;
                most += mayHold ? Math.max(INPUT_BUFFER_BYTES, INPUT_BUFFER_FACTOR * (socket.bytesIn - delivered)) : 0;
            }
        }
        if (bufferBytes > most) {
            context.failures.report(Rule.CAPS, server + " has buffers of " + bufferBytes
                    + " bytes for input, and at most " + most + " are explained by what has arrived");
        }
    }

    /**
     * Checks the timeout of a connection that is not established. It runs from the time at which the connection's loop starts the
     * connect.
     */
    private void checkConnect(ConnectionModel model) {
        boolean here = (model.connectsByName && model.plan.loops() == 1) || ServerUnderTest.loopOf(model) == (loopKey & 0xff);
        if (!here || model.connection().state() != ConnectionState.CONNECTING) {
            return;
        }
        boolean mayHaveStarted = !model.connectsByName || context.now() > model.createdNanos; // the lookup is a task
        if (model.connectingSinceNanos < 0 && !mayHaveStarted) {
            return;
        }
        if (model.connectingSinceNanos < 0) {
            model.connectingSinceNanos = context.now();
        }
        checkDeadline(model, model.connectingSinceNanos, model.connectTimeout, 0, "connect");
    }

    private void checkGauges(ConnectionModel model, ObservedSocket socket) {
        if (model.mayHoldUnknownBroadcast || model.hasStreamed) {
            return;
        }
        long queued = model.connection().queue().bytes();
        long expected = model.acceptedBytes - model.droppedBytes - socket.bytesOut;
        boolean unreported = model.plan.overflow() == Overflow.DROP_OLDEST && queued < expected; // the next turn calls onDropped
        boolean mayWait = !model.acceptsMessages() || (model.hasSentInOnDropped && queued > 0);
        model.turnsWithoutDropped = unreported && !mayWait ? model.turnsWithoutDropped + 1 : 0;
        if (model.turnsWithoutDropped > TURNS_UNTIL_DROPPED_MAX) {
            context.failures.report(Rule.CALLBACKS, model + ": " + (expected - queued)
                    + " bytes of messages were dropped, but onDropped was not called");
        }
        if (queued != expected && !(unreported && queued >= 0)) {
            context.failures.report(Rule.GAUGES,
                    "the queue of " + model + " reports " + queued + " bytes instead of " + expected
                            + ": " + model.acceptedBytes + " accepted, " + socket.bytesOut + " sent, " + model.droppedBytes
                            + " dropped");
        }
        if (queued >= model.plan.limits().queueHighBytes() && !model.connection().queue().isHigh()) {
            context.failures.report(Rule.GAUGES, "the queue of " + model + " holds " + queued
                    + " bytes and does not count as high, although its mark is " + model.plan.limits().queueHighBytes());
        }
        checkMessages(model, socket, queued);
        if (turns % AGES_EVERY == 0) {
            checkAge(model, socket, queued);
        }
    }

    /**
     * Checks the number of queued messages. It must fit the number of queued bytes, and must not exceed the number of messages
     * that were accepted and have not arrived. Which messages have left the queue is not visible.
     */
    private void checkMessages(ConnectionModel model, ObservedSocket socket, long queued) {
        long messages = model.connection().queue().messages();
        long least = queued == 0 ? 0 : (queued + model.framedMax - 1) / model.framedMax;
        long most = queued == 0 ? 0 : Math.min((queued - 1) / model.framedMin + 1,
                model.acceptedMessages - model.droppedMessages - (socket.hasPendingSend() ? 0 : model.receivedMessages));
        if (messages < least || messages > most) {
            context.failures.report(Rule.GAUGES,
                    "the queue of " + model + " reports " + messages + " messages with " + queued
                            + " bytes instead of " + least + " to " + most);
        }
    }

    /**
     * Checks the age of the oldest message. It cannot be older than the connection. If nothing was sent since the queue was last
     * empty, the message has waited since then.
     */
    private void checkAge(ConnectionModel model, ObservedSocket socket, long queued) {
        if (queued == 0 || model.waitingSinceNanos < 0) {
            return;
        }
        long age = model.connection().queue().oldestAge().toNanos();
        boolean unchanged = socket.acceptedNanos <= model.waitingSinceNanos && model.plan.overflow() != Overflow.DROP_OLDEST
                && model.plan.loops() == 1; // with several loops the message may be on its way to its loop
        long least = unchanged ? context.now() - model.waitingSinceNanos : 0;
        long most = context.now() - model.createdNanos;
        if (age < least || age > most) {
            context.failures.report(Rule.GAUGES, "the queue of " + model + " reports an age of "
                    + ReportText.duration(age) + " for its oldest message, instead of " + ReportText.duration(least) + " to "
                    + ReportText.duration(most));
        }
    }

    private void checkDeadlines(ConnectionModel model, ObservedSocket socket) {
        Limits limits = model.plan.limits();
        ConnectionState state = model.connection().state();
        long now = context.now();
        if (state != model.stateSeen) {
            context.tally.add("state", state);
            model.stateSeen = state;
            model.stateSeenNanos = now;
            model.stateSeenBytesIn = socket.bytesIn;
        }
        if (state == ConnectionState.DRAINING || state == ConnectionState.LINGERING) {
            closeReasonChecker.noteOverdue(model, state);
        }
        if (state == ConnectionState.CLOSED) {
            return;
        }
        if (model.plan.overflow() == Overflow.PAUSE_READING && model.connection().queue().isHigh() && !model.wasPaused) {
            context.tally.add("policy", Overflow.PAUSE_READING);
            model.wasPaused = true;
        }
        boolean waits = model.connection().queue().bytes() > 0;
        model.waitingSinceNanos = !waits ? -1 : model.waitingSinceNanos < 0 ? now : model.waitingSinceNanos;
        model.notWaitingSinceNanos = waits || (model.outputFinished && !model.outputWasFinished)
                || model.notWaitingSinceNanos < 0
                        ? now
                        : model.notWaitingSinceNanos;
        model.outputWasFinished = model.outputFinished;
        if (waits && !model.hasStreamed) { // otherwise it may wait for the source
            checkDeadline(model, Math.max(model.waitingSinceNanos, socket.acceptedNanos), limits.writeTimeout(), 0, "write");
            checkUnsent(model, socket);
        }
        if (!waits && socket.endOfOutputWaits()) {
            checkDeadline(model, Math.max(socket.endWaitsSinceNanos, socket.acceptedNanos), limits.writeTimeout(), 0, "write");
        }
        if (socket.outputEnded) {
            checkEndArrives(model, socket);
        }
        if (!waits && !socket.outputEnded && (model.outputFinished || state == ConnectionState.DRAINING)) {
            checkEndOfOutput(model, socket);
        }
        if (state == ConnectionState.LINGERING) {
            checkDeadline(model, model.stateSeenNanos, limits.lingerTimeout(), 0, "linger");
            if (socket.bytesIn - model.stateSeenBytesIn > limits.lingerBytesMax()) {
                context.failures.report(Rule.CAPS, model + ": received " + (socket.bytesIn - model.stateSeenBytesIn)
                        + " bytes after the end of its output and still lingers, maximum " + limits.lingerBytesMax());
            }
        } else if (state != ConnectionState.DRAINING) {
            checkDeadline(model, Math.max(socket.activeNanos(), model.openedNanos), limits.idleTimeout(), IDLE_STEP_NANOS,
                    "idle");
        } else if (!model.endsGracefully()) {
            checkDeadline(model, model.stateSeenNanos, limits.lingerTimeout(), 0, "linger");
        } else if (!limits.idleTimeout().isZero()) {
            long idleSince = Math.max(socket.activeNanos(), model.openedNanos) + limits.idleTimeout().toNanos();
            checkDeadline(model, Math.max(idleSince, Math.max(model.stateSeenNanos, context.jumpedNanos())),
                    limits.lingerTimeout(), IDLE_STEP_NANOS, "linger, after the idle timeout,");
        }
        checkDrained(model, state);
        // A connection that ends because a rule was broken gets no callback but onClose.
        boolean hasBrokenOff = model.hasThrown || (model.hasStartedToEnd
                && (!model.endsGracefully() || model.mayHaveReceivedTooLongMessage()
                        || model.mayHaveReceivedMalformedMessage() || !model.overdueAtEnd.isEmpty()));
        ApplicationTimer timer = model.pendingTimers.peek();
        if (!hasBrokenOff && timer != null) {
            CallbackChecker.timerWaits(context, timer, model);
        }
        checkPartialMessage(model, socket, state);
        if (state == ConnectionState.OPEN && socket.receiving && !socket.inputEnded) {
            checkReceived(model, socket);
        }
        // otherwise the application keeps it waiting
        if (state == ConnectionState.OPEN && !model.hasReceived && !model.outgoing && socket.receiving) {
            checkDeadline(model, Math.max(model.openedNanos, socket.receivingSinceNanos), limits.firstMessageTimeout(), 0,
                    "first message");
        }
    }

    /** A queue that was high and has fallen to the low mark must cause onDrained in the same turn. */
    private void checkDrained(ConnectionModel model, ConnectionState state) {
        boolean unreported = model.wasHigh && (state == ConnectionState.OPEN || state == ConnectionState.INPUT_ENDED)
                && model.acceptsMessages()
                && model.connection().queue().bytes() <= model.plan.limits().queueLowBytes()
                && !model.connection().queue().isHigh(); // both marks may be the same
        model.turnsWithoutDrained = unreported ? model.turnsWithoutDrained + 1 : 0;
        if (model.turnsWithoutDrained > 1) {
            context.failures.report(Rule.CALLBACKS,
                    model + ": the queue was high and holds only " + model.connection().queue().bytes()
                            + " bytes, but onDrained was not called");
        }
    }

    /** Queued bytes must be sent if the client has read everything before them, so that the socket is empty. */
    private void checkUnsent(ConnectionModel model, ObservedSocket socket) {
        Client client = model.client;
        boolean empty = client.bytesRead == socket.bytesOut && !socket.hasPendingSend() && model.urgentsSent == 0
                && !client.isOver();
        long since = Math.max(Math.max(model.waitingSinceNanos, context.jumpedNanos()),
                Math.max(socket.acceptedNanos, client.lastReadNanos));
        if (empty && context.now() - since > ROOM_UNUSED_NANOS_MAX) {
            context.failures.report(Rule.LIVENESS, model + ": " + model.connection().queue().bytes()
                    + " bytes are queued, although its socket has been empty for " + ReportText.duration(context.now() - since));
        }
    }

    /** A client that reads, and has read everything, must read the end of its input soon after the server has sent it. */
    private void checkEndArrives(ConnectionModel model, ObservedSocket socket) {
        Client client = model.client;
        boolean waits = client.bytesRead == socket.bytesOut && !socket.closed && model.urgentsSent == 0 && !client.isOver()
                && !client.hasReadEnd() && !client.isAffectedBy(Fault.STALL) && !client.isAffectedBy(Fault.CLOG);
        long since = Math.max(Math.max(socket.outputEndedNanos, client.readsFromNanos()),
                Math.max(context.jumpedNanos(), Math.max(socket.acceptedNanos, client.lastReadNanos)));
        if (waits && context.now() - since > END_UNREAD_NANOS_MAX) {
            context.failures.report(Rule.DELIVERY, model + ": the output was shut down, and for "
                    + ReportText.duration(context.now() - since) + " the client has not read the end of its input");
        }
    }

    /** The output must be shut down once everything was sent and the client has read it. */
    private void checkEndOfOutput(ConnectionModel model, ObservedSocket socket) {
        Client client = model.client;
        boolean empty = client.bytesRead == socket.bytesOut && !socket.hasPendingSend() && model.urgentsSent == 0
                && !client.isOver();
        long since = Math.max(Math.max(model.notWaitingSinceNanos, model.stateSeenNanos),
                Math.max(context.jumpedNanos(), Math.max(socket.acceptedNanos, client.lastReadNanos)));
        if (empty && context.now() - since > END_UNSENT_NANOS_MAX) {
            context.failures.report(Rule.LIVENESS,
                    model + ": the output is to end, and for " + ReportText.duration(context.now() - since)
                            + " nothing was left to send before its end");
        }
    }

    /** A connection that receives must not miss what has arrived: bytes, the end of the input, or an urgent byte. */
    private void checkReceived(ConnectionModel model, ObservedSocket socket) {
        Client client = model.client;
        if (model.plan.urgent() && model.urgentsDelivered < client.urgentsSent && socket.ordinaryIn > client.writtenBeforeUrgent
                && !client.isAffectedBy(Fault.INTERRUPTED)) {
            context.failures.report(Rule.DELIVERY,
                    model + ": received bytes behind the last urgent byte, but onUrgent was not called for it");
        }
        boolean notReceived = !client.isOver() && (socket.ordinaryIn < client.written || client.outputEnded());
        long since = Math.max(Math.max(socket.receivedNanos, socket.receivingSinceNanos),
                Math.max(Math.max(client.lastWriteNanos, context.jumpedNanos()), proactor.lastPendingNanos()));
        if (notReceived && context.now() - since > UNREAD_NANOS_MAX
                && !((client.isAffectedBy(Fault.STALL) || client.isAffectedBy(Fault.CLOG))
                        && context.isExcused(Excuse.LINK_STALLED))) {
            context.failures.report(Rule.LIVENESS, model + ": received " + socket.ordinaryIn + " of " + client.written + " bytes"
                    + (client.outputEnded() ? ", not the end of the input," : "") + " and for "
                    + ReportText.duration(context.now() - since)
                    + " nothing more");
        }
    }

    /**
     * Records when the first byte of the partial message arrived. A message that is oversized or never completed remains the
     * partial message.
     */
    private void notePartialMessage(ConnectionModel model, ObservedSocket socket) {
        List<SentStream.Message> messages = model.client.sentStream.messages();
        int at = model.messagesArrived;
        while (at < messages.size() && messages.get(at).request() != null && messages.get(at).to() <= socket.bytesIn) {
            at++;
        }
        model.messagesArrived = at;
        if (model.partialMessage != at && at < messages.size() && socket.bytesIn > messages.get(at).from()) {
            model.partialMessage = at;
            model.partialSinceNanos = context.now();
        }
    }

    /**
     * Checks the length of the partial message, and how long its rest is awaited. Does so only if every byte belongs to a
     * message.
     */
    private void checkPartialMessage(ConnectionModel model, ObservedSocket socket, ConnectionState state) {
        notePartialMessage(model, socket);
        ClientFraming framing = model.plan.framing();
        long held = socket.bytesIn - model.client.sentStream.startOf(model.nextMessage);
        boolean awaitsRest = held > 0 && state == ConnectionState.OPEN && socket.receiving && !socket.inputEnded;
        if (!awaitsRest || framing.isRaw() || model.client.urgentsSent > 0 || model.partsFrom >= 0) {
            model.awaitedSinceNanos = -1;
            return;
        }
        if (model.awaitedSinceNanos < 0 || model.awaitedMessage != model.nextMessage) {
            model.awaitedMessage = model.nextMessage;
            model.awaitedSinceNanos = context.now();
        }
        int most = model.plan.limits().messageBytesMax();
        if (held > framing.framedLength(most)) {
            context.failures.report(Rule.CAPS, model + ": holds " + held + " bytes of a message, maximum " + most);
        }
        if (model.client.sentStream.mustRefuse(model.nextMessage, socket.bytesIn)
                && context.now() - Math.max(socket.receivedNanos, context.jumpedNanos()) > REFUSED_WITHIN_NANOS) {
            context.failures.report(Rule.CAPS, model + ": awaits a message whose length exceeds the maximum, " + most);
        }
        checkDeadline(model, Math.max(model.awaitedSinceNanos, socket.receivingSinceNanos), model.plan.limits().messageTimeout(),
                0,
                "message");
    }

    private void checkDeadline(ConnectionModel model, long sinceNanos, Duration timeout, long stepNanos, String what) {
        long late = context.now() - sinceNanos - timeout.toNanos() - stepNanos - toleranceNanos;
        // A server that is behind has not seen everything that has arrived, and must not judge yet.
        if (!timeout.isZero() && late > 0 && !(proactor.isBehind() && context.isExcused(Excuse.BEHIND))) {
            context.failures.report(Rule.DEADLINES,
                    model + ": the " + what + " timeout of " + ReportText.duration(timeout.toNanos())
                            + " has passed " + ReportText.duration(late) + " ago");
        }
    }
}
