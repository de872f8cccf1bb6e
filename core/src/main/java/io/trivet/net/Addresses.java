package io.trivet.net;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Formats addresses as people write them: {@code 127.0.0.1:8080}, {@code [::1]:8080}, {@code unix:/run/app.sock}. Threads: any. */
public final class Addresses {
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

    /** Formats the subject of an exception: addresses in the form of this class, everything else by its own {@code toString}. */
    static String toString(Object subject) {
        return subject instanceof InetSocketAddress address ? toString(address) : subject.toString();
    }
}
