package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.net.Poller;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run of a {@link World}: its servers and clients live on a simulated network until everything heals, and then until everything has come
 * to rest, while judges look on. The same world gives the same run, to the last byte of its timeline. One thread; runs on other threads do
 * not touch it.
 */
public final class Play {
    private static final Duration SLICE = Duration.ofSeconds(1);
    /**
     * Twenty times what the longest of 6,000 right worlds took (seed 247: 2,506,212; the median: 11,198). A round in which anything is done takes
     * a simulated microsecond, so no world gets this far by being busy before its healing, which comes within nine seconds.
     */
    static final long ROUNDS_MAX = 50_000_000;

    private final World world;
    private final SimNetwork network;
    private final Scene scene;
    private final List<House> houses = new ArrayList<>();
    private final List<Peer> peers = new ArrayList<>();
    private final List<SimHost> clientHosts = new ArrayList<>();
    private final List<Poller> pollers = new ArrayList<>();
    private final RestJudge rest;
    private @Nullable Post post;
    private final Planted planted;

    private Play(World world, @Nullable Consumer<String> listener, Planted planted) {
        this.world = world;
        this.planted = planted;
        network = SimNetwork.of(world.seed(), world.faults());
        Timeline timeline = new Timeline(network.clock(), listener);
        if (listener != null) {
            network.trace((elapsedNanos, event) -> timeline.tell("  net: " + event));
        }
        scene = new Scene(world, network, timeline, new Findings(network.clock(), timeline), new Tally());
        rest = new RestJudge(scene, houses, peers);
    }

    /**
     * Runs a world.
     *
     * @param world the world
     * @return how it went
     */
    public static Outcome of(World world) {
        return new Play(world, null, Planted.NOTHING).perform();
    }

    /**
     * Runs a world, and tells what happens.
     *
     * @param world the world
     * @param listener told a line for everything that happens
     * @return how it went
     */
    public static Outcome of(World world, Consumer<String> listener) {
        return new Play(world, listener, Planted.NOTHING).perform();
    }

    /**
     * Runs a world with a judge who finds fault with the first message that is sent back: to see that what judges find is reported.
     *
     * @param world the world
     * @param listener told a line for everything that happens; null: nobody
     * @return how it went: not well, if there was such a message
     */
    public static Outcome canary(World world, @Nullable Consumer<String> listener) {
        return new Play(world, listener, Planted.CANARY).perform();
    }

    /** Runs a world with something broken. */
    static Outcome of(World world, Planted planted) {
        return new Play(world, null, planted).perform();
    }

    /** Runs a world with something broken, and ends it after so many rounds. */
    static Outcome of(World world, Planted planted, long roundsMax) {
        Play play = new Play(world, null, planted);
        play.scene.roundsMax = roundsMax;
        return play.perform();
    }

    private Outcome perform() {
        try {
            setUp();
            live();
            heal();
            rest.awaitRest(this::pass);
            end();
        } catch (Findings.Found e) {
            // It is among the findings, and that was the end of it.
        } catch (IOException | RuntimeException | Error e) {
            scene.findings.report(Rule.CRASH, "something was thrown that nobody should throw: " + e, e);
        }
        network.faultCounts().forEach((kind, count) -> scene.tally.add("fault " + kind.name(), count));
        return new Outcome(world, scene.findings.first(), scene.now(), scene.operations, scene.connections, scene.tally);
    }

    private void setUp() throws IOException {
        scene.planted = planted;
        Guests guests = new Guests();
        for (ServerPlan plan : world.servers()) {
            InetAddress address = InetAddress.ofLiteral("10.0.1." + (plan.number() + 1));
            WatchedNetwork host = new WatchedNetwork(scene, network.host(address, plan.engine(), world.faults()));
            House house = new House(scene, plan, host, new InetSocketAddress(address, House.PORT), guests);
            houses.add(house);
            house.openDoors();
            if (plan.descriptorLimit() > 0) {
                host.host().descriptorLimit(plan.descriptorLimit());
            }
            scene.tally.add("engine", plan.engine());
            scene.tally.add("framing", plan.frames());
        }
        List<Peers> loops = new ArrayList<>();
        List<Peer> byNumber = new ArrayList<>();
        for (int i = 0; i < World.CLIENT_HOSTS; i++) {
            SimHost host = network.host(InetAddress.ofLiteral("10.0.2." + (i + 1)));
            Poller poller = host.poller();
            clientHosts.add(host);
            pollers.add(poller);
            loops.add(new Peers(scene, poller, byNumber));
        }
        for (PeerPlan plan : world.peers()) {
            Peer peer = new Peer(scene, plan, houses.get(plan.server()), clientHosts.get(plan.host()), pollers.get(plan.host()),
                    guests, loops.get(plan.host()), byNumber.size());
            byNumber.add(peer);
            peers.add(peer);
            loops.get(plan.host()).add(peer);
        }
        loops.forEach(network::attach);
        if (world.acts().stream().anyMatch(Act.Datagram.class::isInstance)) {
            post = new Post(scene, clientHosts.getFirst(), clientHosts.getLast());
            network.attach(post);
        }
        network.attach(new Outsiders(scene, houses, post));
        if (planted == Planted.SPIN) {
            network.attach(new Spinner());
        }
    }

    private static final class Spinner implements Loop {
        @Override
        public int turn() {
            return 1;
        }

        @Override
        public long nextDeadline() {
            return NO_DEADLINE;
        }
    }

    private void live() throws IOException {
        pass(Duration.ofNanos(world.healNanos()));
    }

    private void heal() throws IOException {
        scene.timeline.tell("everything heals: no more faults, and clients and applications come to an end");
        scene.healed = true;
        network.stopFaults();
        for (House house : houses) {
            house.network().host().descriptorLimit(1 << 20);
            house.heal();
        }
        peers.forEach(Peer::heal);
        scene.findings.endIfAny();
    }

    private void pass(Duration duration) throws IOException {
        network.run(duration);
        scene.findings.endIfAny();
    }

    private void end() throws IOException {
        rest.checkEnds();
        for (House house : houses) {
            house.shut = true;
            house.server().close();
        }
        pass(SLICE);
        for (Poller poller : pollers) {
            poller.close();
        }
        if (post != null) {
            post.checkAll();
            post.close();
        }
        rest.checkLeaks(clientHosts);
    }
}
