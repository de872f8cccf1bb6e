package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ServerStats;
import io.trivet.sim.Fault;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Judges the end: everything has come to rest, both sides tell the same of how each connection ended, and nothing is left. */
final class RestJudge {
    private static final Duration SLICE = Duration.ofSeconds(1);
    private static final int SLICES_MAX = 300;
    /** For what a server does some time after the last connection is gone: it looks whether accepting has recovered. */
    private static final Duration AFTERWARDS = Duration.ofSeconds(5);

    private final Scene scene;
    private final List<House> houses;
    private final List<Peer> peers;

    /** Lets time pass. */
    interface Pass {
        void pass(Duration duration) throws IOException;
    }

    RestJudge(Scene scene, List<House> houses, List<Peer> peers) {
        this.scene = scene;
        this.houses = houses;
        this.peers = peers;
    }

    /** Liveness: everything ends within its time. */
    void awaitRest(Pass time) throws IOException {
        for (int i = 0; i < SLICES_MAX && !isAtRest(); i++) {
            time.pass(SLICE);
        }
        if (!isAtRest()) {
            scene.findings.report(Rule.LIVENESS, "everything has healed " + SLICES_MAX + " s ago, and still " + whoIsLeft());
        }
        scene.findings.endIfAny();
        time.pass(AFTERWARDS);
    }

    private boolean isAtRest() {
        for (Peer peer : peers) {
            if (!peer.isOver()) {
                return false;
            }
        }
        for (House house : houses) {
            if (!house.open().isEmpty() || (house.isEnding() && !house.server().isClosed())) {
                return false;
            }
        }
        return true;
    }

    private String whoIsLeft() {
        StringBuilder text = new StringBuilder();
        for (Peer peer : peers) {
            if (!peer.isOver()) {
                text.append(text.isEmpty() ? "" : "; ").append(peer.describe());
            }
        }
        for (House house : houses) {
            for (Ledger ledger : house.open()) {
                text.append(text.isEmpty() ? "" : "; ").append(ledger).append(" is ").append(ledger.connection().state())
                        .append(", its queue holds ").append(ledger.connection().queue().bytes()).append(" bytes");
            }
            if (house.isEnding() && !house.server().isClosed()) {
                text.append(text.isEmpty() ? "" : "; ").append("server ").append(house.plan.number()).append(" has not ended");
            }
        }
        return text.toString();
    }

    /** What each client saw must fit what its connection was told. */
    void checkEnds() {
        for (Peer peer : peers) {
            Ledger ledger = peer.ledger;
            CloseReason reason = ledger == null ? null : ledger.reason;
            if (ledger != null && reason != null) {
                checkEnd(peer, ledger, reason);
            } else {
                checkUnseen(peer);
            }
        }
        scene.findings.endIfAny();
    }

    private void checkEnd(Peer peer, Ledger ledger, CloseReason reason) {
        boolean orderly = switch (reason) {
            case FINISHED, PEER_FINISHED, DRAINED -> true;
            default -> false;
        };
        boolean unread = peer.wasLeftUnread();
        boolean netReset = peer.isStruckBy(Fault.RESET);
        switch (peer.end) {
            case FINISHED -> {
                if (orderly) {
                    peer.judge().complete(ledger);
                }
                if (reason == CloseReason.RESET && !netReset) {
                    report(peer, reason, "has read the end");
                }
            }
            case CUT -> {
                if (orderly && !unread && !netReset) {
                    report(peer, reason, "was cut off by " + peer.cutBy + ", though everything that it wrote was read");
                }
                if (reason == CloseReason.RESET && !netReset) {
                    report(peer, reason, "was cut off by " + peer.cutBy + " as well, and nobody has begun with it");
                }
            }
            case NOT_CONNECTED -> {
                boolean known = ledger.called || netReset || !orderly || peer.isStruckBy(Fault.WATCH_REFUSED);
                if (!known) {
                    report(peer, reason, "was never connected");
                }
            }
            case OWN -> {
                // Whoever goes without a word must put up with what the server makes of it.
            }
            case NONE -> report(peer, reason, "is still there");
        }
    }

    /** A client that no handler was told of. */
    private void checkUnseen(Peer peer) {
        House house = peer.house;
        boolean turnedAway = peer.end == Peer.End.CUT || peer.end == Peer.End.FINISHED;
        if (turnedAway && house.plan.limits().connectionsPerAddressMax() > 0 && !house.isEnding()) {
            scene.tally.add("limit", Limit.CONNECTIONS_PER_ADDRESS);
        }
        boolean refused = house.isEnding() || house.plan.limits().connectionsPerAddressMax() > 0
                || peer.isStruckBy(Fault.ACCEPT_ABORTED) || peer.isStruckBy(Fault.RESET)
                || peer.isStruckBy(Fault.CONNECT_REFUSED) || peer.isStruckBy(Fault.CONNECT_UNREACHABLE)
                || peer.isStruckBy(Fault.CONNECT_IGNORED) || peer.isStruckBy(Fault.WATCH_REFUSED);
        boolean explained = switch (peer.end) {
            case OWN, NONE -> true;
            case NOT_CONNECTED -> refused || peer.plan.called() || !peer.hasTried()
                    || (peer.cutBy == ErrorCode.ETIMEDOUT && house.plan.backlog() < peers.size()); // there was never room in the backlog
            case CUT, FINISHED -> refused;
        };
        if (!explained) {
            report(peer, null, "ended with " + peer.end + (peer.cutBy == null ? "" : " by " + peer.cutBy));
        }
    }

    private void report(Peer peer, @Nullable CloseReason reason, String saw) {
        scene.findings.report(Rule.ENDS,
                peer + " " + saw + ", and its server " + (reason == null ? "knows nothing of it" : "says " + reason));
    }

    /** Everything is closed: nothing may be left. */
    void checkLeaks(List<SimHost> clientHosts) {
        for (House house : houses) {
            ServerStats stats = house.server().stats();
            leak(stats.queueBytes() != 0, house, "its budget is short of " + stats.queueBytes() + " bytes");
            leak(stats.total().connections() != 0, house, "it still counts " + stats.total().connections() + " connections");
            leak(house.tasksLeft != 0, house, house.tasksLeft + " tasks were not run");
            for (WatchedLoop loop : house.network().loops()) {
                leak(loop.nextDeadline() != Loop.NO_DEADLINE, house, loop + " still waits for a time");
            }
            leak(house.network().host().openDescriptors() != 0, house,
                    "descriptors are open: " + house.network().host().describeDescriptors());
        }
        for (Peer peer : peers) {
            Ledger ledger = peer.ledger;
            if (ledger != null) {
                leak(ledger.connection().queue().bytes() != 0 || ledger.connection().queue().messages() != 0, peer.house,
                        "the queue of " + ledger + " still holds " + ledger.connection().queue().messages() + " messages, "
                                + ledger.connection().queue().bytes() + " bytes");
            }
        }
        for (SimHost host : clientHosts) {
            if (host.openDescriptors() != 0) {
                scene.findings.report(Rule.LEAKS, "descriptors of clients are open: " + host.describeDescriptors());
            }
        }
        scene.findings.endIfAny();
    }

    private void leak(boolean found, House house, String what) {
        if (found) {
            scene.findings.report(Rule.LEAKS, "server " + house.plan.number() + " is closed, and " + what);
        }
    }
}
