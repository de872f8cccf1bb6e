package io.trivet.scenarios;

import io.trivet.net.Cidr;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ServerStats;
import io.trivet.server.AccessList;
import io.trivet.server.Connection;
import io.trivet.server.Framing;
import io.trivet.server.Handler;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server with an access list, behind proxies that send headers of the PROXY protocol, beside the servers under test. It replies to
 * each line with the line and the address of the client. The model of who may be refused is exact: {@link #isDenied}.
 */
final class GuardedServer {
    /** The number of hosts of clients. */
    static final int HOSTS = 4;
    /** The number of hosts that are trusted proxies: the first ones. */
    static final int PROXIES = 2;
    /** The number of addresses of clients behind proxies. */
    static final int CLAIMED = 4;
    /** The port of the first client behind a proxy. */
    private static final int CLAIMED_PORT = 20_000;

    private final RunContext context;
    private final List<InetAddress> hosts;
    private final List<InetAddress> claimed = new ArrayList<>();
    private final SimHost host;
    private final List<SimHost> clientHosts = new ArrayList<>();
    private final Server server;
    /** The addresses that are in an allowed range; empty if there is no such range. */
    private final List<InetAddress> allowed = new ArrayList<>();
    private final List<InetAddress> denied = new ArrayList<>();
    private final boolean allowsAll;
    private final int perAddressMax;
    private final List<GuardedRun> runs = new ArrayList<>();

    GuardedServer(RunContext context, InetAddress address, List<InetAddress> hosts) throws IOException {
        this.context = context;
        this.hosts = List.copyOf(hosts);
        SeededRandom random = new SeededRandom(context.scenario.seed() ^ 0x6775617264L); // "guard" in ASCII
        boolean ipv6 = random.chance(50);
        for (int i = 0; i < CLAIMED; i++) {
            claimed.add(InetAddress.ofLiteral((ipv6 ? "2001:db8::" : "192.0.2.") + (i + 1)));
        }
        SimEngine engine = random.pick(SimEngine.SELECT, SimEngine.POLL, SimEngine.EPOLL, SimEngine.URING);
        AccessList access = AccessList.all();
        allowsAll = random.chance(50);
        List<Cidr> ranges = new ArrayList<>();
        for (InetAddress each : addresses()) {
            if (!allowsAll && random.chance(60)) {
                ranges.add(Cidr.of(each.getHostAddress()));
                allowed.add(each);
            }
            if (random.chance(20)) {
                access = access.deny(Cidr.of(each.getHostAddress()));
                denied.add(each);
            }
        }
        if (!allowsAll && ranges.isEmpty()) {
            ranges.add(Cidr.of("203.0.113.0/24")); // no client is there
        }
        access = access.allow(ranges.toArray(Cidr[]::new));
        perAddressMax = random.chance(30) ? random.between(1, 2) : 0;
        Cidr[] proxies = hosts.subList(0, PROXIES).stream().map(each -> Cidr.of(each.getHostAddress())).toArray(Cidr[]::new);
        host = context.network.host(address, engine, context.scenario.faults());
        for (InetAddress each : hosts) {
            clientHosts.add(context.network.host(each));
        }
        server = Server.builder().network(host).listen(new InetSocketAddress(address, ServerUnderTest.PORT))
                .framing(Framing.lines()).limits(Limits.defaults().withConnectionsPerAddressMax(perAddressMax))
                .loops(random.number(1, 1, 2)).access(access).proxyProtocol(proxies).handler(new Callbacks()).open();
        context.timeline.log("a guarded server: " + engine + ", " + access
                + (perAddressMax > 0 ? ", at most " + perAddressMax + " connections per address" : ""));
    }

    private List<InetAddress> addresses() {
        List<InetAddress> all = new ArrayList<>(hosts);
        all.addAll(claimed);
        return all;
    }

    /** Passes the callbacks of a connection to the run of its client. */
    private final class Callbacks implements Handler {
        @Override
        public void onOpen(Connection connection) {
            GuardedRun run = runOf(connection);
            if (run != null) {
                run.open(connection);
            }
        }

        @Override
        public void onMessage(Connection connection, ByteBuffer message) {
            context.progress++;
            String line = StandardCharsets.ISO_8859_1.decode(message).toString();
            connection.send(line + suffix(connection.remoteAddress()));
        }

        @Override
        public void onClose(Connection connection, CloseReason reason) {
            GuardedRun run = runOf(connection);
            if (run != null) {
                run.closed(reason);
            }
        }
    }

    /** Returns what a reply has behind the line. */
    static String suffix(InetSocketAddress remote) {
        return " from " + remote.getAddress().getHostAddress() + " " + remote.getPort();
    }

    private @Nullable GuardedRun runOf(Connection connection) {
        InetSocketAddress remote = connection.remoteAddress();
        for (GuardedRun run : runs) {
            if (remote.equals(run.client.address()) || remote.equals(claim(run.plan))) {
                return run;
            }
        }
        context.failures.report(Rule.CALLBACKS,
                "a callback of the guarded server for a connection without a client: " + connection);
        return null;
    }

    InetSocketAddress address() {
        return server.address();
    }

    // ---- the model

    /** Returns the address that the client's header claims. */
    InetSocketAddress claim(GuardedPlan plan) {
        return new InetSocketAddress(claimed.get(plan.claimed()), CLAIMED_PORT + plan.number());
    }

    /** Returns the address that counts for a client. */
    InetAddress addressOf(GuardedPlan plan) {
        return plan.hasClaim() ? claimed.get(plan.claimed()) : hosts.get(plan.host());
    }

    /** Returns true if the access list denies a client: exactly then it may be, and must be, refused for that. */
    boolean isDenied(GuardedPlan plan) {
        if (plan.isProxy() && (!plan.isValid() || plan.header() == GuardedPlan.Header.LOCAL)) {
            return false;
        }
        InetAddress address = addressOf(plan);
        return denied.contains(address) || (!allowsAll && !allowed.contains(address));
    }

    /** Returns true if as many others have the same address as may be connected at a time. */
    boolean mayBeTooMany(GuardedPlan plan) {
        InetAddress address = addressOf(plan);
        long others = runs.stream().filter(run -> run.plan.number() != plan.number() && run.plan.isValid() && !isDenied(run.plan)
                && addressOf(run.plan).equals(address)).count();
        return perAddressMax > 0 && others >= perAddressMax;
    }

    // ---- clients

    /** Connects a client, which does what is planned. */
    void connect(GuardedPlan plan) throws IOException {
        context.tally.add(plan.isProxy() ? "guarded-proxy" : "guarded-client", plan.header());
        context.tally.add("guarded-ending", plan.ending());
        SimClient client = SimClient.connect(clientHosts.get(plan.host()), server.address(), "client " + plan.number()
                + " of the guarded server");
        GuardedRun run = new GuardedRun(context, this, plan, client);
        runs.add(run);
        run.send(server.address());
    }

    // ---- the end

    /** Returns what has not ended; null if everything has. */
    @Nullable
    String remaining() {
        for (GuardedRun run : runs) {
            if (run.client.end() == ClientEnd.OPEN) {
                return run.client + " has not ended, and has received " + run.client.received().length + " bytes";
            }
        }
        return server.stats().total().connections() == 0 ? null : "the guarded server has connections left";
    }

    /** Checks what each client has seen. Called at the end of a run. */
    void checkAll() {
        runs.forEach(GuardedRun::check);
    }

    void close() {
        server.close();
    }

    /** Checks, after the server was closed, that nothing is left. */
    void checkLeaks() {
        ServerStats stats = server.stats();
        if (stats.queueBytes() != 0 || stats.memory().queues() != 0 || stats.memory().input() != 0) {
            context.failures.report(Rule.LEAKS, "the guarded server is closed, but its budget counts " + stats.queueBytes()
                    + " bytes; " + stats.memory());
        }
        if (host.openDescriptors() != 0 || clientHosts.stream().anyMatch(each -> each.openDescriptors() != 0)) {
            context.failures.report(Rule.LEAKS, "open descriptors of the guarded server or its clients are left: "
                    + host.describeDescriptors());
        }
        context.failures.abortIfFailed();
    }
}
