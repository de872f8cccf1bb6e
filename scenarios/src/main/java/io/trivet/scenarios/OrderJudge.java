package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;

/** Holds the callbacks and the answers of one server to the order that its connections' states allow. */
final class OrderJudge {
    /** What is scheduled from elsewhere comes to its loop with its next turn. */
    static final long TIMER_LATE_NANOS_MAX = 1_000_000;

    private final Scene scene;
    private final ReasonJudge reasons;

    OrderJudge(Scene scene) {
        this.scene = scene;
        reasons = new ReasonJudge(scene);
    }

    void open(Ledger ledger, Connection connection) {
        expect(ledger, ledger.phase == Ledger.Phase.BEFORE_OPEN, "is opened twice, or after its end");
        expect(ledger, connection.state() == ConnectionState.OPEN, "is opened while it is " + connection.state());
        ledger.phase = Ledger.Phase.OPEN;
    }

    void message(Ledger ledger, Connection connection) {
        expect(ledger, ledger.phase == Ledger.Phase.OPEN, "is told a message while it is " + ledger.phase);
        expect(ledger, connection.state() == ConnectionState.OPEN, "is told a message while it is " + connection.state());
        expect(ledger, !ledger.pausedByApplication, "is told a message while reading is paused");
        expectOwnLoop(ledger);
    }

    void urgent(Ledger ledger, Connection connection) {
        expect(ledger, ledger.phase == Ledger.Phase.OPEN, "is told an urgent byte while it is " + ledger.phase);
        expect(ledger, connection.state() == ConnectionState.OPEN, "is told an urgent byte while it is " + connection.state());
        expect(ledger, ledger.plan.urgent(), "is told an urgent byte, and nobody watches for one");
        expectOwnLoop(ledger);
    }

    void endOfInput(Ledger ledger, Connection connection) {
        expect(ledger, ledger.phase == Ledger.Phase.OPEN, "is told the end of its input while it is " + ledger.phase);
        expect(ledger, connection.state() == ConnectionState.INPUT_ENDED, "is told the end while it is " + connection.state());
        expect(ledger, !ledger.pausedByApplication, "is told the end while reading is paused");
        expectOwnLoop(ledger);
        ledger.phase = Ledger.Phase.INPUT_ENDED;
    }

    void drained(Ledger ledger, Connection connection) {
        boolean alive = ledger.phase == Ledger.Phase.OPEN || ledger.phase == Ledger.Phase.INPUT_ENDED;
        expect(ledger, alive, "is told that its queue has drained while it is " + ledger.phase);
        int low = ledger.plan.limits().queueLowBytes();
        expect(ledger, connection.queue().bytes() <= low, "is told that its queue has drained, and it holds "
                + connection.queue().bytes() + " bytes, above the mark of " + low);
        expect(ledger, !connection.queue().isHigh(), "is told that its queue has drained, and it is high");
        expectOwnLoop(ledger);
        ledger.wasHigh = false;
        scene.callsBack++;
    }

    void dropped(Ledger ledger, int messages, long bytes) {
        expect(ledger, ledger.phase != Ledger.Phase.CLOSED, "is told of dropped messages after its end");
        expect(ledger, ledger.plan.overflow() == Overflow.DROP_OLDEST, "drops messages, which is not its policy");
        expect(ledger, messages > 0 && bytes > 0, "is told of nothing dropped");
        scene.callsBack++;
        expectOwnLoop(ledger);
    }

    void timer(Ledger ledger, long dueNanos) {
        ledger.timersRun++;
        scene.progress++;
        long late = scene.now() - dueNanos;
        if (late < 0 || (scene.now() - Math.max(dueNanos, scene.jumpedNanos()) > TIMER_LATE_NANOS_MAX)) {
            scene.findings.report(Rule.DEADLINES, ledger + " is told that a time has come " + Words.time(Math.abs(late))
                    + (late < 0 ? " too early" : " too late"));
        }
        expect(ledger, ledger.phase != Ledger.Phase.CLOSED, "is told that a time has come, after its end");
        expectOwnLoop(ledger);
    }

    void closed(Ledger ledger, Connection connection, CloseReason reason) {
        boolean first = ledger.phase != Ledger.Phase.CLOSED;
        boolean opened = ledger.phase != Ledger.Phase.BEFORE_OPEN || ledger.called;
        expect(ledger, first && opened, "is told its end while it is " + ledger.phase);
        expect(ledger, connection.state() == ConnectionState.CLOSED, "is told its end while it is " + connection.state());
        reasons.check(ledger, reason);
        ledger.phase = Ledger.Phase.CLOSED;
        ledger.reason = reason;
    }

    /** How many urgent bytes were given to the kernel; -1: just now it is not known whether one may be. */
    int urgentsOut(Ledger ledger) {
        boolean sends = ledger.wire != null && !ledger.wire.outputEnded && ledger.peer.house.origin(ledger) == House.OWN
                && switch (ledger.connection().state()) {
                    case OPEN, INPUT_ENDED, DRAINING -> true;
                    case CONNECTING, LINGERING, CLOSED -> false;
                };
        return sends && ledger.wire != null ? ledger.wire.urgentsOut : -1;
    }

    /** One more was sent, which passes the queue by. */
    void urgentSent(Ledger ledger, int before) {
        if (before >= 0 && ledger.wire != null && ledger.wire.urgentsOut != before + 1) {
            scene.findings.report(Rule.DELIVERY,
                    ledger + " is given an urgent byte, and gives " + (ledger.wire.urgentsOut - before)
                            + " of them to its socket");
        }
    }

    /** What a connection answered to a message. */
    void answered(Ledger ledger, SendResult result, int framed, Sending sending) {
        Connection connection = ledger.connection();
        int queued = connection.queue().bytes();
        int cap = connection.queue().bytesMax();
        // From elsewhere as much again may be on its way, since only the loop can drop.
        long capNow = ledger.plan.overflow() == Overflow.DROP_OLDEST && ledger.plan.loops() > 1 ? 2L * cap : cap;
        House house = ledger.peer.house;
        house.budgetMayTake(framed);
        switch (result) {
            case QUEUED -> {
                if (queued == framed && ledger.plan.overflow() != Overflow.DROP_OLDEST) { // which may have dropped what waited
                    ledger.queuedAloneNanos = scene.now();
                }
                if (queued > capNow || (queued < framed && !connection.state().equals(ConnectionState.CLOSED))) {
                    scene.findings.report(Rule.CAPS, ledger + " has taken " + framed + " bytes, and now its queue holds " + queued
                            + " of at most " + capNow);
                }
                boolean ended = ledger.phase == Ledger.Phase.CLOSED
                        || (ledger.finishedOnLoop && ledger.phase != Ledger.Phase.BEFORE_OPEN
                                && scene.where == ledger.loopKey);
                expect(ledger, !ended, "takes a message after its end");
            }
            case FULL -> {
                scene.tally.add("limit", Limit.QUEUE_BYTES);
                if (ledger.plan.overflow() == Overflow.DISCONNECT && sending != Sending.OFFER) {
                    scene.tally.add("policy", Overflow.DISCONNECT);
                }
                ledger.wasFull |= sending != Sending.OFFER;
                if (queued + (long) framed <= cap) {
                    scene.findings.report(Rule.CAPS,
                            ledger + " refuses " + framed + " bytes, and its queue holds only " + queued + " of "
                                    + cap);
                } else if (framed + undroppable(ledger) <= cap) {
                    scene.findings.report(Rule.CAPS,
                            ledger + " refuses " + framed + " bytes, and of the " + queued + " in its queue at most "
                                    + undroppable(ledger) + " may not be dropped");
                }
            }
            case CLOSED -> {
                ledger.foundBudgetSpent |= house.isBudgetScarce()
                        && house.budgetBytesMost() > ledger.plan.limits().queueBudgetBytes();
                boolean ended = switch (connection.state()) {
                    case CONNECTING, OPEN, INPUT_ENDED -> ledger.outputFinished || scene.healed || house.isEnding()
                            || ledger.foundBudgetSpent // from elsewhere it is taken at once
                            || ledger.finished || ledger.closedByApplication;
                    case DRAINING, LINGERING, CLOSED -> true;
                };
                expect(ledger, ended, "says that it is closed while it is " + connection.state());
            }
        }
    }

    /** So many of the bytes in a queue may have to stay, at most: those that were sent ahead, those of one that is begun, and all that is lent. */
    private static long undroppable(Ledger ledger) {
        boolean drops = ledger.plan.overflow() == Overflow.DROP_OLDEST && ledger.plan.loops() == 1 // from elsewhere, it may be on its way
                && (ledger.wire == null || !ledger.wire.hasLent());
        return drops ? ledger.aheadBytes + ledger.framedMax : Long.MAX_VALUE / 2;
    }

    private void expectOwnLoop(Ledger ledger) {
        expect(ledger, !ledger.hasThrown, "is told something after its handler has thrown an exception");
        expect(ledger, ledger.loopKey == Scene.OUTSIDE || ledger.peer.house.isRightPlace(ledger),
                "is told something on another's loop");
    }

    private void expect(Ledger ledger, boolean holds, String otherwise) {
        if (!holds) {
            scene.findings.report(Rule.CALLBACKS, ledger + " " + otherwise);
        }
    }
}
