package io.trivet.sim.world;

import io.trivet.net.Loop;
import java.io.IOException;

/** One loop of a server. After each of its turns everything must be in order. */
final class WatchedLoop implements Loop {
    /** So many turns in a row may find that it is time for something, and do nothing. */
    private static final int TURNS_FOR_NOTHING_MAX = 16;
    /** So many turns in a row may do something, and nothing comes of it. */
    private static final int TURNS_WITHOUT_PROGRESS_MAX = 20_000;

    /** After a turn that did nothing it is looked again only after a while. */
    private static final long LOOK_EVERY_NANOS = 10_000_000;

    private final Scene scene;
    private final House house;
    private final int number;
    private final Loop loop;
    private final StandingJudge standing;
    private long lookNanos;
    private int turnsForNothing;
    private int turnsWithoutProgress;
    private long progressBefore;

    WatchedLoop(Scene scene, House house, int number, Loop loop) {
        this.scene = scene;
        this.house = house;
        this.number = number;
        this.loop = loop;
        standing = new StandingJudge(scene, house, Scene.loopKey(house.plan.number(), number));
    }

    @Override
    public int turn() throws IOException {
        scene.where = Scene.loopKey(house.plan.number(), number);
        int done;
        try {
            done = loop.turn();
        } finally {
            scene.where = Scene.OUTSIDE;
        }
        if (done > 0 || scene.now() >= lookNanos) {
            standing.check();
            lookNanos = scene.now() + LOOK_EVERY_NANOS;
        }
        guardAgainstSpin(done);
        scene.findings.endIfAny();
        return done;
    }

    private void guardAgainstSpin(int done) {
        boolean forNothing = done == 0 && isDue();
        turnsForNothing = forNothing ? turnsForNothing + 1 : 0;
        if (turnsForNothing > TURNS_FOR_NOTHING_MAX) {
            scene.findings.report(Rule.SPIN, this + " says that it is time for something, and does nothing, "
                    + turnsForNothing + " turns in a row");
        }
        turnsWithoutProgress = done > 0 && progressBefore == scene.progress ? turnsWithoutProgress + 1 : 0;
        progressBefore = scene.progress;
        if (turnsWithoutProgress > TURNS_WITHOUT_PROGRESS_MAX) {
            scene.findings.report(Rule.SPIN,
                    this + " has turned " + turnsWithoutProgress + " times in a row, and nothing came of it");
        }
    }

    private boolean isDue() {
        long due = loop.nextDeadline();
        return due != NO_DEADLINE && due - scene.clock.nanoTime() <= 0;
    }

    @Override
    public long nextDeadline() {
        return loop.nextDeadline();
    }

    @Override
    public String toString() {
        return "loop " + number + " of server " + house.plan.number();
    }
}
