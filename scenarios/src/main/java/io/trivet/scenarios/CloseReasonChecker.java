package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Limits;
import io.trivet.sim.Fault;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Checks the reason that onClose reports: it must really apply. A deadline, for example, must have passed. */
final class CloseReasonChecker {
    /** Only budgets below this can be exceeded: a scenario queues too few bytes to exceed a larger one. */
    static final long SCARCE_BUDGET_BYTES = 1 << 20;

    private static final List<CloseReason> BY_SENDING_TOO_LITTLE = List.of(CloseReason.IDLE_TIMEOUT, CloseReason.MESSAGE_TIMEOUT,
            CloseReason.FIRST_MESSAGE_TIMEOUT);

    private final RunContext context;

    CloseReasonChecker(RunContext context) {
        this.context = context;
    }

    void check(ConnectionModel model, CloseReason reason) {
        Limits limits = model.plan.limits();
        Client client = model.client;
        ServerUnderTest server = client.server;
        boolean holds = switch (reason) {
            case PEER_FINISHED -> client.outputEnded() && (model.finished || model.outputFinished);
            // after onEndOfInput both have finished
            case FINISHED -> (model.finished || model.outputFinished) && model.phase != ConnectionModel.Phase.INPUT_ENDED;
            case CLOSED -> model.closedByApplication;
            case DRAINED -> server.draining;
            case SERVER_CLOSED -> server.closing || server.mayEnd()
                // it came too late to be established
                    || (server.draining && model.phase == ConnectionModel.Phase.BEFORE_OPEN);
            case RESET -> wasReset(model);
            case FAILED -> client.isAffectedBy(Fault.WATCH_REFUSED);
            case CONNECT_FAILED -> model.outgoing && model.phase == ConnectionModel.Phase.BEFORE_OPEN && mayFailToConnect(client);
            case CONNECT_TIMEOUT -> model.outgoing && model.phase == ConnectionModel.Phase.BEFORE_OPEN
                    && passed(model.createdNanos, model.connectTimeout);
            case QUEUE_FULL -> model.wasFull || (model.mayHoldUnknownBroadcast && context.isExcused(Excuse.UNSEEN_BROADCAST));
            case BUDGET_EXCEEDED -> server.isBudgetScarce()
                    // a single unfinished message may take half of the budget
                    ? model.exceededBudget || (2 * server.budgetBytesBound() > limits.queueBudgetBytes()
                            && context.isExcused(Excuse.BUDGET_BOUND))
                    : mayFillBudget(model, limits.queueBudgetBytes());
            case WRITE_TIMEOUT -> model.socket != null && hasSentNothing(model, model.socket);
            case IDLE_TIMEOUT, MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT -> wasOverdue(model, reason);
            case MESSAGE_TOO_LONG -> model.mayHaveReceivedTooLongMessage();
            case HANDSHAKE_FAILED, HANDSHAKE_TIMEOUT, TRUNCATED -> false; // there is no TLS
            case PROTOCOL_ERROR -> model.mayHaveReceivedMalformedMessage();
            case HANDLER_FAILED -> model.hasThrown;
            case TOO_MANY_FROM_ADDRESS, ADDRESS_DENIED -> false; // no handler is called for it
            case TRANSFER_FAILED -> model.cutsStream;
            case SPINNING -> false;
        };
        boolean judgedEarly = switch (reason) {
            case IDLE_TIMEOUT, MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT ->
                model.hasStartedToEnd ? model.endedBehind : isBehind(model);
            case WRITE_TIMEOUT -> isBehind(model);
            default -> false;
        };
        if (judgedEarly) {
            context.failures.report(Rule.DEADLINES,
                    model + ": onClose " + reason + ", although its loop had not seen yet everything that had arrived");
        }
        boolean failed = switch (reason) {
            case RESET, FAILED, CONNECT_FAILED, CONNECT_TIMEOUT -> true;
            default -> false;
        };
        if (failed && model.connection().failure() == null) {
            context.failures.report(Rule.ENDS, model + ": onClose " + reason + ", and failure() returns null");
        }
        count(model, reason);
        // After this fault the socket is not registered, so the server cannot wait for it.
        if (isOrderly(reason) && hasNotLingered(model) && !client.isAffectedBy(Fault.WATCH_REFUSED)) {
            context.failures.report(Rule.ENDS, model + ": onClose " + reason
                    + " without lingering, although its client has not finished: a reset may destroy the last bytes sent");
        }
        if (isOrderly(reason) && model.socket != null && model.socket.unsentAtClose > 0 && !wasAbrupt(model)) {
            context.failures.report(Rule.ENDS, model + ": onClose " + reason + ", although " + model.socket.unsentAtClose
                    + " bytes accepted by its ring were not sent: they are lost");
        }
        if (sendsBeforeEnd(reason) && !model.hasSentAllAccepted() && hasCutTooSoon(model)) {
            context.failures.report(Rule.ENDS, model + ": onClose " + reason
                    + " before its peer had the time to receive what was accepted for it");
        }
        if (model.hasThrown && reason != CloseReason.HANDLER_FAILED) {
            context.failures.report(Rule.ENDS,
                    model + ": onClose " + reason + ", although its handler has thrown an exception");
        }
        if (!holds) {
            context.failures.report(isDeadline(reason) ? Rule.DEADLINES : Rule.ENDS,
                    model + ": onClose with a reason that does not apply: " + reason);
        }
    }

    /**
     * Returns true if a timeout had passed when the connection started to end; or, if it was draining and idle, when it was
     * closed: in one turn it may be found idle and then be closed, since its drain takes no longer.
     */
    private boolean wasOverdue(ConnectionModel model, CloseReason reason) {
        boolean mayPass = !model.hasStartedToEnd
                || (reason == CloseReason.IDLE_TIMEOUT && model.stateSeen == ConnectionState.DRAINING);
        return model.overdueAtEnd.contains(reason) || (mayPass && isOverdue(model, reason));
    }

    /**
     * Records which timeouts had passed when a connection started to end. Later ones cannot be the reason, except the idle
     * timeout of a connection that is still draining.
     */
    void noteOverdue(ConnectionModel model, ConnectionState state) {
        for (CloseReason reason : BY_SENDING_TOO_LITTLE) {
            boolean mayPass = !model.hasStartedToEnd
                    || (reason == CloseReason.IDLE_TIMEOUT && state == ConnectionState.DRAINING);
            if (mayPass && isOverdue(model, reason)) {
                model.overdueAtEnd.add(reason);
            }
        }
        model.endedBehind |= !model.hasStartedToEnd && isBehind(model);
        model.hasStartedToEnd = true;
    }

    /** Returns true if a connection's queue may take a whole budget: a buffer can be twice as long as its message. */
    private static boolean mayFillBudget(ConnectionModel model, long budgetBytes) {
        long sent = model.socket == null ? 0 : model.socket.bytesOut;
        return 2 * (model.acceptedBytes - model.droppedBytes - sent) > budgetBytes;
    }

    private boolean isBehind(ConnectionModel model) {
        return context.currentLoop == model.loopKey && Objects.requireNonNull(model.client.server.turningLoop()).mustNotJudge();
    }

    private boolean isOverdue(ConnectionModel model, CloseReason reason) {
        return switch (reason) {
            case IDLE_TIMEOUT -> model.socket != null
                    && passed(model.socket.activeBefore(context.now()), model.plan.limits().idleTimeout());
            case MESSAGE_TIMEOUT -> !model.plan.framing().isRaw() && !model.wasPausedBefore(context.now())
                    && messageTookTooLong(model);
            case FIRST_MESSAGE_TIMEOUT -> !model.hasReceived && hasReceivedNothing(model);
            default -> false;
        };
    }

    /**
     * Returns true if the write timeout has passed: for queued bytes, or for the unsent bytes that a shutdown of the output waits
     * for.
     */
    private boolean hasSentNothing(ConnectionModel model, ObservedSocket socket) {
        Duration timeout = model.plan.limits().writeTimeout();
        boolean waits = model.acceptedBytes - model.droppedBytes > socket.bytesOut || model.mayHoldUnknownBroadcast;
        return (waits && passed(Math.max(socket.acceptedNanos, model.queuedIntoEmptyNanos), timeout))
                || (socket.endOfOutputWaits() && passed(Math.max(socket.acceptedNanos, socket.endWaitsSinceNanos), timeout));
    }

    /**
     * Returns true if the timeout of the first message has passed. The timeout does not run while reading is paused. Once the
     * input has ended, a pause makes no difference.
     */
    private boolean hasReceivedNothing(ConnectionModel model) {
        Duration timeout = model.plan.limits().firstMessageTimeout();
        return model.phase == ConnectionModel.Phase.OPEN
                ? !model.wasPausedBefore(context.now()) && passed(Math.max(model.openedNanos, model.lastResumeNanos), timeout)
                : passed(model.openedNanos, timeout);
    }

    /**
     * Returns true if the message timeout has passed for the current message. If the client sends urgent bytes, the start of a
     * message is not known exactly.
     */
    private boolean messageTookTooLong(ConnectionModel model) {
        Duration timeout = model.plan.limits().messageTimeout();
        return model.client.urgentsSent > 0
                ? passed(Math.max(model.lastMessageNanos, model.lastResumeNanos), timeout)
                : model.partialMessage == model.nextMessage
                        && passed(Math.max(model.partialSinceNanos, model.lastResumeNanos), timeout);
    }

    /** Returns true if the client did not listen, or a fault or a limit of the host may have prevented the connection. */
    private boolean mayFailToConnect(Client client) {
        boolean explained = !client.plan.listens() || client.hasStoppedListening() || context.recovering
                || client.isAffectedBy(Fault.CONNECT_REFUSED) || client.isAffectedBy(Fault.CONNECT_UNREACHABLE)
                || client.isAffectedBy(Fault.CONNECT_IGNORED) || client.isAffectedBy(Fault.ACCEPT_ABORTED)
                || client.isAffectedBy(Fault.RESET) || client.isAffectedBy(Fault.WATCH_REFUSED);
        return explained || ((client.server.plan.descriptorLimit() > 0 || context.hasFired(Fault.SOCKET_REFUSED))
                && context.isExcused(Excuse.NO_DESCRIPTOR));
    }

    static boolean isOrderly(CloseReason reason) {
        return switch (reason) {
            case FINISHED, PEER_FINISHED, DRAINED -> true;
            default -> false;
        };
    }

    /** Returns true if a connection that ends for this reason first sends what was accepted, within the linger timeout. */
    static boolean sendsBeforeEnd(CloseReason reason) {
        return switch (reason) {
            case MESSAGE_TOO_LONG, PROTOCOL_ERROR, HANDLER_FAILED, MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT, IDLE_TIMEOUT -> true;
            default -> false;
        };
    }

    /** Returns true if the client or the network has reset the connection. */
    private static boolean wasReset(ConnectionModel model) {
        Client client = model.client;
        return client.hasBrokenConnection() || client.isAffectedBy(Fault.RESET)
        // this fault aborts connections that the server makes
                || (model.outgoing && client.isAffectedBy(Fault.ACCEPT_ABORTED));
    }

    /**
     * Returns true if a connection was closed with unsent messages although neither its linger timeout nor its write timeout had
     * passed.
     */
    private boolean hasCutTooSoon(ConnectionModel model) {
        ObservedSocket socket = model.socket;
        Client client = model.client;
        boolean wasCutByOthers = model.closedByApplication || model.cutsStream || model.wasFull || model.exceededBudget
                || client.server.isEnding()
                || client.server.isBudgetScarce() || wasReset(model) || client.isAffectedBy(Fault.WATCH_REFUSED);
        return socket != null && !socket.outputEnded && !wasCutByOthers && !hasSentNothing(model, socket)
                && !(model.stateSeen == ConnectionState.DRAINING
                        && passed(model.stateSeenNanos, model.plan.limits().lingerTimeout()));
    }

    /**
     * Returns true if everything was sent and the connection did not wait for the end of the input, although nothing required an
     * abrupt end.
     */
    private static boolean hasNotLingered(ConnectionModel model) {
        ObservedSocket socket = model.socket;
        return socket != null && !wasAbrupt(model) && !socket.inputEnded && model.stateSeen != ConnectionState.LINGERING
        // otherwise the rest of the last read may have exceeded the limit at once
                && socket.bytesIn <= model.plan.limits().lingerBytesMax()
                && model.hasSentAllAccepted();
    }

    /** Returns true if the connection was closed at once or was broken, whatever reason it reports. */
    private static boolean wasAbrupt(ConnectionModel model) {
        Client client = model.client;
        return model.closedByApplication || model.cutsStream || model.hasThrown || model.wasFull || client.server.isEnding()
                || client.hasBrokenConnection()
                || client.isAffectedBy(Fault.RESET);
    }

    private void count(ConnectionModel model, CloseReason reason) {
        Limit limit = switch (reason) {
            case BUDGET_EXCEEDED -> Limit.QUEUE_BUDGET;
            case MESSAGE_TOO_LONG -> Limit.MESSAGE_BYTES;
            case MESSAGE_TIMEOUT -> Limit.MESSAGE_TIME;
            case FIRST_MESSAGE_TIMEOUT -> Limit.FIRST_MESSAGE_TIME;
            case IDLE_TIMEOUT -> Limit.IDLE_TIME;
            case WRITE_TIMEOUT -> Limit.WRITE_TIME;
            case CONNECT_TIMEOUT -> Limit.CONNECT_TIME;
            case SERVER_CLOSED -> model.client.server.draining && !context.recovering ? Limit.DRAIN_TIME : null;
            case FINISHED, DRAINED, PEER_FINISHED -> lingering(model);
            case CLOSED, RESET, FAILED, CONNECT_FAILED, QUEUE_FULL, PROTOCOL_ERROR, HANDLER_FAILED, TOO_MANY_FROM_ADDRESS,
                    HANDSHAKE_FAILED, HANDSHAKE_TIMEOUT, TRUNCATED, TRANSFER_FAILED, ADDRESS_DENIED,
                    SPINNING ->
                null;
        };
        if (limit != null) {
            context.tally.add("limit", limit);
        }
    }

    private @Nullable Limit lingering(ConnectionModel model) {
        if (model.stateSeen != ConnectionState.LINGERING || model.socket == null || model.socket.inputEnded) {
            return null;
        }
        return passed(model.stateSeenNanos, model.plan.limits().lingerTimeout()) ? Limit.LINGER_TIME
                : model.socket.bytesIn > model.plan.limits().lingerBytesMax() ? Limit.LINGER_BYTES : null;
    }

    private static boolean isDeadline(CloseReason reason) {
        return switch (reason) {
            case CONNECT_TIMEOUT, WRITE_TIMEOUT, IDLE_TIMEOUT, MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT -> true;
            default -> false;
        };
    }

    private boolean passed(long sinceNanos, Duration timeout) {
        return !timeout.isZero() && context.now() - sinceNanos >= timeout.toNanos();
    }
}
