package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The loop of all clients of one host: an ordinary reactor over a poller. */
final class Peers implements Loop {
    private final Scene scene;
    private final Poller poller;
    private final ReadyEvents events = new ReadyEvents(64);
    private final List<Peer> peers = new ArrayList<>();
    private final List<Peer> byNumber;
    /** When the first of them has something to do; true of now unless it is stale. */
    private long soonestNanos;
    private boolean stale = true;

    Peers(Scene scene, Poller poller, List<Peer> byNumber) {
        this.scene = scene;
        this.poller = poller;
        this.byNumber = byNumber;
    }

    void add(Peer peer) {
        peers.add(peer);
    }

    /** One of them has something to do at another time than before. */
    void dueChanged() {
        stale = true;
    }

    private long soonestNanos() {
        if (stale) {
            stale = false;
            soonestNanos = NO_DEADLINE;
            for (int i = 0; i < peers.size(); i++) {
                soonestNanos = Math.min(soonestNanos, peers.get(i).nextNanos());
            }
        }
        return soonestNanos;
    }

    @Override
    public int turn() throws IOException {
        int done = poller.poll(events, 0);
        for (int i = 0; i < done; i++) {
            byNumber.get((int) events.token(i)).ready(events.events(i));
        }
        long now = scene.now();
        if (soonestNanos() <= now) {
            for (int i = 0; i < peers.size(); i++) {
                if (peers.get(i).nextNanos() <= now) {
                    done += peers.get(i).takeTurn();
                }
            }
        }
        scene.findings.endIfAny();
        return done;
    }

    @Override
    public long nextDeadline() {
        long next = soonestNanos();
        return next == NO_DEADLINE ? NO_DEADLINE : scene.deadline(next);
    }
}
