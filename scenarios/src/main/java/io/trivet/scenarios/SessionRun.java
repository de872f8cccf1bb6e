package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.ConnectionClosedException;
import io.trivet.server.Session;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.Fault;
import io.trivet.sim.SimClient;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One client of a {@link SessionServer}, and the session that serves it. The session does what the client's messages ask for, and
 * checks what its calls return.
 */
final class SessionRun {
    private static final int DEADLINES_MAX = 3;

    final Conversation plan;
    final SimClient client;
    private final RunContext context;
    private final SessionServer server;
    private final ClientFraming framing;
    int started;
    @Nullable SessionEnd end;
    @Nullable CloseReason reason;
    /** The bytes of replies for which send has returned, with their frames. */
    long sentBytes;
    private int received;

    SessionRun(RunContext context, SessionServer server, Conversation plan, SimClient client) {
        this.context = context;
        this.server = server;
        this.plan = plan;
        this.client = client;
        framing = server.framing;
    }

    /** Serves the client: the code of the session. */
    void serve(Session session) throws Exception {
        started++;
        server.enter(this);
        try {
            end = converse(session);
            if (end == SessionEnd.THREW) {
                throw TestExceptions.of(plan.number());
            }
        } catch (ConnectionClosedException e) {
            end = SessionEnd.CLOSED;
            reason = e.reason();
            checkClosed(e.reason());
            throw e;
        } finally {
            server.leave(this);
            context.progress++;
            log("ends: " + end);
        }
    }

    private SessionEnd converse(Session session) throws IOException {
        long deadlineNanos = 0;
        while (true) {
            ByteBuffer message = receive(session, deadlineNanos);
            deadlineNanos = 0;
            if (message == null) {
                return inputEnded(session);
            }
            check(message);
            int number = received++;
            if (number >= plan.asks().size()) {
                return SessionEnd.RETURNED; // the failure has been reported
            }
            Conversation.Ask ask = plan.asks().get(number);
            context.tally.add("session", ask.request());
            switch (ask.request()) {
                case ECHO -> send(session, message);
                case REPLY_LATE -> sleep(session, ask.nanos());
                case RECEIVE_WITHIN -> deadlineNanos = ask.nanos();
                case REPLIES, FINISH, THROW -> {
                    // only the replies
                }
            }
            for (int i = 0; i < ask.count() && ask.request() != SessionRequest.ECHO; i++) {
                send(session, ByteBuffer.wrap(plan.reply(number, i, framing)));
            }
            if (ask.endsSession()) {
                return ask.request() == SessionRequest.THROW ? SessionEnd.THREW : SessionEnd.RETURNED;
            }
        }
    }

    // ---- the calls

    private @Nullable ByteBuffer receive(Session session, long deadlineNanos) throws IOException {
        for (int i = 0; i < DEADLINES_MAX && deadlineNanos > 0; i++) {
            long start = context.now();
            server.leave(this);
            try {
                return session.receive(Duration.ofNanos(deadlineNanos));
            } catch (SocketTimeoutException e) {
                context.tally.add("session RECEIVE_TIMED_OUT", 1);
                if (context.now() - start < deadlineNanos) {
                    fail(Rule.DEADLINES, "receive has timed out after " + ReportText.duration(context.now() - start)
                            + " of " + ReportText.duration(deadlineNanos));
                }
            } finally {
                server.enter(this);
            }
        }
        server.leave(this);
        try {
            return session.receive();
        } finally {
            server.enter(this);
        }
    }

    private void send(Session session, ByteBuffer message) throws IOException {
        byte[] content = new byte[message.remaining()];
        message.get(message.position(), content);
        long start = context.now();
        server.leave(this);
        try {
            session.send(message);
        } finally {
            server.enter(this);
        }
        if (context.now() > start) {
            context.tally.add("session SEND_WAITED", 1);
        }
        sentBytes += framing.framedLength(content.length);
        if (message.hasRemaining()) {
            fail(Rule.BYTES, "send has left bytes of the message");
        }
        if (context.timeline.isEnabled()) {
            log("sends " + content.length + " bytes");
        }
        Arrays.fill(content, (byte) 0);
    }

    private void sleep(Session session, long nanos) throws IOException {
        long start = context.now();
        server.leave(this);
        try {
            session.sleep(Duration.ofNanos(nanos));
        } finally {
            server.enter(this);
        }
        if (context.now() - start < nanos) {
            fail(Rule.DEADLINES, "sleep has ended after " + ReportText.duration(context.now() - start) + " of "
                    + ReportText.duration(nanos));
        }
    }

    // ---- the checks

    private void check(ByteBuffer message) {
        context.progress++;
        byte[] bytes = new byte[message.remaining()];
        message.get(message.position(), bytes);
        log("receives message " + received);
        if (received >= plan.asks().size() || !Arrays.equals(bytes, plan.message(received, framing))) {
            fail(Rule.BYTES, "message " + received + " of " + plan.asks().size() + " is not what the client has sent: "
                    + InputChecker.shown(bytes));
        }
    }

    private SessionEnd inputEnded(Session session) throws IOException {
        if (server.isDraining()) {
            return SessionEnd.DRAINED;
        }
        boolean mayHaveEnded = plan.end() != ConversationEnd.RESET && (client.isDone() || client.end() == ClientEnd.CLOSED);
        if (!mayHaveEnded && !client.faults().contains(Fault.WATCH_REFUSED)) {
            fail(Rule.ENDS, "receive returns null, although the client has not ended its output");
        } else if (received < plan.asks().size() && !client.faults().contains(Fault.WATCH_REFUSED)) {
            fail(Rule.DELIVERY, "receive returns null after " + received + " of " + plan.asks().size() + " messages");
        }
        send(session, ByteBuffer.wrap(Conversation.farewell(framing)));
        return SessionEnd.INPUT_ENDED;
    }

    /** Checks that what has ended the connection explains the reason that a call has thrown. */
    private void checkClosed(CloseReason thrown) {
        boolean explained = switch (thrown) {
            case RESET ->
                plan.end() != ConversationEnd.HALF_CLOSE || isAffectedBy(Fault.RESET) || isAffectedBy(Fault.ACCEPT_ABORTED)
                        || isAffectedBy(Fault.WATCH_REFUSED);
            case FAILED -> isAffectedBy(Fault.WATCH_REFUSED);
            case SERVER_CLOSED, DRAINED -> server.isDraining();
            case IDLE_TIMEOUT -> !server.limits().idleTimeout().isZero();
            case BUDGET_EXCEEDED -> server.isBudgetScarce();
            case WRITE_TIMEOUT, MESSAGE_TIMEOUT -> isLate();
            default -> false;
        };
        if (!explained) {
            fail(Rule.ENDS, "a call throws since the connection was closed: " + thrown + ", which nothing explains");
        }
    }

    /** Returns true if a deadline may have passed although the client has done everything in time. */
    boolean isLate() {
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
            context.timeline.log(this + " " + event);
        }
    }

    @Override
    public String toString() {
        return "session of client " + plan.number();
    }
}
