package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.SendResult;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.Fault;
import io.trivet.tls.TlsInfo;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One client of a {@link SecuredServer}, and the connection that serves it, with the checks of both. */
final class SecuredRun {
    private static final int FRAME_BYTES = 4;
    private static final Set<Fault> CUTS = EnumSet.of(Fault.RESET, Fault.ACCEPT_ABORTED, Fault.WATCH_REFUSED);
    /** How late a stalled handshake may end if there are no faults: the loops take a microsecond for each round. */
    private static final long LATE_NANOS_MAX = 100_000_000;
    /** How late a FIN may follow a close_notify if packets are delayed, or the server's socket is ready late. */
    private static final long LATE_FIN_NANOS_MAX = 3_000_000_000L;

    final SecuredPlan plan;
    final SecuredClient client;
    private final RunContext context;
    private final SecuredServer server;
    private boolean opened;
    private boolean inputEnded;
    private @Nullable CloseReason reason;
    private int delivered;
    /** The server has asked for the end of the connection. */
    private boolean serverEnds;
    /** The bytes of replies that were accepted for sending, with their frames. */
    private long acceptedBytes;

    SecuredRun(RunContext context, SecuredServer server, SecuredClient client) {
        this.context = context;
        this.server = server;
        this.client = client;
        plan = client.plan;
    }

    // ---- the callbacks

    void open(Connection connection) {
        context.progress++;
        log("onOpen");
        TlsInfo info = connection.tls();
        if (opened || reason != null) {
            fail(Rule.CALLBACKS, "onOpen is called " + (opened ? "twice" : "after onClose"));
        }
        if (!plan.kind().connects()) {
            fail(Rule.CALLBACKS, "onOpen is called, although the client has not completed its handshake");
        }
        if (info == null || !info.protocol().equals(plan.isTls12() ? "TLSv1.2" : "TLSv1.3")) {
            fail(Rule.GAUGES, "the connection reports " + info);
        }
        opened = true;
    }

    void message(Connection connection, ByteBuffer message) {
        context.progress++;
        byte[] bytes = new byte[message.remaining()];
        message.get(message.position(), bytes);
        if (delivered >= client.asked() || !Arrays.equals(bytes, plan.message(delivered))) {
            fail(Rule.BYTES, "message " + delivered + " of " + client.asked() + " is not what the client has sent: "
                    + InputChecker.shown(bytes));
            return;
        }
        if (inputEnded) {
            fail(Rule.CALLBACKS, "onMessage is called after the end of the input");
        }
        SecuredPlan.Ask ask = plan.asks().get(delivered);
        log("onMessage: " + delivered + ", " + ask);
        context.tally.add("secured-answer", ask.answer());
        if (ask.answer() == SecuredPlan.Answer.CLOSE) {
            serverEnds = true;
            delivered++;
            connection.close();
            return;
        }
        byte[] reply = plan.reply(delivered++);
        if (connection.send(reply) == SendResult.QUEUED) {
            acceptedBytes += FRAME_BYTES + reply.length;
        }
        if (ask.answer() == SecuredPlan.Answer.FINISH) {
            serverEnds = true;
            connection.finish();
        }
    }

    void endOfInput(Connection connection) {
        context.progress++;
        log("onEndOfInput");
        inputEnded = true;
        if (!client.hasSentNotify()) {
            fail(Rule.ENDS, "the end of the input is reported as complete, although the client has sent no close_notify");
        }
        checkAllDelivered("the end of the input is reported");
        serverEnds = true;
        connection.finish();
    }

    private void checkAllDelivered(String when) {
        if (delivered < client.asked()) {
            fail(Rule.DELIVERY, when + " after " + delivered + " of " + client.asked() + " messages");
        }
    }

    void closed(CloseReason why) {
        context.progress++;
        log("onClose: " + why);
        if (reason != null) {
            fail(Rule.CALLBACKS, "onClose is called twice");
        }
        reason = why;
        context.tally.add("secured-reason", why);
        if (!isExplained(why)) {
            fail(Rule.ENDS, "the connection was closed: " + why + ", which nothing explains");
        }
        if (why == CloseReason.PEER_FINISHED && !plan.isEndedByServer()) {
            checkAllDelivered("the connection has ended with PEER_FINISHED");
        }
        boolean failsEarly = why == CloseReason.HANDSHAKE_FAILED || why == CloseReason.HANDSHAKE_TIMEOUT;
        if (failsEarly && opened) {
            fail(Rule.CALLBACKS, "onClose reports " + why + " after onOpen");
        }
        if (why == CloseReason.HANDSHAKE_TIMEOUT) {
            checkDeadline();
        }
    }

    private void checkDeadline() {
        long waited = context.now() - client.startedNanos;
        long timeout = server.handshakeTimeout().toNanos();
        if (waited < timeout && !context.hasFired(Fault.CLOCK_JUMP)) {
            fail(Rule.DEADLINES, "the handshake has timed out after " + ReportText.duration(waited) + " of "
                    + ReportText.duration(timeout));
        }
        if (context.scenario.faults().faults().isEmpty() && waited > timeout + LATE_NANOS_MAX) {
            fail(Rule.DEADLINES, "the handshake has timed out only after " + ReportText.duration(waited) + "; its timeout is "
                    + ReportText.duration(timeout));
        }
    }

    private boolean isExplained(CloseReason why) {
        return switch (why) {
            case PEER_FINISHED -> client.hasSentNotify();
            case FINISHED -> serverEnds;
            case CLOSED -> plan.isEndedByServer();
            case TRUNCATED -> client.endsWithoutNotify();
            case PROTOCOL_ERROR -> client.hasForged();
            case HANDSHAKE_FAILED -> !plan.kind().connects() || client.endsWithoutNotify() || isCut();
            case HANDSHAKE_TIMEOUT -> switch (plan.kind()) {
                case STALLS, CUTS_HANDSHAKE, SENDS_GARBAGE_WITHIN -> true;
                case ENDS_HANDSHAKE, SENDS_GARBAGE -> isLate(); // they are refused by their first bytes
                case COMPLETES, TRUNCATES, CUTS_RECORD, RESETS, FORGES -> hasFaults();
            };
            case RESET -> plan.kind() == SecuredClientKind.RESETS || isCut() || client.end() != ClientEnd.OPEN
                // In TLS 1.2 the client's close_notify ends both directions.
                    || (plan.isTls12() && client.hasSentNotify());
            case FAILED -> isAffectedBy(Fault.WATCH_REFUSED);
            case DRAINED, SERVER_CLOSED -> server.isDraining();
            case WRITE_TIMEOUT, MESSAGE_TIMEOUT, FIRST_MESSAGE_TIMEOUT -> isLate();
            default -> false;
        };
    }

    // ---- the end

    /** Returns what has not ended; null if everything has. */
    @Nullable
    String remaining() {
        return client.end() == ClientEnd.OPEN
                ? this + " has not ended, and its client has received " + client.received().length + " bytes"
                : null;
    }

    /** Checks what the client has seen. Called at the end of a run. */
    void check() {
        byte[] received = client.received();
        checkReceived(received);
        CloseReason why = reason;
        boolean isDisturbed = isCut() || isLate() || server.isDraining();
        if (client.hasReceivedNotify() && received.length < acceptedBytes && !isTls12End()) {
            fail(Rule.ENDS, "the client has received a close_notify after " + received.length + " of " + acceptedBytes
                    + " bytes that were accepted for sending: a cut stream looks complete");
        }
        if (client.failure() != null && plan.kind().connects() && plan.kind() != SecuredClientKind.FORGES) {
            fail(Rule.BYTES, "the client's TLS has failed: " + client.failure());
        }
        if (plan.awaitsEnd() && client.end() == ClientEnd.ENDED && client.hasReceivedNotify() && !isDisturbed
                && client.endedAfterNotifyNanos() > (hasFaults() ? LATE_FIN_NANOS_MAX : LATE_NANOS_MAX)) {
            fail(Rule.ENDS, "the TCP stream has ended only " + ReportText.duration(client.endedAfterNotifyNanos())
                    + " after the close_notify");
        }
        boolean orderly = why != null && CloseReasonChecker.isOrderly(why);
        if (orderly && client.end() == ClientEnd.ENDED && !client.hasReceivedNotify() && !isDisturbed) {
            fail(Rule.ENDS, "the connection has ended with " + why + ", and the client has received no close_notify: a complete"
                    + " stream looks cut");
        }
        if (!isDisturbed && client.end() != ClientEnd.REFUSED) {
            checkUndisturbed(why);
        }
    }

    /** Checks the end of a connection that no fault has affected. */
    private void checkUndisturbed(@Nullable CloseReason why) {
        boolean fits = switch (plan.kind()) {
            case COMPLETES -> serverEnds && (why == CloseReason.PEER_FINISHED || plan.isEndedByServer() || isTls12End());
            case TRUNCATES, CUTS_RECORD -> why == CloseReason.TRUNCATED || plan.isEndedByServer();
            case RESETS -> opened || why == CloseReason.HANDSHAKE_FAILED; // in TLS 1.3 the client is the first to be ready
            case FORGES -> why == CloseReason.PROTOCOL_ERROR || plan.isEndedByServer();
            case STALLS -> why == CloseReason.HANDSHAKE_TIMEOUT;
            case CUTS_HANDSHAKE, ENDS_HANDSHAKE, SENDS_GARBAGE -> why == CloseReason.HANDSHAKE_FAILED;
            case SENDS_GARBAGE_WITHIN -> why == CloseReason.HANDSHAKE_FAILED || why == CloseReason.HANDSHAKE_TIMEOUT;
        };
        if (!fits && !hasFaults()) {
            fail(Rule.ENDS, "the connection has ended with " + why);
        }
    }

    private boolean isTls12End() {
        return plan.isTls12() && client.hasSentNotify();
    }

    private void checkReceived(byte[] received) {
        int at = 0;
        for (int i = 0; i < plan.asks().size() && at < received.length; i++) {
            byte[] reply = plan.reply(i);
            byte[] framed = ByteBuffer.allocate(FRAME_BYTES + reply.length).putInt(reply.length).put(reply).array();
            int count = Math.min(framed.length, received.length - at);
            if (!Arrays.equals(received, at, at + count, framed, 0, count)) {
                fail(Rule.BYTES, "the client has not received reply " + i + " at byte " + at);
                return;
            }
            at += count;
        }
        if (at < received.length) {
            fail(Rule.BYTES, "the client has received " + (received.length - at) + " bytes behind the last reply");
        }
    }

    private boolean hasFaults() {
        return !context.scenario.faults().faults().isEmpty();
    }

    private boolean isCut() {
        return client.faults().stream().anyMatch(CUTS::contains);
    }

    /** Returns true if a deadline may have passed although the client has done everything in time. */
    private boolean isLate() {
        return isAffectedBy(Fault.STALL) || isAffectedBy(Fault.CLOG) || context.hasFired(Fault.CLOCK_JUMP);
    }

    private boolean isAffectedBy(Fault fault) {
        return client.faults().contains(fault);
    }

    void fail(Rule rule, String what) {
        context.failures.report(rule, this + ": " + what);
    }

    private void log(String event) {
        if (context.timeline.isEnabled()) {
            context.timeline.log(this + ": " + event);
        }
    }

    @Override
    public String toString() {
        return "the TLS connection of client " + plan.number();
    }
}
