package io.trivet.server;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.SocketFile;
import io.trivet.net.TcpListener;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.util.List;

/** Opens the listeners of a server that may listen at several addresses with one port. */
final class ListenerOpening {
    private ListenerOpening() {}

    /**
     * Opens one listener.
     *
     * @param all all addresses of the server, this one included
     * @param file how the file of a Unix domain socket is created
     * @param options options of a listener with an IP address
     */
    static TcpListener open(Network network, InetSocketAddress address, List<InetSocketAddress> all, SocketFile file,
            ListenOptions options, int backlog)
            throws IOException {
        try {
            UnixAddress unix = UnixAddress.isUnix(address) ? UnixAddress.parse(address.getHostString()) : null; // validated
            if (unix != null) {
                return network.listen(unix, file, backlog);
            }
            return isIpv6Wildcard(address) && all.stream().anyMatch(other -> isIpv4(other) && isSamePort(other, address))
                    ? network.listen(address, backlog, options.withIpv6Only())
                    : network.listen(address, backlog, options);
        } catch (NetworkException e) {
            if (e.code() == ErrorCode.EADDRINUSE) {
                for (InetSocketAddress other : all.subList(0, all.indexOf(address))) {
                    if (overlap(other, address)) {
                        throw inUseBy(other, address, e);
                    }
                }
                if (all.lastIndexOf(address) != all.indexOf(address)) {
                    throw inUseBy(address, address, e);
                }
            }
            throw e;
        }
    }

    private static NetworkException inUseBy(InetSocketAddress other, InetSocketAddress address, NetworkException cause) {
        NetworkException clear = new NetworkException(cause.call(), address, cause.code(),
                "EADDRINUSE, this server itself already listens at " + Addresses.toString(other));
        clear.initCause(cause);
        return clear;
    }

    private static boolean overlap(InetSocketAddress one, InetSocketAddress other) {
        return isSamePort(one, other) && (one.equals(other)
                || (isIpv4(one) == isIpv4(other)
                        && (one.getAddress().isAnyLocalAddress() || other.getAddress().isAnyLocalAddress())));
    }

    private static boolean isSamePort(InetSocketAddress one, InetSocketAddress other) {
        return one.getPort() == other.getPort() && one.getPort() != 0;
    }

    private static boolean isIpv6Wildcard(InetSocketAddress address) {
        return address.getAddress() instanceof Inet6Address six && six.isAnyLocalAddress();
    }

    private static boolean isIpv4(InetSocketAddress address) {
        return address.getAddress() instanceof Inet4Address;
    }
}
