package io.trivet.scenarios;

import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.server.Limits;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks, when no connection is left, that each server still admits as many clients as its limits allow. A connection that still
 * counts although it is gone, such as one that could not be adopted, takes the place of one of them.
 */
final class AdmissionProbe {
    /** With a higher limit only a few clients connect. */
    private static final int CLIENTS_MAX = 20;
    private static final int CLIENTS_FEW = 3;
    /** Time for each connect. The time for all of them is shorter than any timeout of a server. */
    private static final Duration STEP = Duration.ofNanos(100_000);

    private final RunContext context;
    private final List<SimHost> hosts;
    private final List<TcpStream> streams = new ArrayList<>();

    AdmissionProbe(RunContext context, List<SimHost> hosts) {
        this.context = context;
        this.hosts = hosts;
    }

    /** Connects to a server that has no connection. They stay open until {@link #close}. */
    void check(ServerUnderTest server, FinalChecker.Advance time) throws IOException {
        Limits limits = server.plan.limits();
        int perAddress = limits.connectionsPerAddressMax() == 0 || UnixAddress.isUnix(server.firstAddress()) ? Integer.MAX_VALUE
                : limits.connectionsPerAddressMax();
        int most = limits.connectionsMax() <= CLIENTS_MAX || perAddress <= CLIENTS_MAX ? CLIENTS_MAX : CLIENTS_FEW;
        int count = (int) Math.min(Math.min(most, limits.connectionsMax()), (long) perAddress * hosts.size());
        server.probes = 0;
        for (int i = 0; i < count; i++) {
            connect(hosts.get(perAddress >= count ? 0 : i % hosts.size()), server.firstAddress());
            time.advance(STEP);
        }
        if (server.probes != count) {
            context.failures.report(Rule.CAPS,
                    server + " has no connection left, and serves only " + server.probes + " of " + count
                            + " new clients, although its limits are " + limits.connectionsMax() + " connections, "
                            + limits.connectionsPerAddressMax() + " per address");
        }
        context.failures.abortIfFailed();
    }

    private void connect(SimHost host, InetSocketAddress address) throws IOException {
        streams.add(host.connect(address));
    }

    void close() throws IOException {
        for (TcpStream stream : streams) {
            stream.close();
        }
    }
}
