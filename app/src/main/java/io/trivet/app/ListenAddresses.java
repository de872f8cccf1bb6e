package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.net.Capability;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpListener;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.io.PrintStream;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The addresses of {@code --host}: every address of each name, and Unix addresses, each once. */
final class ListenAddresses {
    private ListenAddresses() {}

    /**
     * Resolves the hosts.
     *
     * @param err gets a line for each address of a name that this machine does not have, as long as it has another one
     */
    static List<InetSocketAddress> of(Network network, List<String> hosts, int port, PrintStream err) throws IOException {
        Map<String, InetSocketAddress> addresses = new LinkedHashMap<>();
        for (String host : hosts) {
            if (UnixAddress.isUnix(host)) {
                addresses.putIfAbsent(host, unix(host));
                continue;
            }
            if (host.isBlank()) { // the resolver takes it for the loopback address
                throw new IOException("--host must be an address or a name, not empty");
            }
            List<InetAddress> all = List.of(HostPort.resolve(host));
            List<InetAddress> own = all.size() == 1 ? all : all.stream().filter(address -> isOwn(network, address)).toList();
            if (!own.isEmpty() && own.size() < all.size()) {
                err.println("warning: " + EscapedText.line(host) + " has addresses that this machine does not have: "
                        + all.stream().filter(address -> !own.contains(address)).map(Addresses::toString)
                                .collect(Collectors.joining(", ")));
            }
            (own.isEmpty() ? all : own).forEach(address -> addresses.putIfAbsent(Addresses.toString(address),
                    new InetSocketAddress(address, port)));
        }
        return List.copyOf(addresses.values());
    }

    private static InetSocketAddress unix(String host) throws IOException {
        try {
            UnixAddress address = UnixAddress.parse(host);
            if (!address.isUnnamed()) {
                return address.asInetSocketAddress();
            }
        } catch (IllegalArgumentException e) {
            throw new IOException("--host: " + EscapedText.line(String.valueOf(e.getMessage())), e);
        }
        throw new IOException("--host: unix: has no name: write unix:PATH, or unix:@NAME for an abstract name");
    }

    /** Returns those of the addresses that have a port. */
    static List<InetSocketAddress> withPorts(List<InetSocketAddress> addresses) {
        return addresses.stream().filter(address -> !UnixAddress.isUnix(address)).toList();
    }

    /** Returns false if the machine does not have this address, for instance because IPv6 is switched off. */
    private static boolean isOwn(Network network, InetAddress address) {
        try (TcpListener _ = network.listen(new InetSocketAddress(address, 0), 1)) {
            return true;
        } catch (NetworkException e) {
            return e.code() != ErrorCode.EADDRNOTAVAIL && e.code() != ErrorCode.EAFNOSUPPORT;
        } catch (IOException e) {
            return true; // listening will report it
        }
    }

    /** Returns the same addresses with another port, and the Unix addresses as they are. */
    static List<InetSocketAddress> withPort(List<InetSocketAddress> addresses, int port) {
        return addresses.stream().map(address -> UnixAddress.isUnix(address) ? address
                : new InetSocketAddress(address.getAddress(), port)).toList();
    }

    /**
     * Returns the addresses at which a network has to listen. java.nio cannot restrict {@code ::} to IPv6: there it includes
     * 0.0.0.0.
     *
     * @throws IOException the network would accept IPv4 clients at more addresses than requested
     */
    static List<InetSocketAddress> supported(Network network, List<InetSocketAddress> requested) throws IOException {
        if (network.supports(Capability.DESCRIPTORS) || requested.stream().noneMatch(ListenAddresses::isIpv6Wildcard)) {
            return requested;
        }
        List<InetSocketAddress> addresses = new ArrayList<>();
        boolean all4 = requested.stream().anyMatch(ListenAddresses::isIpv4Wildcard);
        for (InetSocketAddress address : requested) {
            if (!(address.getAddress() instanceof Inet4Address)) { // also a Unix address
                addresses.add(address);
            } else if (!all4) {
                throw new IOException("--host: " + network.name() + " cannot listen at :: for IPv6 only, and so not at "
                        + Addresses.toString(address.getAddress()) + " beside it: omit one, or use another --engine");
            }
        }
        return addresses;
    }

    private static boolean isIpv6Wildcard(InetSocketAddress address) {
        return address.getAddress() instanceof Inet6Address six && six.isAnyLocalAddress();
    }

    private static boolean isIpv4Wildcard(InetSocketAddress address) {
        return address.getAddress() instanceof Inet4Address four && four.isAnyLocalAddress();
    }
}
