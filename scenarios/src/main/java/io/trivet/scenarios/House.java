package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Overflow;
import io.trivet.server.Server;
import io.trivet.sim.Fault;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** One server with its application, its connections as their ledgers tell of them, and who may come to visit. */
final class House {
    /** {@link #origin}: the connection's own loop. */
    static final int OWN = -2;
    static final int PORT = 8080;
    private static final int CALLS_AGAIN_MAX = 3;
    private static final long COMES_TO_IT_NANOS = 10_000;

    /** A message to everybody; its number is that of its share in each queue. */
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
    /** Those that are over, and whose last send is pending: its bytes are counted until that is over. */
    private final List<Ledger> leaving = new ArrayList<>();
    private long budgetBytesMost;
    private long budgetBytesUnderWay;
    /** When the drains before the latest were to end; none: {@link Loop#NO_DEADLINE}. */
    private long earlierEndNanos = Loop.NO_DEADLINE;
    private long demandedNanos;
    private long receivedBefore;
    private int orders;
    /** By loop: any connection that it has had; null: none yet. */
    private final @Nullable Connection[] known;
    private int accepted;
    /** When it must be closed at the latest; -1: nobody has said so. */
    long endsNanos = -1;
    boolean drains;
    boolean shut;
    /** Tasks that were asked for and have not been run. */
    int tasksLeft;
    private @Nullable Runnable wish;

    /** How a server's end is asked for. */
    enum Ending {
        DRAINS, DRAINS_AGAIN, CLOSES, CLOSES_WHILE_DRAINING, ASKED_IN_A_CALLBACK
    }

    House(Scene scene, ServerPlan plan, WatchedNetwork network, InetSocketAddress address, Guests guests) {
        this.scene = scene;
        this.plan = plan;
        this.network = network;
        this.address = address;
        this.guests = guests;
        known = new @Nullable Connection[plan.loops()];
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

    // ---- the end

    void drain(long timeoutNanos) {
        if (shut) {
            return;
        }
        if (scene.timeline.isTold()) {
            scene.timeline.tell("server " + plan.number() + " is asked to drain within " + Words.time(timeoutNanos));
        }
        scene.tally.add("end", drains ? Ending.DRAINS_AGAIN : Ending.DRAINS);
        earlierEndNanos = drains ? Math.min(earlierEndNanos, endsNanos) : Loop.NO_DEADLINE;
        drains = true;
        demandedNanos = scene.now();
        endsNanos = scene.now() + timeoutNanos;
        server().drain(Duration.ofNanos(timeoutNanos));
    }

    /**
     * Whether the time of a drain is over: of the latest, or of one before it, if that was over before a loop could come to the latest, which
     * takes it a round or two, or a leap of the clock.
     */
    boolean mayEnd() {
        boolean earlierWas = scene.now() >= earlierEndNanos
                && (earlierEndNanos - demandedNanos <= COMES_TO_IT_NANOS || scene.jumpedNanos() >= demandedNanos);
        return drains && (scene.now() >= endsNanos || earlierWas);
    }

    void shut() {
        if (shut) {
            return;
        }
        if (scene.timeline.isTold()) {
            scene.timeline.tell("server " + plan.number() + " is asked to close");
        }
        scene.tally.add("end", drains ? Ending.CLOSES_WHILE_DRAINING : Ending.CLOSES);
        shut = true;
        endsNanos = scene.now();
        server().close();
    }

    /** What the next callback of the application does first. */
    void wish(Runnable what) {
        wish = what;
    }

    /** Called by every callback. */
    void grantWish() {
        Runnable granted = wish;
        if (granted != null) {
            wish = null;
            scene.tally.add("end", Ending.ASKED_IN_A_CALLBACK);
            granted.run();
        }
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
        call(peer, true);
    }

    /**
     * Calls anew whom a connection was lost to, a few times.
     *
     * @param lost the connection
     * @param unreached whether it never came about
     * @return whether its client goes on waiting for it
     */
    boolean callAgain(Ledger lost, boolean unreached) {
        Peer peer = lost.peer;
        // One that could not be watched may have been answered all the same.
        boolean waits = unreached && peer.awaitsCall() && !peer.isStruckBy(Fault.WATCH_REFUSED);
        if (peer.callsAgain == CALLS_AGAIN_MAX || (!waits && !peer.listensNoMore())) {
            return false;
        }
        peer.callsAgain++;
        return call(peer, waits) && waits;
    }

    private boolean call(Peer peer, boolean awaited) {
        Ledger ledger = new Ledger(plan, peer, true, scene.now());
        open.add(ledger);
        if (awaited) {
            peer.ledger = ledger;
        }
        Connection connection;
        try {
            App handler = new App(scene, this, ledger);
            Habit within = app.reacts(ledger, Reaction.CALL_WITHIN);
            if (within != null) {
                ledger.connectTimeout = Duration.ofNanos(within.nanos());
                connection = server().connect(peer.address(), handler, ledger.connectTimeout);
            } else {
                connection = server().connect(peer.address(), handler);
            }
        } catch (RejectedExecutionException e) { // it is closed
            if (!isEnding()) {
                scene.findings.report(Rule.CRASH, "an open server refuses to connect", e);
            }
            open.remove(ledger);
            if (awaited) {
                peer.ledger = null;
            }
            return false;
        }
        ledger.connection(connection);
        connection.attachment(ledger);
        scene.tally.add("state", connection.state());
        if (!plan.pureEcho()) {
            // What is sent before the connection is there waits; to some it is more than a socket takes at once.
            int size = Math.min(25 + 20 * peer.plan.number() * peer.plan.number(), plan.limits().queueBytesMax() / 4);
            app.answer(ledger, Math.min(size, plan.frames().lengthMax()), Sending.BYTES);
        }
        if (app.reacts(ledger, Reaction.CALL_FINISHES_OUTPUT) != null) {
            ledger.outputFinished = true;
            connection.finishOutput();
        }
        if (app.reacts(ledger, Reaction.CALL_FINISHES) != null) {
            app.finish(ledger);
        }
        return true;
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
        if (known[loop] == null) {
            known[loop] = connection;
        }
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

    void leave(Ledger ledger, boolean calledAgain) {
        open.remove(ledger);
        if (ledger.connection().queue().bytes() > 0) {
            leaving.add(ledger);
        }
        if (!calledAgain) {
            ledger.peer.callFailed();
        }
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

    // ---- the budget of all queues together

    /** Whether it can be exceeded in a world of this size. */
    boolean isBudgetScarce() {
        return plan.limits().queueBudgetBytes() < ReasonJudge.SCARCE_BUDGET_BYTES;
    }

    /**
     * At the end of a turn: what may be counted in the budget by now. Until the next, only what comes is added, and what is on its way to other
     * loops.
     */
    void budgetRests() {
        budgetBytesMost = budgetBytesNow() + budgetBytesUnderWay;
        receivedBefore = scene.bytesReceived;
    }

    /** Something was to be sent, whether or not it was taken. */
    void budgetMayTake(long bytes) {
        budgetBytesMost += bytes;
    }

    /** So much may have been counted in the budget at any moment since the last turn, at most. */
    long budgetBytesMost() {
        return budgetBytesMost + scene.bytesReceived - receivedBefore;
    }

    /** What waits for all clients, and what has come from them and was not given yet. */
    long budgetBytesNow() {
        long bytes = 0;
        for (int i = 0; i < open.size(); i++) {
            Ledger ledger = open.get(i);
            bytes += ledger.connection().queue().bytes();
            Wire wire = ledger.wire;
            if (wire != null && ledger.connection().state() == ConnectionState.OPEN) {
                int given = plan.frames().isRaw() ? ledger.bytesGiven : ledger.peer.said.begin(ledger.nextMessage);
                bytes += Math.max(0, wire.bytesIn - given);
            }
        }
        for (int i = leaving.size() - 1; i >= 0; i--) {
            int left = leaving.get(i).connection().queue().bytes();
            bytes += left;
            if (left == 0) {
                leaving.remove(i);
            }
        }
        return bytes;
    }

    // ---- messages to everybody

    /**
     * Gives everybody a message. Who was given it is known by what each queue holds before and after: on the loop where it is called, around
     * the call; on the others, which come to it later, around the task that the server leaves there, between two of ours.
     */
    void broadcast(int size) {
        if (plan.pureEcho()) {
            return;
        }
        String name = "b" + broadcasts.size();
        byte[] content = Content.of(name, Math.max(size, Content.lengthMin(name)), plan.frames());
        Broadcast broadcast = new Broadcast(nextOrder(), name, scene.where, content.length);
        broadcasts.put(name, broadcast);
        if (scene.timeline.isTold()) {
            scene.timeline
                    .tell("server " + plan.number() + " is given " + name + ", " + content.length + " bytes, for everybody");
        }
        long toAll = (long) plan.frames().framedLength(content.length) * open.size();
        budgetMayTake(toAll);
        budgetBytesUnderWay += plan.loops() > 1 ? toAll : 0; // and stays so: when the last loop has come to it is not worth knowing
        int here = plan.loops() == 1 ? 0 : scene.where == Scene.OUTSIDE ? -1 : scene.where & 0xff;
        for (int loop = 0; loop < plan.loops(); loop++) {
            if (loop == here) {
                lookBefore(loop);
            } else {
                later(loop, this::lookBefore);
            }
        }
        server().broadcast(ByteBuffer.wrap(content));
        for (int loop = 0; loop < plan.loops(); loop++) {
            if (loop == here) {
                settle(broadcast, loop);
            } else {
                later(loop, number -> settle(broadcast, number));
            }
        }
    }

    private void later(int loop, IntConsumer look) {
        Connection any = known[loop];
        if (any == null) {
            network.loops().get(loop).comesToUnknownBroadcast();
            return;
        }
        try {
            any.execute(() -> look.accept(loop));
        } catch (RejectedExecutionException e) {
            // The loop has ended, and has nobody left.
        }
    }

    private void lookBefore(int loop) {
        for (int i = 0; i < open.size(); i++) {
            Ledger ledger = open.get(i);
            if (loopOf(ledger) == loop) {
                ledger.takenBefore = takenBytes(ledger);
                ledger.queuedBefore = ledger.connection().queue().bytes();
                ledger.turnBefore = network.loops().get(loop).turnCount();
                ledger.tookBefore = ledger.takesMessages();
                ledger.mightBefore = ledger.mayHaveBroadcast;
                ledger.mayHaveBroadcast = true; // until it is settled
            }
        }
    }

    private void settle(Broadcast broadcast, int loop) {
        int framed = plan.frames().framedLength(broadcast.length());
        for (int i = 0; i < open.size(); i++) {
            Ledger ledger = open.get(i);
            if (loopOf(ledger) == loop && ledger.turnBefore == network.loops().get(loop).turnCount()) { // else the tasks were too many for one turn
                ledger.mayHaveBroadcast = ledger.mightBefore;
                budgetMayTake(framed);
                settle(ledger, broadcast, framed);
            }
        }
    }

    private void settle(Ledger ledger, Broadcast broadcast, int framed) {
        boolean fits = ledger.queuedBefore + (long) framed <= plan.limits().queueBytesMax();
        if (ledger.connection().state() == ConnectionState.CLOSED) {
            ledger.wasFull |= ledger.tookBefore && !fits;
            return;
        }
        long more = takenBytes(ledger) - ledger.takenBefore;
        boolean taken = more == framed
                || (more < framed && !fits && ledger.tookBefore && plan.overflow() == Overflow.DROP_OLDEST);
        if (taken != ledger.tookBefore || (!taken && more != 0)) {
            scene.findings.report(Rule.DELIVERY,
                    ledger + (ledger.tookBefore ? " takes " : " has ended its output, and takes ") + more
                            + " bytes of " + broadcast.name() + ", which has " + framed);
        }
        if (taken) {
            ledger.add(new Sent(broadcast.order(), broadcast.name(), framed, false,
                    scene.where == broadcast.origin() ? OWN : broadcast.origin()));
            ledger.wasHigh |= ledger.connection().queue().isHigh();
            if (ledger.queuedBefore == 0) {
                ledger.queuedAloneNanos = scene.now();
            }
        }
    }

    /** All that was ever given to a connection, as its queue and its socket tell of it, but for what was dropped. */
    private static long takenBytes(Ledger ledger) {
        Wire wire = ledger.wire;
        return ledger.connection().queue().bytes() + (wire == null ? 0 : wire.bytesOut);
    }

    /** Of one that is not there yet, too; -1: it is on its way to a loop. */
    static int loopOf(Ledger ledger) {
        long id = ledger.connection().id();
        return id < 0 ? -1 : (int) (id >>> 24 & 0xff);
    }

    /** Nobody of a loop could be asked what was given to it. */
    void mayHaveBroadcast(int loop) {
        for (int i = 0; i < open.size(); i++) {
            if (loopOf(open.get(i)) == loop) {
                open.get(i).mayHaveBroadcast = true;
            }
        }
    }

    /** The next number of a message: what comes from one place must arrive in the order of these. */
    int nextOrder() {
        return orders++;
    }

    @Nullable
    Broadcast broadcast(String name) {
        return broadcasts.get(name);
    }
}
