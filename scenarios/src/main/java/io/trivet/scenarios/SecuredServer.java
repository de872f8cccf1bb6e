package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ServerStats;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A server with TLS beside the servers under test, and its clients, which it turns as a loop. They check that a complete stream and a
 * cut one are distinguished in both directions, that handshakes that stall are closed by their deadline, and that what is no TLS is
 * refused. The randomness of TLS is that of the network.
 */
final class SecuredServer implements Loop {
    private static final long MILLI = 1_000_000;

    private final RunContext context;
    private final SimHost host;
    private final SimHost clientHost;
    private final Poller poller;
    private final ReadyEvents events = new ReadyEvents(64);
    private final Server server;
    private final SSLContext clientContext;
    private final Duration handshakeTimeout;
    private final List<SecuredRun> runs = new ArrayList<>();
    private boolean draining;

    SecuredServer(RunContext context, InetAddress address, InetAddress clientAddress) throws IOException {
        this.context = context;
        SeededRandom random = new SeededRandom(context.scenario.seed() ^ 0x736563757265L); // "secure" in ASCII
        SimEngine engine = random.pick(SimEngine.SELECT, SimEngine.POLL, SimEngine.EPOLL, SimEngine.EPOLL, SimEngine.URING,
                SimEngine.URING);
        handshakeTimeout = Duration.ofNanos(random.logUniform(200 * MILLI, 10_000 * MILLI));
        SecureRandom randomness = context.network.secureRandom();
        clientContext = SecuredContexts.ofClients(randomness);
        host = context.network.host(address, engine, context.scenario.faults());
        clientHost = context.network.host(clientAddress);
        poller = clientHost.poller();
        int cap = random.number(256 << 10, 1 << 20);
        int high = random.number(1 << 10, 16 << 10, 64 << 10);
        server = Server.builder().network(host).listen(new InetSocketAddress(address, ServerUnderTest.PORT))
                .framing(Framing.lengthPrefixed(4))
                .limits(Limits.defaults().withQueueBytesMax(cap).withQueueMarks(high, high / 2))
                .loops(random.number(1, 1, 2)).handler(new Callbacks())
                .tls(TlsServer.builder().context(SecuredContexts.ofServer(randomness)).handshakeTimeout(handshakeTimeout).build())
                .open();
        context.timeline
                .log("a server with TLS: " + engine + ", handshakes within " + ReportText.duration(handshakeTimeout.toNanos()));
    }

    /** Passes the callbacks of a connection to the run of its client. */
    private final class Callbacks implements Handler {
        @Override
        public void onOpen(Connection connection) {
            SecuredRun run = runOf(connection);
            if (run != null) {
                run.open(connection);
            }
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            SecuredRun run = runOf(connection);
            if (run != null) {
                run.message(connection, message);
            }
        }

        @Override
        public void onEndOfInput(Connection connection) {
            SecuredRun run = runOf(connection);
            if (run != null) {
                run.endOfInput(connection);
            }
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            SecuredRun run = runOf(connection);
            if (run != null) {
                run.closed(reason);
            }
        }
    }

    private @Nullable SecuredRun runOf(Connection connection) {
        InetSocketAddress remote = connection.remoteAddress();
        for (SecuredRun run : runs) {
            if (remote.equals(run.client.address())) {
                return run;
            }
        }
        context.failures.report(Rule.CALLBACKS,
                "a callback of the server with TLS for a connection without a client: " + connection);
        return null;
    }

    Duration handshakeTimeout() {
        return handshakeTimeout;
    }

    boolean isDraining() {
        return draining;
    }

    // ---- clients

    /** Connects a client, which does what is planned. */
    void connect(SecuredPlan plan) {
        context.tally.add("secured", plan.kind());
        runs.add(new SecuredRun(context, this,
                new SecuredClient(context, clientHost, poller, runs.size(), clientContext, server.address(), plan)));
    }

    void drain(long timeoutNanos) {
        draining = true;
        server.drain(Duration.ofNanos(timeoutNanos));
    }

    @Override
    public int turn() throws IOException {
        int done = poller.poll(events, 0);
        for (int i = 0; i < done; i++) {
            runs.get((int) events.token(i)).client.turn();
        }
        long now = context.now();
        for (SecuredRun run : runs) {
            if (run.client.dueNanos() <= now) {
                run.client.turn();
                done++;
            }
        }
        context.failures.abortIfFailed();
        return done;
    }

    @Override
    public long nextDeadline() {
        long next = NO_DEADLINE;
        for (SecuredRun run : runs) {
            next = Math.min(next, run.client.dueNanos());
        }
        return next == NO_DEADLINE ? NO_DEADLINE : context.deadline(next);
    }

    // ---- the end

    /** Starts the recovery phase: the clients wait no longer. */
    void recover() {
        runs.forEach(run -> run.client.turn());
    }

    /** Returns what has not ended; null if everything has. */
    @Nullable
    String remaining() {
        for (SecuredRun run : runs) {
            String left = run.remaining();
            if (left != null) {
                return left;
            }
        }
        return server.stats().total().connections() == 0 ? null : "the server with TLS has connections left";
    }

    /** Checks what each client has seen. Called at the end of a run. */
    void checkAll() {
        runs.forEach(SecuredRun::check);
    }

    void close() {
        server.close();
    }

    /** Checks, after the server was closed, that nothing is left. */
    void checkLeaks() throws IOException {
        poller.close();
        ServerStats stats = server.stats();
        if (stats.queueBytes() != 0 || stats.memory().queues() != 0 || stats.memory().input() != 0) {
            context.failures.report(Rule.LEAKS, "the server with TLS is closed, but its budget counts " + stats.queueBytes()
                    + " bytes; " + stats.memory());
        }
        if (host.openDescriptors() != 0 || clientHost.openDescriptors() != 0) {
            context.failures.report(Rule.LEAKS, "open descriptors of the server with TLS or its clients are left: "
                    + host.describeDescriptors() + clientHost.describeDescriptors());
        }
        context.failures.abortIfFailed();
    }
}
