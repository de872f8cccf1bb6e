package io.trivet.scenarios;

import io.trivet.observe.ServerStats;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One run of a {@link Trial}: its network, its random numbers, and its report. */
final class TrialRun {
    private static final InetAddress SERVER = InetAddress.ofLiteral("10.0.4.1");
    private static final InetAddress CLIENTS = InetAddress.ofLiteral("10.0.4.2");

    /** A call that may be refused. */
    interface Call {
        void run() throws IOException;
    }

    final SeededRandom random;
    final SimNetwork sim;
    final SimHost clients;
    final InetSocketAddress address = new InetSocketAddress(SERVER, ServerUnderTest.PORT);
    private final RunContext context;
    private final TrialKind kind;
    private final long seed;
    private final ServerEndChecker closing = new ServerEndChecker(this);
    /** The network of the server, whose clock the trial advances; null until it has one. */
    private @Nullable TrialNetwork network;
    private boolean failed;

    TrialRun(RunContext context, TrialKind kind, long seed) {
        this.context = context;
        this.kind = kind;
        this.seed = seed;
        random = new SeededRandom(seed);
        sim = SimNetwork.of(seed, FaultPlan.none());
        clients = sim.host(CLIENTS);
        if (context.timeline.isEnabled()) {
            sim.trace((elapsedNanos, event) -> log("net: " + event));
        }
    }

    void perform() throws IOException {
        context.tally.add("trial", kind);
        kind.trial().run(this);
    }

    /** Returns the network of a server, with an engine. */
    TrialNetwork network(SimEngine engine) {
        TrialNetwork opened = new TrialNetwork(this, sim.host(SERVER, engine, FaultPlan.none()));
        network = opened;
        log("a server on " + opened.name());
        return opened;
    }

    /** Returns the network of a server whose engine is drawn among those that report readiness. */
    TrialNetwork readinessNetwork() {
        return network(random.pick(SimEngine.SELECT, SimEngine.POLL, SimEngine.EPOLL));
    }

    /** Returns the network of a server whose engine is drawn. */
    TrialNetwork anyNetwork() {
        return network(random.pick(SimEngine.SELECT, SimEngine.POLL, SimEngine.EPOLL, SimEngine.URING));
    }

    ServerBuilder builder(TrialNetwork network, Handler handler, Limits limits) {
        closing.handles(handler);
        if (context.timeline.isEnabled()) {
            log("limits of the server: " + ReportText.limits(limits));
        }
        return Server.builder().network(network).listen(address).handler(handler).limits(limits);
    }

    /** The next server has several handlers: its ends are not compared with those of one handler. */
    void forgetHandler() {
        closing.handles((connection, message) -> {});
    }

    /** Returns memory for one read of a client. */
    ByteBuffer readBuffer() {
        return context.readBuffer;
    }

    void log(String event) {
        if (context.timeline.isEnabled()) {
            long elapsedNanos = network == null ? sim.clock().elapsedNanos() : network.now();
            context.timeline
                    .log("    trial of " + ReportText.words(kind) + ", at " + ReportText.duration(elapsedNanos) + ": " + event);
        }
    }

    boolean hasFailed() {
        return failed;
    }

    /** Reports a failure. The first one counts. */
    void fail(Rule rule, String text) {
        if (!failed && network != null && context.timeline.isEnabled()) {
            log("at the failed check: " + network.describeWaits());
        }
        failed = true;
        context.failures.report(rule, "trial of " + ReportText.words(kind) + " " + Long.toUnsignedString(seed, 36) + ": " + text);
    }

    /** Reports a failure unless two values are equal. */
    void same(Rule rule, String what, Object actual, Object expected) {
        if (!actual.equals(expected)) {
            fail(rule, what + (what.isEmpty() ? "" : ": ") + actual + " instead of " + expected);
        }
    }

    /** Makes a call that must be refused, and compares the exception. */
    void refused(String what, Class<? extends Exception> with, Call call) {
        try {
            call.run();
            fail(Rule.CALLBACKS, what + " is not refused");
        } catch (IOException | RuntimeException e) {
            same(Rule.CALLBACKS, what + " is refused with", e.getClass(), with);
        }
    }

    void expect(Rule rule, boolean holds, String otherwise) {
        if (!holds) {
            fail(rule, otherwise);
        }
    }

    /** Counts that something has occurred that the trial exists for. */
    void reached(String event) {
        context.tally.add("trial-event " + event, 1);
    }

    /** Closes a server, and checks what it reports before and afterwards, and that it has left nothing. */
    void close(TrialNetwork network, Server server) {
        if (!failed) {
            closing.checkBefore(server);
        }
        server.close();
        ServerStats stats = server.stats();
        same(Rule.LEAKS, "bytes in the budget of a closed server", stats.queueBytes(), 0L);
        same(Rule.LEAKS, "connections of a closed server", stats.total().connections(), 0);
        same(Rule.LEAKS, "bytes of the queues of a closed server", stats.memory().queues(), 0L);
        same(Rule.LEAKS, "bytes of input of a closed server", stats.memory().input(), 0L);
        same(Rule.LEAKS, "open files of a closed server", network.openFiles(), 0);
        if (network.host().openDescriptors() != 0) {
            fail(Rule.LEAKS, "open descriptors of a closed server: " + network.host().describeDescriptors());
        }
        if (!failed) {
            closing.checkAfter(server);
        }
    }
}
