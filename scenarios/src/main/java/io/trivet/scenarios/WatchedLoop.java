package io.trivet.scenarios;

import io.trivet.net.Loop;
import java.io.IOException;

/** One loop of a server. After each of its turns everything must be in order. */
final class WatchedLoop implements Loop {
    /** So many turns in a row may find that it is time for something, and do nothing. */
    private static final int TURNS_FOR_NOTHING_MAX = 16;
    /** So many turns in a row may do something, and nothing comes of it. */
    private static final int TURNS_WITHOUT_PROGRESS_MAX = 1_000;
    /** So often it may tell an application of what that has done itself, and nothing comes of it. */
    private static final int CALLS_WITHOUT_PROGRESS_MAX = 20_000;

    private static final long ENDED_WITHIN_NANOS = 1_000_000;
    private static final int TURNS_OVERDUE_MAX = 8;

    /** A loop that has nothing to do is looked at only after a while. */
    private static final long LOOK_EVERY_NANOS = 50_000_000;

    private final Scene scene;
    private final House house;
    private final int number;
    private final Loop loop;
    private final WatchedProactor proactor;
    private final StandingJudge standing;
    private long lookNanos;
    /** When it was turned last. */
    private long turnedNanos;
    private long turnCount;
    private boolean comesToUnknownBroadcast;
    private int turnsOverdue;
    private int turnsForNothing;
    private int turnsWithoutProgress;
    private long callsWithoutProgress;
    /** For when it has asked to be turned; {@link #NO_DEADLINE}: only when something comes. Of the clock of its network. */
    private long asleepUntil;

    WatchedLoop(Scene scene, House house, int number, Loop loop, WatchedProactor proactor) {
        this.scene = scene;
        this.house = house;
        this.number = number;
        this.loop = loop;
        this.proactor = proactor;
        asleepUntil = scene.clock.nanoTime();
        standing = new StandingJudge(scene, house, proactor, Scene.loopKey(house.plan.number(), number));
    }

    @Override
    public int turn() throws IOException {
        scene.where = Scene.loopKey(house.plan.number(), number);
        scene.lookForJump();
        boolean looks = scene.now() >= lookNanos;
        if (looks && scene.jumpedNanos() <= turnedNanos) {
            standing.checkOverslept();
        }
        turnedNanos = scene.now();
        // What is asked of a server's only loop from outside comes from its own thread, which then does not sleep.
        boolean awake = proactor.takeWoken() || isOver(house.plan.loops() == 1 ? loop.nextDeadline() : asleepUntil);
        turnCount++;
        boolean unknownBroadcast = comesToUnknownBroadcast;
        comesToUnknownBroadcast = false;
        long progressBefore = scene.progress;
        long callsBackBefore = scene.callsBack;
        int done;
        try {
            done = loop.turn();
        } finally {
            scene.where = Scene.OUTSIDE;
        }
        if (unknownBroadcast) {
            house.mayHaveBroadcast(number);
        }
        if (done > 0 || looks) {
            standing.check();
        }
        if (looks) {
            lookNanos = (scene.now() / LOOK_EVERY_NANOS + 1) * LOOK_EVERY_NANOS; // all at the same times, which costs less
        }
        if (done > 0 && !awake && proactor.toldCount() == 0) {
            scene.findings.report(Rule.LIVENESS,
                    this + " has " + done + " things to do, and nobody has woken it: it would sleep on");
        }
        if (house.isBudgetScarce()) {
            house.budgetRests();
        }
        asleepUntil = loop.nextDeadline();
        checkEnding();
        callsWithoutProgress = scene.progress != progressBefore ? 0 : callsWithoutProgress + scene.callsBack - callsBackBefore;
        guardAgainstSpin(done, scene.progress != progressBefore);
        scene.findings.endIfAny();
        return done;
    }

    /** How often it was turned. */
    long turnCount() {
        return turnCount;
    }

    /** In its next turn a message for everybody comes, and none of its connections is known who could be asked. */
    void comesToUnknownBroadcast() {
        comesToUnknownBroadcast = true;
    }

    /** A server that ends has a time, and then it is closed: within a few turns, since its loops end one after the other. */
    private void checkEnding() {
        boolean overdue = house.drains && scene.now() - house.endsNanos > ENDED_WITHIN_NANOS && !house.server().isClosed();
        turnsOverdue = overdue ? turnsOverdue + 1 : 0;
        if (turnsOverdue > TURNS_OVERDUE_MAX) {
            scene.findings.report(Rule.DEADLINES, "server " + house.plan.number() + " drains, and its time was over "
                    + Words.time(scene.now() - house.endsNanos) + " ago");
        }
    }

    private void guardAgainstSpin(int done, boolean progress) {
        boolean forNothing = done == 0 && isOver(asleepUntil);
        turnsForNothing = forNothing ? turnsForNothing + 1 : 0;
        if (turnsForNothing > TURNS_FOR_NOTHING_MAX) {
            scene.findings.report(Rule.SPIN, this + " says that it is time for something, and does nothing, "
                    + turnsForNothing + " turns in a row");
        }
        turnsWithoutProgress = done > 0 && !progress ? turnsWithoutProgress + 1 : 0;
        if (turnsWithoutProgress > TURNS_WITHOUT_PROGRESS_MAX) {
            scene.findings.report(Rule.SPIN,
                    this + " has turned " + turnsWithoutProgress + " times in a row, and nothing came of it");
        }
        if (callsWithoutProgress > CALLS_WITHOUT_PROGRESS_MAX) {
            scene.findings.report(Rule.SPIN, this + " has told its application " + callsWithoutProgress
                    + " times that something was dropped, or has drained, and nothing else happened meanwhile");
        }
    }

    private boolean isOver(long due) {
        return due != NO_DEADLINE && due - scene.clock.nanoTime() <= 0;
    }

    /** The loop's own; as long as there are connections, it is woken to be looked at, too. */
    @Override
    public long nextDeadline() {
        long own = loop.nextDeadline();
        if (house.open().isEmpty()) {
            return own;
        }
        long look = scene.deadline(lookNanos);
        return own == NO_DEADLINE || look - own < 0 ? look : own;
    }

    @Override
    public String toString() {
        return "loop " + number + " of server " + house.plan.number();
    }
}
