package io.trivet.scenarios;

import io.trivet.observe.ConnectionState;
import io.trivet.observe.ServerStats;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.Fault;
import java.time.Duration;
import java.util.List;

/**
 * Looks at every connection of a loop after each of its turns: its gauges must say what is really queued (what a ring has called taken is not,
 * even if the socket has refused it), and no deadline may have passed it by. Time stands still during a turn, so all of this is exact. Now and then it looks before a turn as well: a loop that sleeps must have been
 * woken in time.
 */
final class StandingJudge {
    /** Idleness is measured by the server in steps of about a millisecond, and rounded up. */
    private static final long IDLE_STEP_NANOS = 3_000_000;
    /** Two rounds of the loops are so far apart, so a deadline may pass between them. */
    private static final long ROUND_NANOS = 1_000;
    private static final int STATS_EVERY = 32;
    private static final int AGES_EVERY = 8;
    /** Room is told late, and denied: but not for so long. */
    private static final long ROOM_UNUSED_NANOS_MAX = 200_000_000;
    /** That everything has left is told late where room is: but not for so long. */
    private static final long END_UNSENT_NANOS_MAX = 500_000_000;
    /** Bytes may be on their way for a tenth of a second, and what is ready may be told late: but not for so long. */
    private static final long UNREAD_NANOS_MAX = 500_000_000;

    private final Scene scene;
    private final House house;
    private final WatchedProactor proactor;
    private final int loopKey;
    private int turns;
    private long graceNanos;

    StandingJudge(Scene scene, House house, WatchedProactor proactor, int loopKey) {
        this.scene = scene;
        this.house = house;
        this.proactor = proactor;
        this.loopKey = loopKey;
    }

    /** Before a turn that it was not woken for: whatever is over by now should have woken it in time. */
    void checkOverslept() {
        graceNanos = ROUND_NANOS;
        for (int i = 0; i < house.open().size(); i++) {
            Ledger ledger = house.open().get(i);
            if (ledger.loopKey == loopKey && ledger.wire != null) {
                deadlines(ledger, ledger.wire);
            } else if (ledger.phase == Ledger.Phase.BEFORE_OPEN) {
                connecting(ledger);
            }
        }
        graceNanos = 0;
    }

    void check() {
        for (int i = 0; i < house.open().size(); i++) {
            Ledger ledger = house.open().get(i);
            if (ledger.loopKey == loopKey && ledger.wire != null) {
                gauges(ledger, ledger.wire);
                deadlines(ledger, ledger.wire);
            } else if (ledger.phase == Ledger.Phase.BEFORE_OPEN) {
                connecting(ledger);
            }
        }
        if (++turns % STATS_EVERY == 0) {
            ServerStats stats = house.server().stats();
            if (stats.queueBytes() > stats.queueBytesMax() || stats.queueBytes() < 0) {
                scene.findings.report(Rule.CAPS, "the queues of server " + house.plan.number() + " hold " + stats.queueBytes()
                        + " bytes, of at most " + stats.queueBytesMax());
            }
        }
    }

    /** One that is called, and not there yet: known to its loop from when its connect has begun. */
    private void connecting(Ledger ledger) {
        if (House.loopOf(ledger) != (loopKey & 0xff) || ledger.connection().state() != ConnectionState.CONNECTING) {
            return;
        }
        if (ledger.connectingSinceNanos < 0) {
            ledger.connectingSinceNanos = scene.now();
        }
        late(ledger, ledger.connectingSinceNanos, ledger.connectTimeout, 0, "to connect");
    }

    private void gauges(Ledger ledger, Wire wire) {
        if (ledger.mayHaveBroadcast) {
            return;
        }
        long queued = ledger.connection().queue().bytes();
        long waits = ledger.acceptedBytes - ledger.droppedBytes - wire.bytesOut;
        boolean untold = ledger.plan.overflow() == Overflow.DROP_OLDEST; // what was dropped just now is told by the next turn
        if (queued != waits && !(untold && queued < waits && queued >= 0)) {
            scene.findings.report(Rule.GAUGES,
                    "the queue of " + ledger + " says that it holds " + queued + " bytes, and it holds " + waits
                            + ": " + ledger.acceptedBytes + " were taken, " + wire.bytesOut + " have left, " + ledger.droppedBytes
                            + " were dropped");
        }
        messages(ledger, wire, queued);
        if (turns % AGES_EVERY == 0) {
            age(ledger, wire, queued);
        }
    }

    /** Which messages have left is not seen: as many as those bytes can be, and no more than were taken and have not arrived. */
    private void messages(Ledger ledger, Wire wire, long queued) {
        long messages = ledger.connection().queue().messages();
        long least = queued == 0 ? 0 : (queued + ledger.framedMax - 1) / ledger.framedMax;
        long most = queued == 0 ? 0 : Math.min((queued - 1) / ledger.framedMin + 1,
                ledger.acceptedMessages - ledger.droppedMessages - (wire.hasLent() ? 0 : ledger.receivedMessages));
        if (messages < least || messages > most) {
            scene.findings.report(Rule.GAUGES,
                    "the queue of " + ledger + " says that it holds " + messages + " messages of " + queued
                            + " bytes together, and it holds " + least + " to " + most);
        }
    }

    /** The oldest message that waits has waited since when nothing did, at most; and where nothing was taken meanwhile, no less than it was seen to. */
    private void age(Ledger ledger, Wire wire, long queued) {
        if (queued == 0 || ledger.waitingSinceNanos < 0) {
            return;
        }
        long age = ledger.connection().queue().oldestAge().toNanos();
        boolean stands = wire.takenNanos <= ledger.waitingSinceNanos && ledger.plan.overflow() != Overflow.DROP_OLDEST
                && ledger.plan.loops() == 1; // else it may be on its way to its loop
        long least = stands ? scene.now() - ledger.waitingSinceNanos : 0;
        long most = scene.now() - ledger.createdNanos;
        if (age < least || age > most) {
            scene.findings.report(Rule.GAUGES, "the queue of " + ledger + " says that its oldest message has waited "
                    + Words.time(age) + ", and it has " + Words.time(least) + " to " + Words.time(most));
        }
    }

    private void deadlines(Ledger ledger, Wire wire) {
        Limits limits = ledger.plan.limits();
        ConnectionState state = ledger.connection().state();
        long now = scene.now();
        if (state != ledger.stateSeen) {
            scene.tally.add("state", state);
            ledger.stateSeen = state;
            ledger.stateSeenNanos = now;
            ledger.stateSeenBytesIn = wire.bytesIn;
        }
        if (state == ConnectionState.CLOSED) {
            return;
        }
        if (ledger.plan.overflow() == Overflow.PAUSE_READING && ledger.connection().queue().isHigh() && !ledger.wasPaused) {
            scene.tally.add("policy", Overflow.PAUSE_READING);
            ledger.wasPaused = true;
        }
        boolean waits = ledger.connection().queue().bytes() > 0;
        ledger.waitingSinceNanos = !waits ? -1 : ledger.waitingSinceNanos < 0 ? now : ledger.waitingSinceNanos;
        ledger.notWaitingSinceNanos = waits || (ledger.outputFinished && !ledger.outputWasFinished)
                || ledger.notWaitingSinceNanos < 0
                        ? now
                        : ledger.notWaitingSinceNanos;
        ledger.outputWasFinished = ledger.outputFinished;
        if (waits) {
            late(ledger, Math.max(ledger.waitingSinceNanos, wire.takenNanos), limits.writeTimeout(), 0, "to take something");
            roomUnused(ledger, wire);
        }
        if (!waits && wire.endWaits()) {
            late(ledger, Math.max(wire.endWaitsSinceNanos, wire.takenNanos), limits.writeTimeout(), 0, "to take the last of it");
        }
        if (!waits && !wire.outputEnded && (ledger.outputFinished || state == ConnectionState.DRAINING)) {
            endUnsent(ledger, wire);
        }
        if (state == ConnectionState.LINGERING) {
            late(ledger, ledger.stateSeenNanos, limits.lingerTimeout(), 0, "to finish");
            if (wire.bytesIn - ledger.stateSeenBytesIn > limits.lingerBytesMax()) {
                scene.findings.report(Rule.CAPS, ledger + " has received " + (wire.bytesIn - ledger.stateSeenBytesIn)
                        + " bytes since it has ended its output, and goes on; at most " + limits.lingerBytesMax());
            }
        } else {
            late(ledger, Math.max(wire.activeNanos, ledger.openedNanos), limits.idleTimeout(), IDLE_STEP_NANOS, "to do anything");
        }
        undrained(ledger, state);
        long late = now - Math.max(ledger.timersDueNanos, scene.jumpedNanos());
        if (ledger.timersRun < ledger.timersAsked && late > OrderJudge.TIMER_LATE_NANOS_MAX) {
            scene.findings.report(Rule.DEADLINES, ledger + " was told of " + ledger.timersRun + " of " + ledger.timersAsked
                    + " times, of which the last was " + Words.time(now - ledger.timersDueNanos) + " ago");
        }
        part(ledger, wire, state);
        if (state == ConnectionState.OPEN && wire.receiving && !wire.inputEnded) {
            unread(ledger, wire);
        }
        if (state == ConnectionState.OPEN && !ledger.hasSpoken && !ledger.called && wire.receiving) { // else we let it wait
            late(ledger, Math.max(ledger.openedNanos, wire.receivingSinceNanos), limits.firstMessageTimeout(), 0,
                    "to say something");
        }
    }

    /** Whose queue was high, and has fallen to the low mark, is told so in the same turn. */
    private void undrained(Ledger ledger, ConnectionState state) {
        boolean untold = ledger.wasHigh && (state == ConnectionState.OPEN || state == ConnectionState.INPUT_ENDED)
                && ledger.takesMessages()
                && ledger.connection().queue().bytes() <= ledger.plan.limits().queueLowBytes()
                && !ledger.connection().queue().isHigh(); // the marks may be one
        ledger.turnsUndrained = untold ? ledger.turnsUndrained + 1 : 0;
        if (ledger.turnsUndrained > 1) {
            scene.findings.report(Rule.CALLBACKS, ledger + " was high, and has only " + ledger.connection().queue().bytes()
                    + " bytes waiting, and was not told that its queue has drained");
        }
    }

    /** What waits though the client has read everything before it, and the socket is empty, has been forgotten. */
    private void roomUnused(Ledger ledger, Wire wire) {
        Peer peer = ledger.peer;
        boolean empty = peer.bytesRead == wire.bytesOut && !wire.hasLent() && ledger.urgentsSent == 0 && !peer.isOver();
        long since = Math.max(Math.max(ledger.waitingSinceNanos, scene.jumpedNanos()),
                Math.max(wire.takenNanos, peer.lastReadNanos));
        if (empty && scene.now() - since > ROOM_UNUSED_NANOS_MAX) {
            scene.findings.report(Rule.LIVENESS, ledger + " has " + ledger.connection().queue().bytes()
                    + " bytes waiting, and its socket has been empty for " + Words.time(scene.now() - since));
        }
    }

    /** Whose output is to end, and who has sent everything, ends it once the client has read that. */
    private void endUnsent(Ledger ledger, Wire wire) {
        Peer peer = ledger.peer;
        boolean empty = peer.bytesRead == wire.bytesOut && !wire.hasLent() && ledger.urgentsSent == 0 && !peer.isOver();
        long since = Math.max(Math.max(ledger.notWaitingSinceNanos, ledger.stateSeenNanos),
                Math.max(scene.jumpedNanos(), Math.max(wire.takenNanos, peer.lastReadNanos)));
        if (empty && scene.now() - since > END_UNSENT_NANOS_MAX) {
            scene.findings.report(Rule.LIVENESS, ledger + " is to end its output, and for " + Words.time(scene.now() - since)
                    + " nothing has waited to be sent before that");
        }
    }

    /** Whoever receives may not overlook what has arrived: bytes, the end, or an urgent byte. */
    private void unread(Ledger ledger, Wire wire) {
        Peer peer = ledger.peer;
        if (ledger.plan.urgent() && ledger.urgentsTold < peer.urgentsSent && wire.ordinaryIn > peer.writtenBeforeUrgent
                && !peer.isStruckBy(Fault.INTERRUPTED)) {
            scene.findings.report(Rule.DELIVERY,
                    ledger + " was not told the last urgent byte, and has received what lies behind it");
        }
        boolean unread = !peer.isOver() && (wire.ordinaryIn < peer.written || peer.outputEnded());
        long since = Math.max(Math.max(wire.receivedNanos, wire.receivingSinceNanos),
                Math.max(Math.max(peer.lastWriteNanos, scene.jumpedNanos()), proactor.lentNanos()));
        if (unread && scene.now() - since > UNREAD_NANOS_MAX && !peer.isStruckBy(Fault.STALL)
                && !peer.isStruckBy(Fault.CLOG)) {
            scene.findings.report(Rule.LIVENESS, ledger + " has received " + wire.ordinaryIn + " of " + peer.written + " bytes"
                    + (peer.outputEnded() ? ", not the end behind them," : "") + " and for " + Words.time(scene.now() - since)
                    + " nothing more");
        }
    }

    /** Notes when the first byte came of the message of which a part has come; one that is too long, or never ended, has no end. */
    private void begun(Ledger ledger, Wire wire) {
        List<Said.Message> messages = ledger.peer.said.messages();
        int at = ledger.arrivedMessages;
        while (at < messages.size() && messages.get(at).ask() != null && messages.get(at).to() <= wire.bytesIn) {
            at++;
        }
        ledger.arrivedMessages = at;
        if (ledger.begunMessage != at && at < messages.size() && wire.bytesIn > messages.get(at).from()) {
            ledger.begunMessage = at;
            ledger.begunNanos = scene.now();
        }
    }

    /** The beginning of a message: of one that is not too long, and that comes to its end in time. Exact where every byte is a message's. */
    private void part(Ledger ledger, Wire wire, ConnectionState state) {
        begun(ledger, wire);
        Frames frames = ledger.plan.frames();
        long held = wire.bytesIn - ledger.peer.said.begin(ledger.nextMessage);
        boolean awaitsRest = held > 0 && state == ConnectionState.OPEN && wire.receiving && !wire.inputEnded;
        if (!awaitsRest || frames.isRaw() || ledger.peer.urgentsSent > 0) {
            ledger.partSinceNanos = -1;
            return;
        }
        if (ledger.partSinceNanos < 0 || ledger.partOf != ledger.nextMessage) {
            ledger.partOf = ledger.nextMessage;
            ledger.partSinceNanos = scene.now();
        }
        int most = ledger.plan.limits().messageBytesMax();
        if (held > frames.framedLength(most)) {
            scene.findings.report(Rule.CAPS, ledger + " holds " + held + " bytes of a message, which may have " + most);
        }
        late(ledger, Math.max(ledger.partSinceNanos, wire.receivingSinceNanos), ledger.plan.limits().messageTimeout(), 0,
                "to end a message");
    }

    private void late(Ledger ledger, long sinceNanos, Duration timeout, long stepNanos, String what) {
        long late = scene.now() - sinceNanos - timeout.toNanos() - stepNanos - graceNanos;
        if (!timeout.isZero() && late > 0) {
            scene.findings.report(Rule.DEADLINES, ledger + " was given " + Words.time(timeout.toNanos()) + " " + what
                    + ", and that was over " + Words.time(late) + " ago");
        }
    }
}
