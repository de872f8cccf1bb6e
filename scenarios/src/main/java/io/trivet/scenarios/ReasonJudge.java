package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Limits;
import io.trivet.sim.Fault;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Whether there was such a reason, when a connection is told why it ends; and whether a deadline was not before its time. */
final class ReasonJudge {
    /** A budget below this can be exceeded by a world of this size. */
    static final long SCARCE_BUDGET_BYTES = 1 << 20;

    private final Scene scene;

    ReasonJudge(Scene scene) {
        this.scene = scene;
    }

    void check(Ledger ledger, CloseReason reason) {
        Limits limits = ledger.plan.limits();
        Peer peer = ledger.peer;
        House house = peer.house;
        boolean wireReset = peer.hasCutOff() || peer.isStruckBy(Fault.RESET)
                || (ledger.called && peer.isStruckBy(Fault.ACCEPT_ABORTED)); // it aborts what the server has connected to
        boolean holds = switch (reason) {
            case PEER_FINISHED -> peer.outputEnded() && (ledger.finished || ledger.outputFinished);
            case FINISHED -> ledger.finished || ledger.outputFinished;
            case CLOSED -> ledger.closedByApplication;
            case DRAINED -> house.drains;
            case SERVER_CLOSED -> house.shut || house.mayEnd()
                    || (house.drains && ledger.phase == Ledger.Phase.BEFORE_OPEN); // too late to begin
            case RESET -> wireReset;
            case FAILED -> peer.isStruckBy(Fault.WATCH_REFUSED);
            case CONNECT_FAILED -> ledger.called && ledger.phase == Ledger.Phase.BEFORE_OPEN && mayFailToConnect(peer);
            case CONNECT_TIMEOUT -> ledger.called && ledger.phase == Ledger.Phase.BEFORE_OPEN
                    && passed(ledger.createdNanos, ledger.connectTimeout);
            case QUEUE_FULL -> ledger.wasFull || ledger.mayHaveBroadcast;
            case BUDGET_EXCEEDED -> house.isBudgetScarce()
                    && (ledger.foundBudgetSpent || house.budgetBytesMost() > limits.queueBudgetBytes());
            case WRITE_TIMEOUT -> ledger.wire != null && hasNotTaken(ledger, ledger.wire);
            case IDLE_TIMEOUT -> ledger.wire != null && passed(ledger.wire.activeNanos, limits.idleTimeout());
            case MESSAGE_TIMEOUT -> !ledger.plan.frames().isRaw() && !ledger.wasPausedBefore(scene.now())
                    && hasTakenTooLong(ledger);
            case FIRST_MESSAGE_TIMEOUT -> !ledger.hasSpoken && hasSaidNothing(ledger);
            case MESSAGE_TOO_LONG -> ledger.nextMessage < peer.said.messages().size()
                    && (peer.said.messages().get(ledger.nextMessage).ask() == null || peer.urgentsSent > 0); // which may be among the bytes
            case HANDLER_FAILED -> ledger.hasThrown;
            case TOO_MANY_FROM_ADDRESS -> false; // told to nobody
            case SPINNING -> false;
        };
        count(ledger, reason);
        // Whose socket cannot be watched any more cannot be waited for.
        if (isOrderly(reason) && hasNotLingered(ledger) && !peer.isStruckBy(Fault.WATCH_REFUSED)) {
            scene.findings.report(Rule.ENDS, ledger + " is closed: " + reason
                    + ", without a wait for its client, who has not finished: a reset may destroy what was sent last");
        }
        if (isOrderly(reason) && ledger.wire != null && ledger.wire.cutBytes > 0 && !wasInAHurry(ledger)) {
            scene.findings.report(Rule.ENDS, ledger + " is closed: " + reason + ", and " + ledger.wire.cutBytes
                    + " bytes that its ring had called taken have not left: they are cut off");
        }
        if (ledger.hasThrown && reason != CloseReason.HANDLER_FAILED) {
            scene.findings.report(Rule.ENDS,
                    ledger + " is closed: " + reason + ", and its handler has thrown an exception before");
        }
        if (!holds) {
            scene.findings.report(isDeadline(reason) ? Rule.DEADLINES : Rule.ENDS,
                    ledger + " is closed for a reason that there was not: " + reason);
        }
    }

    /** Nothing for too long, of what waits in the queue, or of what an end waits for that a ring has called taken. */
    private boolean hasNotTaken(Ledger ledger, Wire wire) {
        Duration timeout = ledger.plan.limits().writeTimeout();
        boolean waits = ledger.acceptedBytes - ledger.droppedBytes > wire.bytesOut || ledger.mayHaveBroadcast;
        return (waits && passed(Math.max(wire.takenNanos, ledger.queuedAloneNanos), timeout))
                || (wire.endWaits() && passed(Math.max(wire.takenNanos, wire.endWaitsSinceNanos), timeout));
    }

    /** For too long. What a pause keeps from being heard does not count; but once the input has ended, a pause changes nothing. */
    private boolean hasSaidNothing(Ledger ledger) {
        Duration timeout = ledger.plan.limits().firstMessageTimeout();
        return ledger.phase == Ledger.Phase.OPEN
                ? !ledger.wasPausedBefore(scene.now()) && passed(Math.max(ledger.openedNanos, ledger.lastResumeNanos), timeout)
                : passed(ledger.openedNanos, timeout);
    }

    /** Whether the message whose turn it is has begun long enough ago. Urgent bytes among the others shift where one begins. */
    private boolean hasTakenTooLong(Ledger ledger) {
        Duration timeout = ledger.plan.limits().messageTimeout();
        return ledger.peer.urgentsSent > 0
                ? passed(Math.max(ledger.lastMessageNanos, ledger.lastResumeNanos), timeout)
                : ledger.begunMessage == ledger.nextMessage
                        && passed(Math.max(ledger.begunNanos, ledger.lastResumeNanos), timeout);
    }

    /** Whether nobody was there, or the net or the host stood in the way. */
    private boolean mayFailToConnect(Peer peer) {
        return !peer.plan.listens() || peer.listensNoMore() || scene.healed || peer.house.plan.descriptorLimit() > 0
                || peer.isStruckBy(Fault.CONNECT_REFUSED) || peer.isStruckBy(Fault.CONNECT_UNREACHABLE)
                || peer.isStruckBy(Fault.CONNECT_IGNORED) || peer.isStruckBy(Fault.ACCEPT_ABORTED)
                || peer.isStruckBy(Fault.RESET) || peer.isStruckBy(Fault.WATCH_REFUSED)
                || scene.fired(Fault.SOCKET_REFUSED);
    }

    private static boolean isOrderly(CloseReason reason) {
        return switch (reason) {
            case FINISHED, PEER_FINISHED, DRAINED -> true;
            default -> false;
        };
    }

    /** Whether everything was sent, and the end of the input not awaited, although nobody was in a hurry. */
    private static boolean hasNotLingered(Ledger ledger) {
        Wire wire = ledger.wire;
        return wire != null && !wasInAHurry(ledger) && !wire.inputEnded && ledger.stateSeen != ConnectionState.LINGERING
                && wire.bytesIn <= ledger.plan.limits().lingerBytesMax() // else the rest of what was read last may have been too much at once
                && !ledger.mayHaveBroadcast && ledger.acceptedBytes - ledger.droppedBytes == wire.bytesOut;
    }

    /** Somebody has ended it at once, or broken it, whatever reason was given before. */
    private static boolean wasInAHurry(Ledger ledger) {
        Peer peer = ledger.peer;
        return ledger.closedByApplication || ledger.hasThrown || ledger.wasFull || peer.house.isEnding() || peer.hasCutOff()
                || peer.isStruckBy(Fault.RESET);
    }

    private void count(Ledger ledger, CloseReason reason) {
        Limit limit = switch (reason) {
            case BUDGET_EXCEEDED -> Limit.QUEUE_BUDGET;
            case MESSAGE_TOO_LONG -> Limit.MESSAGE_BYTES;
            case MESSAGE_TIMEOUT -> Limit.MESSAGE_TIME;
            case FIRST_MESSAGE_TIMEOUT -> Limit.FIRST_MESSAGE_TIME;
            case IDLE_TIMEOUT -> Limit.IDLE_TIME;
            case WRITE_TIMEOUT -> Limit.WRITE_TIME;
            case CONNECT_TIMEOUT -> Limit.CONNECT_TIME;
            case SERVER_CLOSED -> ledger.peer.house.drains && !scene.healed ? Limit.DRAIN_TIME : null;
            case FINISHED, DRAINED, PEER_FINISHED -> lingering(ledger);
            case CLOSED, RESET, FAILED, CONNECT_FAILED, QUEUE_FULL, HANDLER_FAILED, TOO_MANY_FROM_ADDRESS, SPINNING -> null;
        };
        if (limit != null) {
            scene.tally.add("limit", limit);
        }
    }

    private @Nullable Limit lingering(Ledger ledger) {
        if (ledger.stateSeen != ConnectionState.LINGERING || ledger.wire == null || ledger.wire.inputEnded) {
            return null;
        }
        return passed(ledger.stateSeenNanos, ledger.plan.limits().lingerTimeout()) ? Limit.LINGER_TIME
                : ledger.wire.bytesIn > ledger.plan.limits().lingerBytesMax() ? Limit.LINGER_BYTES : null;
    }

    private static boolean isDeadline(CloseReason reason) {
        return switch (reason) {
            case CONNECT_TIMEOUT, WRITE_TIMEOUT, IDLE_TIMEOUT, MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT -> true;
            default -> false;
        };
    }

    private boolean passed(long sinceNanos, Duration timeout) {
        return !timeout.isZero() && scene.now() - sinceNanos >= timeout.toNanos();
    }
}
