package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Counts the accepted connections of a server, in total and per IP address, and compares them with the limits. Those of Unix domain
 * sockets have no IP address, and count only in total. Any thread.
 */
final class ConnectionLimit {
    private final int connectionsMax;
    private final int perAddressMax;
    /** Empty if there is no limit per address. */
    private final Map<InetAddress, Integer> perAddress = new LinkedHashMap<>();

    private int connections;
    private boolean reached;

    ConnectionLimit(Limits limits) {
        connectionsMax = limits.connectionsMax();
        perAddressMax = limits.connectionsPerAddressMax();
    }

    int connectionsMax() {
        return connectionsMax;
    }

    /** Counts a connection. Returns null, or why it is refused and not counted. */
    synchronized @Nullable CloseReason add(InetSocketAddress remote) {
        CloseReason refusal = addAddress(remote);
        if (refusal == null) {
            addUnidentified();
        }
        return refusal;
    }

    /** Counts the address of a connection that is counted already. Returns null, or why it is refused and not counted. */
    synchronized @Nullable CloseReason addAddress(InetSocketAddress remote) {
        if (perAddressMax > 0) {
            int already = perAddress.getOrDefault(remote.getAddress(), 0);
            if (already >= perAddressMax) {
                return CloseReason.TOO_MANY_FROM_ADDRESS;
            }
            perAddress.put(remote.getAddress(), already + 1);
        }
        return null;
    }

    /** Counts a connection whose address is not to be counted, or not yet. */
    synchronized void addUnidentified() {
        connections++;
        reached = connections >= connectionsMax;
    }

    /**
     * Uncounts a connection.
     *
     * @param remote its address, if that was counted; otherwise null
     * @return true if the limit was reached, and no longer is
     */
    synchronized boolean remove(@Nullable InetSocketAddress remote) {
        connections--;
        if (remote != null && remote.getAddress() != null && perAddressMax > 0) { // a Unix domain socket has no IP address
            perAddress.computeIfPresent(remote.getAddress(), (address, count) -> count == 1 ? null : count - 1);
        }
        boolean lifted = reached && connections < connectionsMax;
        reached = reached && !lifted;
        return lifted;
    }

    /** Returns true while no further connection should be accepted. */
    synchronized boolean isReached() {
        return reached;
    }
}
