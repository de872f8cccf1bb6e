package io.trivet.app;

import io.trivet.net.Addresses;
import io.trivet.net.UnixAddress;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Formats addresses as Python's {@code str(client_address)} does. */
final class PythonAddress {
    private PythonAddress() {}

    /**
     * Returns {@code ('127.0.0.1', 54321)}; for IPv6 with flow label and scope: {@code ('::1', 54321, 0, 0)}; for a Unix domain socket
     * its path, {@code b'\x00name'} for an abstract name, and nothing for most clients, which have no address.
     */
    static String of(InetSocketAddress address) {
        UnixAddress unix = UnixAddress.of(address);
        if (unix != null) {
            String name = unix.toString().substring("unix:".length());
            return unix.isAbstract() ? "b'\\x00" + name.substring(1) + "'" : name;
        }
        InetAddress ip = address.getAddress();
        String host = Addresses.toString(ip);
        if (!(ip instanceof Inet6Address six)) {
            return "('" + host + "', " + address.getPort() + ")";
        }
        int scopeMark = host.indexOf('%'); // Python prints the scope only as the last element
        return "('" + (scopeMark < 0 ? host : host.substring(0, scopeMark)) + "', " + address.getPort() + ", 0, "
                + six.getScopeId() + ")";
    }
}
