package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;

/** Checks that a callback is called only in a state of the connection that allows it, and that results of calls fit the state. */
final class CallbackChecker {
    /** How late a timer may run. If another loop schedules it, its own loop learns of it only in the next turn. */
    static final long TIMER_LATE_NANOS_MAX = 1_000_000;

    private final RunContext context;
    private final CloseReasonChecker closeReasonChecker;

    CallbackChecker(RunContext context) {
        this.context = context;
        closeReasonChecker = new CloseReasonChecker(context);
    }

    void open(ConnectionModel model, Connection connection) {
        expect(model, model.phase == ConnectionModel.Phase.BEFORE_OPEN, "onOpen called twice, or after onClose");
        expect(model, connection.state() == ConnectionState.OPEN, "onOpen called in state " + connection.state());
        model.phase = ConnectionModel.Phase.OPEN;
    }

    void message(ConnectionModel model, Connection connection) {
        expect(model, model.phase == ConnectionModel.Phase.OPEN, "onMessage called in state " + model.phase);
        expect(model, connection.state() == ConnectionState.OPEN, "onMessage called in state " + connection.state());
        expect(model, !model.pausedByApplication, "onMessage called while reading is paused");
        expectOwnLoop(model);
    }

    void urgent(ConnectionModel model, Connection connection) {
        expect(model, model.phase == ConnectionModel.Phase.OPEN, "onUrgent called in state " + model.phase);
        expect(model, connection.state() == ConnectionState.OPEN, "onUrgent called in state " + connection.state());
        expect(model, model.plan.urgent(), "onUrgent called, although urgent data is not watched");
        expectOwnLoop(model);
    }

    void endOfInput(ConnectionModel model, Connection connection) {
        expect(model, model.phase == ConnectionModel.Phase.OPEN, "onEndOfInput called in state " + model.phase);
        expect(model, connection.state() == ConnectionState.INPUT_ENDED, "onEndOfInput called in state " + connection.state());
        expect(model, !model.pausedByApplication, "onEndOfInput called while reading is paused");
        expectOwnLoop(model);
        model.phase = ConnectionModel.Phase.INPUT_ENDED;
    }

    void drained(ConnectionModel model, Connection connection) {
        boolean alive = model.phase == ConnectionModel.Phase.OPEN || model.phase == ConnectionModel.Phase.INPUT_ENDED;
        expect(model, alive, "onDrained called in state " + model.phase);
        int low = model.plan.limits().queueLowBytes();
        expect(model, connection.queue().bytes() <= low, "onDrained called with "
                + connection.queue().bytes() + " bytes in the queue, above the low mark of " + low);
        expect(model, !connection.queue().isHigh(), "onDrained called, although the queue is high");
        expectOwnLoop(model);
        model.wasHigh = false;
        model.turnsWithoutDrained = 0; // if the handler fills the queue again, the next turn has to report it
        context.selfCausedCallbacks++;
    }

    void dropped(ConnectionModel model, int messages, long bytes) {
        expect(model, model.phase != ConnectionModel.Phase.CLOSED, "onDropped called after onClose");
        expect(model, model.plan.overflow() == Overflow.DROP_OLDEST, "onDropped called, although the policy does not drop");
        expect(model, messages > 0 && bytes > 0, "onDropped called without messages");
        context.selfCausedCallbacks++;
        expectOwnLoop(model);
    }

    /** Called when a timer of a connection runs. Checks that it may. */
    void timer(ConnectionModel model, ApplicationTimer timer) {
        timerRuns(context, timer, model);
        CheckedLoop loop = model.client.server.turningLoop();
        if (loop != null) {
            loop.timerStarts(timer, model);
        }
        expect(model, model.phase != ConnectionModel.Phase.CLOSED, "a timer runs after onClose");
        expect(model, model.connection().state() != ConnectionState.CLOSED, "a timer runs in state CLOSED");
        expectOwnLoop(model);
    }

    /** Called when a timer runs. Checks that it runs once, in time, and was not cancelled. */
    static void timerRuns(RunContext context, ApplicationTimer timer, Object owner) {
        context.progress++;
        if (timer.isOver()) {
            context.failures.report(Rule.CALLBACKS,
                    owner + ": a timer runs " + (timer.cancelled ? "although it was cancelled" : "twice"));
        }
        timer.hasRun = true;
        long late = context.now() - timer.dueNanos;
        if (late < 0 || isLate(context, timer)) {
            context.failures.report(Rule.DEADLINES, owner + ": a timer runs " + ReportText.duration(Math.abs(late))
                    + (late < 0 ? " too early" : " too late"));
        }
    }

    /** Checks that a timer that has not run is not overdue. */
    static void timerWaits(RunContext context, ApplicationTimer timer, Object owner) {
        if (isLate(context, timer)) {
            context.failures.report(Rule.DEADLINES, owner + ": a timer was due "
                    + ReportText.duration(context.now() - timer.dueNanos) + " ago, and has not run");
        }
    }

    private static boolean isLate(RunContext context, ApplicationTimer timer) {
        return context.now() - Math.max(timer.dueNanos, context.jumpedNanos()) > TIMER_LATE_NANOS_MAX;
    }

    /** Checks the result of a cancel: true exactly if the cancel has prevented the timer from running. */
    void cancelled(ConnectionModel model, boolean wasOver, boolean result) {
        expect(model, !(wasOver && result), "cancel returns true for a timer that has run or was cancelled");
        boolean ends = switch (model.connection().state()) {
            case CONNECTING, OPEN, INPUT_ENDED -> false;
            case DRAINING, LINGERING, CLOSED -> true; // its timers may have been dropped
        };
        expect(model, wasOver || result || (ends && context.isExcused(Excuse.TIMER_DROPPED)),
                "cancel returns false for a timer that has not run");
    }

    void closed(ConnectionModel model, Connection connection, CloseReason reason) {
        boolean first = model.phase != ConnectionModel.Phase.CLOSED;
        boolean opened = model.phase != ConnectionModel.Phase.BEFORE_OPEN || model.outgoing;
        expect(model, first && opened, "onClose called in state " + model.phase);
        expect(model, connection.state() == ConnectionState.CLOSED, "onClose called in state " + connection.state());
        closeReasonChecker.check(model, reason);
        model.phase = ConnectionModel.Phase.CLOSED;
        model.reason = reason;
    }

    /** Returns how many urgent bytes were passed to the kernel; -1 if it is not certain that another one can be passed now. */
    int urgentsOut(ConnectionModel model) {
        boolean sends = model.socket != null && !model.socket.outputEnded
                && model.client.server.origin(model) == ServerUnderTest.OWN_LOOP
                && switch (model.connection().state()) {
                    case OPEN, INPUT_ENDED, DRAINING -> true;
                    case CONNECTING, LINGERING, CLOSED -> false;
                };
        return sends && model.socket != null ? model.socket.urgentsOut : -1;
    }

    /** Checks that an urgent byte went to the kernel at once, past the queue. */
    void urgentSent(ConnectionModel model, int before) {
        if (before >= 0 && model.socket != null && model.socket.urgentsOut != before + 1) {
            context.failures.report(Rule.DELIVERY,
                    model + ": sendUrgent has passed " + (model.socket.urgentsOut - before)
                            + " urgent bytes to the kernel, instead of 1");
        }
    }

    /** Checks the result of a send. */
    void sendResult(ConnectionModel model, SendResult result, int framed, SendMethod method) {
        Connection connection = model.connection();
        int queued = connection.queue().bytes();
        int cap = connection.queue().bytesMax();
        // From another thread up to the same number of bytes may be on their way to the loop, since only the loop can drop
        // messages.
        long capNow = model.plan.overflow() == Overflow.DROP_OLDEST && model.mayBeOnItsWay() ? 2L * cap : cap;
        boolean mayBeReply = model.plan.overflow() == Overflow.PAUSE_READING && method != SendMethod.OFFER
                && context.currentLoop == model.loopKey;
        if (mayBeReply) {
            capNow = Integer.MAX_VALUE;
        }
        ServerUnderTest server = model.client.server;
        server.raiseBudgetBound(framed);
        switch (result) {
            case QUEUED -> {
                // this policy may have dropped what was queued before
                if (queued == framed && model.plan.overflow() != Overflow.DROP_OLDEST) {
                    model.queuedIntoEmptyNanos = context.now();
                }
                if (queued > capNow || (queued < framed && !connection.state().equals(ConnectionState.CLOSED))) {
                    context.failures.report(Rule.CAPS,
                            model + ": accepted " + framed + " bytes, and its queue now holds " + queued
                                    + ", maximum " + capNow);
                }
                boolean ended = model.phase == ConnectionModel.Phase.CLOSED
                        || (model.finishedOnOwnLoop && model.phase != ConnectionModel.Phase.BEFORE_OPEN
                                && context.currentLoop == model.loopKey);
                expect(model, !ended, "accepts a message after its end");
            }
            case FULL -> {
                if (mayBeReply && model.inMessage && framed <= model.plan.limits().queueBudgetBytes()) {
                    context.failures.report(Rule.CAPS,
                            model + ": refused a reply of " + framed + " bytes, although reading is paused while it waits");
                }
                context.tally.add("limit", Limit.QUEUE_BYTES);
                if (model.plan.overflow() == Overflow.DISCONNECT && method != SendMethod.OFFER) {
                    context.tally.add("policy", Overflow.DISCONNECT);
                }
                model.wasFull |= method != SendMethod.OFFER;
                if (queued + (long) framed <= cap) {
                    context.failures.report(Rule.CAPS,
                            model + ": refused " + framed + " bytes, although its queue holds only " + queued + " of "
                                    + cap);
                } else if (framed + undroppableBytes(model) <= cap) {
                    context.failures.report(Rule.CAPS,
                            model + ": refused " + framed + " bytes, although of the " + queued + " bytes in its queue only "
                                    + undroppableBytes(model) + " could not be dropped");
                }
            }
            case CLOSED -> {
                model.exceededBudget |= server.isBudgetScarce()
                        && server.budgetBytesBound() > model.plan.limits().queueBudgetBytes();
                boolean ended = switch (connection.state()) {
                    case CONNECTING, OPEN, INPUT_ENDED -> model.outputFinished || context.recovering || server.isEnding()
                            || model.exceededBudget // a send from another loop counts against the budget at once
                            || model.finished || model.closedByApplication;
                    case DRAINING, LINGERING, CLOSED -> true;
                };
                expect(model, ended, "a send returns CLOSED in state " + connection.state());
            }
        }
    }

    /**
     * Returns an upper bound of the queued bytes that cannot be dropped: those sent with sendFirst, those of a message that is
     * partly sent, and those of a pending send.
     */
    private static long undroppableBytes(ConnectionModel model) {
        boolean drops = model.plan.overflow() == Overflow.DROP_OLDEST && !model.hasStreamed && !model.mayBeOnItsWay()
                && (model.socket == null || !model.socket.hasPendingSend());
        return drops ? model.sentFirstBytes + model.framedMax : Long.MAX_VALUE / 2;
    }

    private void expectOwnLoop(ConnectionModel model) {
        expect(model, !model.hasThrown, "a callback follows an exception of the handler");
        expect(model, model.loopKey == RunContext.OUTSIDE || model.client.server.mayRunHere(model),
                "a callback runs on another loop");
    }

    private void expect(ConnectionModel model, boolean holds, String otherwise) {
        if (!holds) {
            context.failures.report(Rule.CALLBACKS, model + ": " + otherwise);
        }
    }
}
