package io.trivet.scenarios;

import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import java.util.ArrayList;
import java.util.List;

/**
 * A little world of servers and clients on one simulated network, with all that is going to happen in it: a plain value, drawn from a seed,
 * which can be {@linkplain Play#of run}, cut down, and printed. Immutable.
 */
public final class World {
    /** The clients live on so many hosts, each with an address of its own. */
    static final int CLIENT_HOSTS = 3;

    private final long seed;
    private final List<ServerPlan> servers;
    private final List<PeerPlan> peers;
    private final List<Act> acts;
    private final FaultPlan faults;
    private final long healNanos;

    World(long seed, List<ServerPlan> servers, List<PeerPlan> peers, List<Act> acts, FaultPlan faults, long healNanos) {
        this.seed = seed;
        this.servers = List.copyOf(servers);
        this.peers = List.copyOf(peers);
        this.acts = List.copyOf(acts);
        this.faults = faults;
        this.healNanos = healNanos;
    }

    /**
     * Draws a world.
     *
     * @param seed what is drawn from
     * @return the same world for the same seed, in this version of Trivet
     */
    public static World of(long seed) {
        return new Drawing(seed).world();
    }

    /**
     * The seed of the network, which was drawn from.
     *
     * @return the seed
     */
    public long seed() {
        return seed;
    }

    /**
     * The faults that its network has.
     *
     * @return the plan
     */
    public FaultPlan faults() {
        return faults;
    }

    List<ServerPlan> servers() {
        return servers;
    }

    List<PeerPlan> peers() {
        return peers;
    }

    List<Act> acts() {
        return acts;
    }

    /** When everything heals, from the beginning. */
    long healNanos() {
        return healNanos;
    }

    /**
     * The same world without some of its parts.
     *
     * @param cut what to leave out
     * @return the smaller world; what is left is as it was
     * @throws IllegalArgumentException it has no such part: the message names it, and the parts that it has
     */
    public World without(Cut cut) {
        List<Part> parts = parts();
        List<String> strangers = cut.strangers(parts);
        if (!strangers.isEmpty()) {
            throw new IllegalArgumentException("the world of seed " + seed + " has no " + strangers.getFirst()
                    + (strangers.size() == 1 ? "" : ", nor " + (strangers.size() - 1) + " others that are named")
                    + "; it has " + Cut.of(parts));
        }
        List<PeerPlan> peersLeft = new ArrayList<>();
        for (PeerPlan peer : peers) {
            if (cut.has(Part.peer(peer.number()))) {
                continue;
            }
            List<Step> stepsLeft = new ArrayList<>();
            for (int i = 0; i < peer.steps().size(); i++) {
                if (!cut.has(Part.step(peer.number(), i))) {
                    stepsLeft.add(cutAsks(peer.steps().get(i), peer.number(), i, cut));
                }
            }
            PeerPlan left = peer.withSteps(stepsLeft);
            for (Plain plain : Plain.values()) {
                left = cut.has(Part.ofPeer(peer.number(), plain)) ? plain.of(left) : left;
            }
            peersLeft.add(left);
        }
        List<ServerPlan> serversLeft = new ArrayList<>();
        for (ServerPlan server : servers) {
            ServerPlan left = server;
            for (Plain plain : Plain.values()) {
                left = cut.has(Part.ofServer(server.number(), plain)) ? plain.of(left) : left;
            }
            left = left.withHabits(left.habits().stream()
                    .filter(habit -> !cut.has(Part.ofServer(server.number(), habit.reaction()))).toList());
            serversLeft.add(left);
        }
        List<Act> actsLeft = new ArrayList<>();
        for (int i = 0; i < acts.size(); i++) {
            if (!cut.has(Part.act(i))) {
                actsLeft.add(acts.get(i));
            }
        }
        FaultPlan faultsLeft = faults;
        for (Fault kind : faults.faults()) {
            if (cut.has(Part.fault(kind))) {
                faultsLeft = faultsLeft.without(kind);
            }
        }
        return new World(seed, serversLeft, peersLeft, actsLeft, faultsLeft, healNanos);
    }

    private static Step cutAsks(Step step, int peer, int number, Cut cut) {
        if (!(step.deed() instanceof Deed.Say say)) {
            return step;
        }
        List<Ask> left = new ArrayList<>();
        for (int i = 0; i < say.asks().size(); i++) {
            if (!cut.has(Part.ask(peer, number, i))) {
                left.add(say.asks().get(i));
            }
        }
        return new Step(step.afterNanos(), new Deed.Say(left));
    }

    /** Everything that can be cut out of it, larger parts before those that are in them. */
    List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        for (Fault kind : faults.faults()) {
            parts.add(Part.fault(kind));
        }
        for (PeerPlan peer : peers) {
            parts.add(Part.peer(peer.number()));
        }
        for (int i = 0; i < acts.size(); i++) {
            parts.add(Part.act(i));
        }
        for (PeerPlan peer : peers) {
            for (int i = 0; i < peer.steps().size(); i++) {
                parts.add(Part.step(peer.number(), i));
            }
        }
        for (PeerPlan peer : peers) {
            for (int i = 0; i < peer.steps().size(); i++) {
                if (peer.steps().get(i).deed() instanceof Deed.Say say) {
                    for (int k = 0; k < say.asks().size(); k++) {
                        parts.add(Part.ask(peer.number(), i, k));
                    }
                }
            }
        }
        for (ServerPlan server : servers) {
            server.habits().forEach(habit -> parts.add(Part.ofServer(server.number(), habit.reaction())));
        }
        for (Plain plain : Plain.values()) {
            for (ServerPlan server : servers) {
                if (!plain.of(server).equals(server)) {
                    parts.add(Part.ofServer(server.number(), plain));
                }
            }
            for (PeerPlan peer : peers) {
                if (!plain.of(peer).equals(peer)) {
                    parts.add(Part.ofPeer(peer.number(), plain));
                }
            }
        }
        return parts;
    }

    private boolean isVisited(ServerPlan server) {
        return peers.stream().anyMatch(peer -> peer.server() == server.number())
                || acts.stream().anyMatch(act -> act.server() == server.number());
    }

    /** How many steps its clients and those outside take, and how many messages are among them. */
    int size() {
        int size = acts.size();
        for (PeerPlan peer : peers) {
            size += 1 + peer.steps().size();
        }
        return size;
    }

    /** The whole story as it is planned, for a reader. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("seed " + seed + ": " + faults + "; heals after " + Words.time(healNanos) + "\n");
        for (ServerPlan server : servers) {
            if (isVisited(server)) {
                text.append("  ").append(describe(server)).append('\n');
            }
        }
        for (PeerPlan peer : peers) {
            text.append("  client ").append(peer.number()).append(", ").append(Words.of(peer.manner()))
                    .append(peer.called() ? ", called by server " : ", at server ").append(peer.server())
                    .append(peer.listens() ? "" : ", does not listen")
                    .append(" after ").append(Words.time(peer.startNanos()))
                    .append(peer.pace().equals(Pace.BRISK) ? "" : "; " + peer.pace())
                    .append(peer.takesUrgent() ? "; takes urgent bytes" : "")
                    .append(peer.bufferBytes() > 0 ? "; buffers of " + peer.bufferBytes() + " B" : "").append('\n');
            for (Step step : peer.steps()) {
                text.append("    ").append(step).append('\n');
            }
        }
        for (Act act : acts) {
            text.append("  after ").append(Words.time(act.atNanos())).append(' ').append(act.subject()).append(' ')
                    .append(act)
                    .append('\n');
        }
        return text.toString();
    }

    private static String describe(ServerPlan server) {
        return "server " + server.number() + ": " + server.engine() + ", "
                + (server.loops() == 1 ? "" : server.loops() + " loops, ")
                + Words.of(server.frames()) + (server.pureEcho() ? " (echoes every piece)" : "") + ", "
                + Words.of(server.overflow())
                + (server.urgent() ? ", urgent" : "") + ", backlog " + server.backlog()
                + (server.descriptorLimit() > 0 ? ", at most " + server.descriptorLimit() + " descriptors" : "")
                + (server.greetings() > 0 ? ", greets " + server.greetings() : "") + ", at the end of input: "
                + Words.of(server.farewell())
                + (server.habits().isEmpty() ? "" : ", habits: " + server.habits()) + "; " + Plain.unusual(server.limits());
    }
}
