package io.trivet.net;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/** Formats addresses as people write them: {@code 127.0.0.1:8080}, {@code [::1]:8080}, {@code unix:/run/app.sock}. Threads: any. */
public final class Addresses {
    private static final String UNIX = "a Unix";

    private Addresses() {}

    /**
     * Formats an address and port. The address is shown as a number, never as a host name.
     *
     * @param address resolved or not, or one that stands for a {@link UnixAddress}
     * @return for instance {@code [::1]:8080}; an unresolved address shows its host name; a Unix address its own text, such as
     *     {@code unix:/run/app.sock}
     */
    public static String toString(InetSocketAddress address) {
        InetAddress ip = address.getAddress();
        UnixAddress unix = UnixAddress.of(address);
        if (unix != null) {
            return unix.toString();
        }
        if (ip == null) {
            return address.getHostString() + ":" + address.getPort();
        }
        String host = toString(ip);
        return (ip instanceof Inet6Address ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    /**
     * Formats an IP address as a number. In an IPv6 address the longest run of zeros is shortened (RFC 5952).
     *
     * @param address the address
     * @return for instance {@code 127.0.0.1}, {@code fe80::1%2}
     */
    public static String toString(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 4) {
            return address.getHostAddress();
        }
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | (bytes[2 * i + 1] & 0xff);
        }
        int runStart = -1;
        int runLength = 1; // a single zero group is not shortened
        for (int i = 0; i < 8; i++) {
            int end = i;
            while (end < 8 && groups[end] == 0) {
                end++;
            }
            if (end - i > runLength) {
                runStart = i;
                runLength = end - i;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == runStart) {
                text.append("::");
                i += runLength - 1;
            } else {
                text.append(text.isEmpty() || text.charAt(text.length() - 1) == ':' ? "" : ":")
                        .append(Integer.toHexString(groups[i]));
            }
        }
        int scope = address instanceof Inet6Address six ? six.getScopeId() : 0;
        return scope == 0 ? text.toString() : text.append('%').append(scope).toString();
    }

    /**
     * Checks that a socket can be bound to one address and connect to another: both must be IPv4, or both IPv6, and they must
     * differ. For networks.
     *
     * @param local the address to bind to
     * @param remote the address to connect to; resolved, or a Unix address
     * @throws NetworkException {@link ErrorCode#EAFNOSUPPORT}: their families differ, or one is a Unix address; {@link ErrorCode#EADDRINUSE}: they are
     *     equal, and TCP would connect the socket to itself (RFC 9293, 3.5)
     * @throws UnknownHostException the local address is unresolved
     */
    public static void checkFamilies(InetSocketAddress local, InetSocketAddress remote) throws IOException {
        String from = family(local);
        String to = family(remote);
        if (from == null) {
            throw new UnknownHostException("unknown host " + local.getHostString() + ": the local address must be a number");
        }
        if (to != null && (!from.equals(to) || from.equals(UNIX))) {
            throw new NetworkException("bind", local, ErrorCode.EAFNOSUPPORT,
                    "EAFNOSUPPORT, " + (from.equals(UNIX) || to.equals(UNIX) ? "a local address is for TCP"
                            : from + " address cannot connect to " + to + " address")
                            + ": connect to " + toString(remote));
        }
        if (local.getPort() != 0 && local.equals(remote)) {
            throw new NetworkException("bind", local, ErrorCode.EADDRINUSE,
                    "EADDRINUSE, this is the address to connect to, and the socket would connect to itself: bind to another port");
        }
    }

    private static @Nullable String family(InetSocketAddress address) {
        return UnixAddress.isUnix(address) ? UNIX
                : address.isUnresolved() ? null
                : address.getAddress() instanceof Inet6Address ? "an IPv6" : "an IPv4";
    }

    /** Formats the subject of an exception: addresses in the form of this class, everything else by its own {@code toString}. */
    static String toString(Object subject) {
        return subject instanceof InetSocketAddress address ? toString(address) : subject.toString();
    }
}
