package io.trivet.scenarios;

import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.observe.LoopStats;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which accepted clients a server admits: exactly those that the limit per address allows, each on the loop with the fewest
 * connections.
 */
final class Admissions {
    private final RunContext context;
    private final ServerUnderTest server;
    private final Map<Object, Integer> perAddress = new LinkedHashMap<>();
    /** The clients that were refused, as they had to be. Only looked up. */
    private final Set<InetSocketAddress> refused = new HashSet<>();
    /** The adopts that have failed, and the accepted connections that are not closed. */
    private long failedAdopts;
    private int connections;
    private boolean hasFailed;
    /** A client that the server accepted itself had been reset before: whether it counts is not visible. */
    private boolean isUnknown;

    Admissions(RunContext context, ServerUnderTest server) {
        this.context = context;
        this.server = server;
    }

    /** Returns true if the limit per address explains that a client was never served. */
    boolean mayBeRefused(@Nullable InetSocketAddress client) {
        return server.plan.limits().connectionsPerAddressMax() > 0
                && ((isUnknown && context.isExcused(Excuse.ADMITTED_UNSEEN)) || (client != null && refused.contains(client)));
    }

    /** The server has accepted a client without a completion, and will admit it at once, as the limit allows. */
    void acceptsItself(TcpStream stream) {
        InetSocketAddress remote;
        try {
            remote = stream.remoteAddress();
        } catch (IOException e) { // the peer has already reset it
            return;
        }
        int perAddressMax = perAddressMax(remote);
        int before = perAddress.merge(key(remote), 1, Integer::sum) - 1;
        connections++;
        if (perAddressMax > 0 && before >= perAddressMax) {
            gone(remote);
            refused.add(remote);
        } else {
            isUnknown |= isReset(remote);
        }
    }

    /** An accept has failed: the server may stop accepting for a while. */
    void acceptFailed() {
        hasFailed = true;
    }

    /** The server starts to accept, or does so again. */
    void startsAccepting() {
        hasFailed = false;
    }

    /** The server stops accepting, which it may do at its maximum of connections, and after a failure. */
    void stopsAccepting() {
        int connectionsMax = server.plan.limits().connectionsMax();
        if (connections < connectionsMax && !hasFailed && !server.isEnding()
                && !(isUnknown && context.isExcused(Excuse.ADMITTED_UNSEEN))) {
            context.failures.report(Rule.CAPS, server + " stops accepting with " + connections + " connections, maximum "
                    + connectionsMax);
        }
    }

    /** A connection could not be adopted. */
    void adoptFailed(InetSocketAddress remote) {
        failedAdopts++;
        gone(remote);
    }

    /** An accepted connection is closed. */
    void gone(InetSocketAddress remote) {
        connections--;
        perAddress.computeIfPresent(key(remote), (address, count) -> count - 1);
    }

    /** The server accepts a connection. */
    void accepted(TcpStream stream, Runnable accept) {
        InetSocketAddress remote;
        try {
            remote = stream.remoteAddress();
        } catch (IOException e) { // the peer has already reset it
            accept.run();
            return;
        }
        int perAddressMax = perAddressMax(remote);
        int before = perAddress.merge(key(remote), 1, Integer::sum) - 1; // before a failing adopt
        connections++;
        long failedBefore = failedAdopts;
        List<LoopStats> loopsBefore = server.instance().stats().loops();
        accept.run();
        int chosen = chosen(loopsBefore, server.instance().stats().loops());
        if (chosen < 0 && failedAdopts == failedBefore) {
            gone(remote);
            refused.add(remote);
            boolean allowed = perAddressMax == 0 || before < perAddressMax;
            // an option cannot be set if the peer has already reset it
            if (allowed && !server.isEnding() && !isReset(remote)
                    && !(isUnknown && context.isExcused(Excuse.ADMITTED_UNSEEN))) {
                context.failures.report(Rule.CAPS, server + " has refused " + remote + ", although it has " + before
                        + " connections from that address, maximum " + perAddressMax);
            }
            return;
        }
        if (perAddressMax > 0 && before >= perAddressMax && !(isUnknown && context.isExcused(Excuse.ADMITTED_UNSEEN))) {
            context.failures.report(Rule.CAPS, server + " has admitted " + remote + ", although it has " + before
                    + " connections from that address, maximum " + perAddressMax);
        }
        for (int i = 0; i < loopsBefore.size() && chosen >= 0; i++) {
            if (loopsBefore.get(i).connections() < loopsBefore.get(chosen).connections()) {
                context.failures.report(Rule.CAPS, server + " has admitted " + remote + " to loop " + chosen + " with "
                        + loopsBefore.get(chosen).connections() + " connections, although loop " + i + " has only "
                        + loopsBefore.get(i).connections());
            }
        }
    }

    /** Returns what is counted together: an IP address; or of a Unix domain socket, the client alone. */
    private static Object key(InetSocketAddress remote) {
        return UnixAddress.isUnix(remote) ? remote : remote.getAddress();
    }

    /** Returns the limit per address, which does not apply to Unix domain sockets; 0: none. */
    private int perAddressMax(InetSocketAddress remote) {
        return UnixAddress.isUnix(remote) ? 0 : server.plan.limits().connectionsPerAddressMax();
    }

    private boolean isReset(InetSocketAddress remote) {
        Client client = server.clientAt(remote);
        return client == null || client.hasBrokenConnection() || client.isOver();
    }

    /** Returns the loop that has got the connection; -1 if none has. */
    private static int chosen(List<LoopStats> before, List<LoopStats> after) {
        for (int i = 0; i < before.size(); i++) {
            if (after.get(i).connections() > before.get(i).connections()) {
                return i;
            }
        }
        return -1;
    }
}
