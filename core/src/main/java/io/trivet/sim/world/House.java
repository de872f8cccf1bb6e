package io.trivet.sim.world;

import io.trivet.server.Connection;
import io.trivet.server.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One server with its application, its connections as their ledgers tell of them, and who may come to visit. */
final class House {
    /** {@link #origin}: the connection's own loop. */
    static final int OWN = -2;
    static final int PORT = 8080;

    /** A message to everybody. */
    record Broadcast(int order, String name, int origin, int length) {}

    final Scene scene;
    final ServerPlan plan;
    final InetSocketAddress address;
    final App app;
    private final Guests guests;
    private final WatchedNetwork network;
    private @Nullable Server server;
    /** Those that are not over. */
    private final List<Ledger> open = new ArrayList<>();
    private final Map<InetAddress, Integer> perAddress = new LinkedHashMap<>();
    private final Map<String, Broadcast> broadcasts = new LinkedHashMap<>();
    private int accepted;
    /** When it must be closed at the latest; -1: nobody has said so. */
    long endsNanos = -1;
    boolean drains;
    boolean shut;

    House(Scene scene, ServerPlan plan, WatchedNetwork network, InetSocketAddress address, Guests guests) {
        this.scene = scene;
        this.plan = plan;
        this.network = network;
        this.address = address;
        this.guests = guests;
        app = new App(scene, this, null);
        network.belongsTo(this);
    }

    void openDoors() throws IOException {
        server = Server.builder().network(network).listen(address).backlog(plan.backlog()).handler(app)
                .framing(plan.frames().framing())
                .limits(plan.limits()).overflow(plan.overflow()).urgent(plan.urgent()).loops(plan.loops()).open();
    }

    Server server() {
        return java.util.Objects.requireNonNull(server);
    }

    WatchedNetwork network() {
        return network;
    }

    /** Whether it is to end, or has. */
    boolean isEnding() {
        return drains || shut;
    }

    // ---- who comes and goes

    @Nullable
    Peer visitor(Connection connection) {
        return guests.at(connection.remoteAddress());
    }

    /** Somebody outside has asked something of the server: of its only loop's thread, if there is but one, which then does not sleep. */
    void asked() {
        if (plan.loops() == 1) {
            network.stir();
        }
    }

    /** The server connects to a client. */
    void call(Peer peer) {
        Ledger ledger = new Ledger(plan, peer, true, scene.now());
        open.add(ledger);
        peer.ledger = ledger;
        Connection connection;
        try {
            connection = server().connect(peer.address(), new App(scene, this, ledger));
        } catch (java.util.concurrent.RejectedExecutionException e) { // it is closed
            if (!isEnding()) {
                scene.findings.report(Rule.CRASH, "an open server refuses to connect", e);
            }
            open.remove(ledger);
            peer.ledger = null;
            return;
        }
        ledger.connection(connection);
        connection.attachment(ledger);
        scene.tally.add("state", connection.state());
        if (!plan.pureEcho()) {
            // What is sent before the connection is there waits; to some it is more than a socket takes at once.
            int size = Math.min(25 + 20 * peer.plan.number() * peer.plan.number(), plan.limits().queueBytesMax() / 4);
            app.answer(ledger, Math.min(size, plan.frames().lengthMax()), Sending.BYTES);
        }
    }

    /** Nobody who waits is made to wait any longer. */
    void heal() {
        for (Ledger ledger : List.copyOf(open)) {
            app.goAway(ledger);
        }
    }

    void enter(Ledger ledger, Connection connection) {
        scene.connections++;
        ledger.connection(connection);
        connection.attachment(ledger);
        ledger.peer.ledger = ledger;
        int loop = (int) (connection.id() >>> 24 & 0xff);
        ledger.loopKey = Scene.loopKey(plan.number(), loop);
        if (!isRightPlace(ledger)) {
            scene.findings.report(Rule.CALLBACKS,
                    ledger + " of loop " + loop + " is told something on another loop: " + scene.where);
        }
        ledger.wire = network.wire(loop, connection.id() & ~(0xffL << 24));
        ledger.openedNanos = scene.now();
        ledger.lastMessageNanos = scene.now();
        ledger.lastResumeNanos = scene.now();
        if (!ledger.called) {
            open.add(ledger);
            accepted++;
            int sameAddress = perAddress.merge(connection.remoteAddress().getAddress(), 1, Integer::sum);
            int most = plan.limits().connectionsPerAddressMax();
            if (accepted > plan.limits().connectionsMax() || (most > 0 && sameAddress > most)) {
                scene.findings.report(Rule.CAPS,
                        "server " + plan.number() + " has " + accepted + " accepted connections, " + sameAddress
                                + " of one address; at most " + plan.limits().connectionsMax() + ", and " + most);
            }
            if (accepted == plan.limits().connectionsMax()) {
                scene.tally.add("limit", Limit.CONNECTIONS);
            }
        }
    }

    void leave(Ledger ledger) {
        open.remove(ledger);
        ledger.peer.callFailed();
        if (!ledger.called) {
            accepted--;
            perAddress.merge(ledger.connection().remoteAddress().getAddress(), -1, Integer::sum);
        }
    }

    /** Those that are not over, in the order in which they came. */
    List<Ledger> open() {
        return open;
    }

    /** One of those that are open, by any number; null: none is. */
    @Nullable
    Ledger pick(int number) {
        Ledger picked = open.isEmpty() ? null : open.get(number % open.size());
        return picked == null || picked.phase == Ledger.Phase.BEFORE_OPEN ? null : picked;
    }

    /** Where a call to a connection comes from just now. */
    int origin(Ledger ledger) {
        boolean own = scene.where == ledger.loopKey || (plan.loops() == 1 && scene.where == Scene.OUTSIDE);
        return own ? OWN : scene.where;
    }

    /**
     * Whether what is called now may be called: on the connection's own loop; or, where the one loop of a server is asked for something
     * between its turns, or the server is closed, from there.
     */
    boolean isRightPlace(Ledger ledger) {
        return scene.where == ledger.loopKey || (scene.where == Scene.OUTSIDE && (shut || plan.loops() == 1));
    }

    // ---- messages to everybody

    void broadcast(int size) {
        if (plan.pureEcho()) {
            return;
        }
        String name = "b" + broadcasts.size();
        byte[] content = Content.of(name, Math.max(size, Content.lengthMin(name)), plan.frames());
        broadcasts.put(name, new Broadcast(broadcasts.size(), name, scene.where, content.length));
        if (scene.timeline.isTold()) {
            scene.timeline
                    .tell("server " + plan.number() + " is given " + name + ", " + content.length + " bytes, for everybody");
        }
        server().broadcast(ByteBuffer.wrap(content));
    }

    @Nullable
    Broadcast broadcast(String name) {
        return broadcasts.get(name);
    }

    boolean hasBroadcast() {
        return !broadcasts.isEmpty();
    }

    int broadcastCount() {
        return broadcasts.size();
    }
}
