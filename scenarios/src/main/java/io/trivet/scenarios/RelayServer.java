package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.observe.MemoryStats;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Protocol;
import io.trivet.server.Server;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.ClientOracle;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server that relays, the other server that it relays to, and its clients. They check the bytes at the target, that a relay is
 * complete or visibly cut, and that the relay server holds little. It is turned as a loop to look at the memory, and does nothing.
 */
final class RelayServer implements Loop {
    /** A relay may hold one receive, or on a ring those that had completed. */
    private static final long HELD_BYTES_MAX = 2 * 64 * 1024;

    /** What a client sends before it reads: it fits into the buffers, so that the client cannot be kept from reading. */
    private static final int SENT_UNREAD_MAX = 1_000;

    private final RunContext context;
    private final SimHost host;
    private final SimHost originHost;
    private final SimHost clientHost;
    private final Server server;
    private final Server origin;
    private final List<RelayRun> runs = new ArrayList<>();
    private final int bufferBytes;
    private boolean draining;
    private long heldMax;

    RelayServer(RunContext context, InetAddress address, InetAddress originAddress, InetAddress clientAddress)
            throws IOException {
        this.context = context;
        SeededRandom random = new SeededRandom(context.scenario.seed() ^ 0x70726f7879L); // "proxy" in ASCII
        SimEngine engine = random.pick(SimEngine.SELECT, SimEngine.POLL, SimEngine.EPOLL, SimEngine.EPOLL, SimEngine.URING,
                SimEngine.URING);
        bufferBytes = random.number(0, 0, 2 << 10, 8 << 10);
        int cap = random.number(1 << 10, 64 << 10, 1 << 20);
        Limits limits = Limits.defaults().withQueueBytesMax(cap).withQueueMarks(cap, cap / 2);
        boolean pairs = context.scenario.actions().stream()
                .anyMatch(action -> action instanceof ExternalAction.ConnectRelayed relayed
                        && relayed.plan().mode() == RelayMode.PAIR);
        host = context.network.host(address, engine, context.scenario.faults());
        originHost = context.network.host(originAddress);
        clientHost = context.network.host(clientAddress);
        origin = Server.builder().network(originHost).listen(new InetSocketAddress(originAddress, ServerUnderTest.PORT),
                Protocol.perConnection(Framing.raw(), () -> new RelayOrigin(this))).open();
        server = Server.builder().network(host).listen(new InetSocketAddress(address, ServerUnderTest.PORT))
                .framing(Framing.lines()).limits(limits).loops(pairs ? 1 : random.number(1, 2)).handler(new RelayFront(this))
                .open();
        context.timeline.log("a server that relays: " + engine + ", queue of " + cap + " bytes");
    }

    InetSocketAddress originAddress() {
        return origin.address();
    }

    void reduceBuffers(Connection connection) throws IOException {
        if (bufferBytes > 0) {
            connection.setOption(StandardSocketOptions.SO_SNDBUF, bufferBytes);
        }
    }

    /** Returns true in the recovery phase, in which a client waits for no partner. */
    boolean isRecovering() {
        return context.recovering;
    }

    void progress() {
        context.progress++;
    }

    void fail(String what) {
        context.failures.report(Rule.BYTES, what);
    }

    // ---- clients

    /** Connects a client, or the two of a pair, which do what is planned. */
    void connect(RelayPlan plan) throws IOException {
        SimClient client = SimClient.connect(clientHost, server.address(), "client " + plan.number() + " of the relays");
        SimClient partner = plan.mode() == RelayMode.PAIR
                ? SimClient.connect(clientHost, server.address(), "partner " + plan.number() + " of the relays") : null;
        runs.add(new RelayRun(context, plan, client, partner));
        if (plan.unreadNanos() > 0) {
            client.pauseReading();
        }
        int first = Math.min(plan.upBytes(), SENT_UNREAD_MAX);
        client.sendInPieces(RelayFront.FIRST + "\n").send(plan.up(0, first));
        if (plan.unreadNanos() > 0) {
            client.pause(Duration.ofNanos(plan.unreadNanos())).resumeReading();
        }
        byte[] up = plan.up(first, plan.upBytes() - first);
        if (plan.number() % 2 == 0) {
            client.send(up);
        } else {
            client.sendInPieces(up);
        }
        for (int i = 0; plan.mode() == RelayMode.COUNTED && i < RelayFront.PINGS; i++) {
            client.sendInPieces(RelayFront.ping(i) + "\n");
        }
        end(client, plan.end());
        if (partner != null) {
            partner.send(RelayFront.FIRST + "\n");
            if (plan.downBytes() > 0) {
                partner.sendInPieces(plan.down(0, plan.downBytes()));
            }
            partner.endOutput();
        }
    }

    private static void end(SimClient client, ConversationEnd end) {
        switch (end) {
            case HALF_CLOSE -> client.endOutput();
            case RESET -> client.reset();
            case CLOSE -> client.close();
        }
    }

    @Nullable
    RelayRun runOf(Connection connection) {
        InetSocketAddress remote = connection.remoteAddress();
        for (RelayRun run : runs) {
            if (run.has(remote)) {
                return run;
            }
        }
        context.failures.report(Rule.CALLBACKS,
                "onOpen of the server that relays for a connection without a client: " + connection);
        return null;
    }

    @Nullable
    RelayRun run(int number) {
        for (RelayRun run : runs) {
            if (run.plan.number() == number) {
                return run;
            }
        }
        return null;
    }

    void drain(long timeoutNanos) {
        draining = true;
        server.drain(Duration.ofNanos(timeoutNanos));
    }

    // ---- memory

    @Override
    public int turn() {
        MemoryStats memory = server.stats().memory();
        long relays = runs.stream().mapToLong(run -> run.relays.size()).sum();
        heldMax = Math.max(heldMax, memory.input());
        if (memory.input() > HELD_BYTES_MAX * (1 + relays)) {
            context.failures.report(Rule.CAPS,
                    "the server holds " + memory.input() + " bytes of input for " + relays + " relays");
        }
        return 0;
    }

    @Override
    public long nextDeadline() {
        return NO_DEADLINE;
    }

    // ---- the end

    /** Ends the clients whose partner was never connected. */
    void recover() {
        for (RelayRun run : runs) {
            Connection waiting = run.waiting;
            if (waiting != null && run.relays.isEmpty()) {
                run.partnerGone = true;
            }
            if (waiting != null && run.relays.isEmpty() && !server.isClosed()) {
                waiting.execute(waiting::finish);
            }
        }
    }

    /** Returns what has not ended; null if everything has. */
    @Nullable
    String remaining() {
        for (RelayRun run : runs) {
            if (run.client.end() == ClientEnd.OPEN || (run.partner != null && run.partner.end() == ClientEnd.OPEN)) {
                return run + " has not ended, and its client has received " + run.client.received().length + " bytes";
            }
        }
        return server.stats().total().connections() + origin.stats().total().connections() == 0 ? null
                : "the servers of relays have connections left";
    }

    /** Checks what each client has seen. Called at the end of a run. */
    void checkAll() {
        for (RelayRun run : runs) {
            for (RelayRun.Relay relay : run.relays) {
                if (relay.calls != 1) {
                    run.fail(Rule.CALLBACKS, "the listener of a relay was called " + relay.calls + " times");
                }
            }
            boolean isWhole = run.originSent == run.plan.downBytes() || run.relays.isEmpty() || run.mayBeCut() || draining;
            if (run.plan.mode() == RelayMode.UPSTREAM && !isWhole) {
                run.fail(Rule.DELIVERY, "the other server has sent " + run.originSent + " of " + run.plan.downBytes() + " bytes");
            }
            boolean counted = run.plan.mode() == RelayMode.COUNTED;
            List<byte[]> down = new ArrayList<>();
            for (int i = 0; counted && i < RelayFront.PINGS; i++) {
                down.add(MessageContent.ascii(RelayFront.ping(i) + "\n"));
            }
            if (!counted && run.downSent() > 0) {
                down.add(run.plan.down(0, run.downSent()));
            }
            check(run, run.client, down);
            if (run.partner != null) {
                check(run, run.partner, run.upSent() == 0 ? List.of() : List.of(run.plan.up(0, run.upSent())));
            }
        }
        if (heldMax > 0) {
            context.tally.add("relay HELD " + Integer.toBinaryString((int) heldMax).length(), 1);
        }
    }

    private void check(RelayRun run, SimClient client, List<byte[]> expected) {
        ClientOracle oracle = ClientOracle.expectingBytes(expected);
        boolean relayed = !run.relays.isEmpty() && !run.refused;
        if (run.mayBeCut()) {
            oracle = oracle.mayReset();
        }
        if (draining || run.partnerGone || run.refused) {
            oracle = oracle.mayEndEarly().mayRefuse().mayReset();
        }
        try {
            oracle.check(client);
        } catch (AssertionError e) {
            run.fail(Rule.DELIVERY, String.valueOf(e.getMessage()));
        }
        int all = expected.stream().mapToInt(bytes -> bytes.length).sum();
        if (relayed && run.plan.mode() != RelayMode.COUNTED && client.end() == ClientEnd.ENDED
                && client.received().length < all) {
            run.fail(Rule.ENDS, client + " has read the end of its input after " + client.received().length + " of " + all
                    + " bytes");
        }
    }

    void close() {
        server.close();
        origin.close();
    }

    /** Checks, after the servers were closed, that nothing is left. */
    void checkLeaks() {
        MemoryStats memory = server.stats().memory();
        if (server.stats().queueBytes() != 0 || memory.queues() != 0 || memory.input() != 0) {
            context.failures.report(Rule.LEAKS, "the server of relays is closed, but its budget counts "
                    + server.stats().queueBytes() + " bytes; " + memory);
        }
        if (host.openDescriptors() != 0 || originHost.openDescriptors() != 0 || clientHost.openDescriptors() != 0) {
            context.failures.report(Rule.LEAKS, "open descriptors of the servers of relays or their clients are left: "
                    + host.describeDescriptors() + originHost.describeDescriptors() + clientHost.describeDescriptors());
        }
        context.failures.abortIfFailed();
    }
}
