package io.trivet.scenarios;

import io.trivet.observe.ServerStats;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.server.Session;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.ClientOracle;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server whose connections are served by sessions, beside the servers under test, and its clients. A session hides the callbacks
 * of its connection. So it is checked by what its calls return, and by what its client has seen.
 */
final class SessionServer {
    private static final int SCARCE_BUDGET_BYTES = 256 << 10;
    /** What a client sends before it reads: it fits into the buffers, so that the client cannot be kept from reading. */
    private static final int SENT_UNREAD_MAX = 1_000;
    private static final long MILLI = 1_000_000;

    final ClientFraming framing;
    private final RunContext context;
    private final SimHost host;
    private final SimHost clientHost;
    private final Server server;
    private final Limits limits;
    private final List<SessionRun> runs = new ArrayList<>();
    /** The session whose code runs now. */
    private @Nullable SessionRun running;
    private boolean draining;

    SessionServer(RunContext context, InetAddress address, InetAddress clientAddress) throws IOException {
        this.context = context;
        SeededRandom random = new SeededRandom(context.scenario.seed() ^ 0x736572766572L); // "server" in ASCII
        SimEngine engine = random.pick(SimEngine.SELECT, SimEngine.POLL, SimEngine.EPOLL, SimEngine.URING, SimEngine.URING);
        framing = random.pick(ClientFraming.LINES, ClientFraming.LINES_CRLF, ClientFraming.DELIMITED, ClientFraming.PREFIXED_2,
                ClientFraming.PREFIXED_4, ClientFraming.NETSTRINGS);
        int cap = random.number(1 << 10, 4 << 10, 64 << 10, 1 << 20);
        int high = Math.max(1, cap / random.between(1, 10));
        limits = Limits.defaults().withQueueBytesMax(cap).withQueueMarks(high, random.chance(20) ? 0 : high / 2)
                .withIdleTimeout(
                        random.chance(10) ? Duration.ofNanos(random.logUniform(20 * MILLI, 3_000 * MILLI)) : Duration.ZERO)
                .withQueueBudgetBytes(random.chance(10) ? random.logUniform(16 << 10, SCARCE_BUDGET_BYTES - 1) : 64 << 20);
        host = context.network.host(address, engine, context.scenario.faults());
        clientHost = context.network.host(clientAddress);
        server = Server.builder().network(host).listen(new InetSocketAddress(address, ServerUnderTest.PORT))
                .framing(framing.toFraming()).limits(limits).loops(random.number(1, 1, 2)).session(this::serve).open();
        context.timeline.log("a server of sessions: " + engine + ", " + framing + ", queue of " + cap + " bytes");
    }

    Limits limits() {
        return limits;
    }

    boolean isBudgetScarce() {
        return limits.queueBudgetBytes() < SCARCE_BUDGET_BYTES;
    }

    boolean isDraining() {
        return draining;
    }

    // ---- clients and sessions

    /** Connects a client, which does what is planned. */
    void converse(Conversation plan) throws IOException {
        SimClient client = SimClient.connect(clientHost, server.address(), "client " + plan.number() + " of the sessions");
        runs.add(new SessionRun(context, this, plan, client));
        if (plan.unreadNanos() > 0) {
            client.pauseReading();
        }
        int sent = 0;
        boolean reads = plan.unreadNanos() == 0;
        for (int i = 0; i < plan.asks().size(); i++) {
            byte[] framed = framing.frame(plan.message(i, framing), i > 0);
            sent += framed.length;
            if (!reads && sent > SENT_UNREAD_MAX) {
                reads = true;
                client.pause(Duration.ofNanos(plan.unreadNanos())).resumeReading();
            }
            if (i % 2 == 0) {
                client.sendInPieces(framed);
            } else {
                client.send(framed);
            }
        }
        if (!reads) {
            client.pause(Duration.ofNanos(plan.unreadNanos())).resumeReading();
        }
        switch (plan.end()) {
            case HALF_CLOSE -> client.endOutput();
            case RESET -> client.reset();
            case CLOSE -> client.close();
        }
    }

    private void serve(Session session) throws Exception {
        InetSocketAddress remote = session.connection().remoteAddress();
        for (SessionRun run : runs) {
            if (remote.equals(run.client.address())) {
                run.serve(session);
                return;
            }
        }
        context.failures.report(Rule.CALLBACKS, "a session is started for a connection without a client: " + session);
    }

    /** Called when the code of a session continues. */
    void enter(SessionRun run) {
        if (running != null) {
            run.fail(Rule.CALLBACKS, "runs at the same time as the " + running);
        }
        running = run;
    }

    /** Called when the code of a session waits or ends. */
    void leave(SessionRun run) {
        if (running != run) {
            run.fail(Rule.CALLBACKS, "runs, although it was not its turn");
        }
        running = null;
    }

    void drain(long timeoutNanos) {
        draining = true;
        server.drain(Duration.ofNanos(timeoutNanos));
    }

    // ---- the end

    /** Returns what has not ended; null if everything has. */
    @Nullable
    String remaining() {
        for (SessionRun run : runs) {
            if (run.client.end() == ClientEnd.OPEN) {
                return run.client + " has not ended, and has received " + run.client.received().length + " bytes";
            }
            if (run.started > 0 && run.end == null) {
                return run + " has not ended";
            }
        }
        return server.stats().total().connections() == 0 ? null : "the server of sessions has connections left";
    }

    /** Checks what each client has seen. Called at the end of a run. */
    void checkAll() {
        for (SessionRun run : runs) {
            if (run.started > 1) {
                run.fail(Rule.CALLBACKS, "was started " + run.started + " times");
            }
            SessionEnd end = run.end;
            if (end != null) {
                context.tally.add("session-end", end);
            }
            try {
                oracle(run).check(run.client);
            } catch (AssertionError e) {
                run.fail(Rule.DELIVERY, String.valueOf(e.getMessage()));
            }
            if (run.client.end() == ClientEnd.ENDED && run.client.received().length < run.sentBytes) {
                run.fail(Rule.DELIVERY, "the client has read the end of its input after " + run.client.received().length + " of "
                        + run.sentBytes + " bytes that were sent");
            }
        }
    }

    private ClientOracle oracle(SessionRun run) {
        Conversation plan = run.plan;
        List<byte[]> expected = new ArrayList<>();
        boolean ended = false;
        for (int i = 0; i < plan.asks().size() && !ended; i++) {
            for (int k = 0; k < plan.asks().get(i).count(); k++) {
                expected.add(framing.frame(plan.reply(i, k, framing), true));
            }
            ended = plan.asks().get(i).endsSession();
        }
        if (!ended) {
            expected.add(framing.frame(Conversation.farewell(framing), true));
        }
        ClientOracle oracle = ClientOracle.expectingBytes(expected);
        boolean mayEnd = draining || !limits.idleTimeout().isZero() || isBudgetScarce();
        return mayEnd ? oracle.mayEndEarly().mayRefuse().mayReset() : oracle;
    }

    void close() {
        server.close();
    }

    /** Checks, after the server was closed, that nothing is left. */
    void checkLeaks() {
        ServerStats stats = server.stats();
        if (stats.queueBytes() != 0 || stats.memory().queues() != 0 || stats.memory().input() != 0) {
            context.failures.report(Rule.LEAKS, "the server of sessions is closed, but its budget counts " + stats.queueBytes()
                    + " bytes; " + stats.memory());
        }
        if (host.openDescriptors() != 0 || clientHost.openDescriptors() != 0) {
            context.failures.report(Rule.LEAKS, "open descriptors of the server of sessions or its clients are left: "
                    + host.describeDescriptors() + clientHost.describeDescriptors());
        }
        context.failures.abortIfFailed();
    }
}
