package io.trivet.scenarios;

import io.trivet.net.Loop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What is done to servers from outside, when its time has come: a loop like any other, and no server's. */
final class Outsiders implements Loop {
    private final Scene scene;
    private final List<House> houses;
    private final @Nullable Post post;
    private final List<Act> acts;
    private int next;
    /** When the next one is due. */
    private long nextNanos;

    Outsiders(Scene scene, List<House> houses, @Nullable Post post) {
        this.post = post;
        this.scene = scene;
        this.houses = houses;
        acts = new ArrayList<>(scene.world.acts());
        acts.sort(Comparator.comparingLong(Act::atNanos));
        look();
    }

    @Override
    public int turn() throws IOException {
        guardAgainstSpin();
        if (nextNanos > scene.now() && !scene.healed) {
            return 0;
        }
        int done = 0;
        while (next < acts.size() && (scene.healed || acts.get(next).atNanos() <= scene.now())) {
            Act act = acts.get(next++);
            done++;
            if (!scene.healed) {
                perform(act);
            }
        }
        look();
        scene.findings.endIfAny();
        return done;
    }

    /** Turned in every round, since it polls nothing: so the network cannot go on without it. */
    private void guardAgainstSpin() {
        if (scene.network.rounds() > scene.roundsMax) {
            scene.findings.report(Rule.SPIN, String.format(Locale.ROOT,
                    "this world has not ended after %,d rounds of its loops", scene.roundsMax));
            scene.findings.endIfAny();
        }
    }

    private void look() {
        nextNanos = next == acts.size() ? NO_DEADLINE : acts.get(next).atNanos();
    }

    @Override
    public long nextDeadline() {
        return nextNanos == NO_DEADLINE ? NO_DEADLINE : scene.deadline(nextNanos);
    }

    private void perform(Act act) throws IOException {
        if (act instanceof Act.Datagram datagram) {
            scene.progress++;
            told(act);
            Objects.requireNonNull(post).send(datagram.size());
        } else if (!houses.get(act.server()).isEnding() || (ends(act) && !houses.get(act.server()).shut)) {
            House house = houses.get(act.server());
            perform(act, house);
            house.asked();
        }
    }

    /** What is asked of a server that drains already, too. */
    private static boolean ends(Act act) {
        return act instanceof Act.Drain || act instanceof Act.Shut;
    }

    private void told(Act act) {
        scene.tally.add("from outside " + act.getClass().getSimpleName().toUpperCase(Locale.ROOT), 1);
        if (scene.timeline.isTold()) {
            scene.timeline.tell("somebody outside: " + act.subject() + " " + act);
        }
    }

    private void perform(Act act, House house) {
        scene.progress++;
        told(act);
        switch (act) {
            case Act.Broadcast broadcast -> house.broadcast(broadcast.size());
            case Act.Tell tell -> {
                Ledger ledger = house.pick(tell.pick());
                for (int i = 0; ledger != null && !house.plan.pureEcho() && i < tell.count(); i++) {
                    house.app.answer(ledger, tell.size(), tell.ahead() ? Sending.AHEAD : Sending.BYTES);
                }
            }
            case Act.Pause pause -> {
                Ledger ledger = house.pick(pause.pick());
                if (ledger != null) {
                    house.app.pause(ledger, pause.nanos());
                }
            }
            case Act.Finish finish -> {
                Ledger ledger = house.pick(finish.pick());
                if (ledger != null) {
                    house.app.finish(ledger);
                }
            }
            case Act.Close close -> {
                Ledger ledger = house.pick(close.pick());
                if (ledger != null) {
                    house.app.close(ledger);
                }
            }
            case Act.Datagram datagram -> throw new AssertionError("no server's: " + datagram);
            case Act.Drain drain when drain.within() -> house.wish(() -> house.drain(drain.timeoutNanos()));
            case Act.Drain drain -> house.drain(drain.timeoutNanos());
            case Act.Shut shut when shut.within() -> house.wish(house::shut);
            case Act.Shut shut -> house.shut();
        }
    }
}
