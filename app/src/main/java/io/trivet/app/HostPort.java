package io.trivet.app;

import io.trivet.net.UnixAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The address of a server: {@code localhost:8090}, {@code 127.0.0.1:8080}, {@code [::1]:8080}, {@code unix:/run/app.sock}. A Unix address
 * is the host, and its port is 0.
 */
record HostPort(String host, int port) {
    static final class Converter implements ITypeConverter<HostPort> {
        @Override
        public HostPort convert(String text) {
            if (UnixAddress.isUnix(text)) {
                return new HostPort(unix(text).toString(), 0);
            }
            int colon = text.lastIndexOf(':');
            String host = colon < 0 ? text : text.substring(0, colon);
            boolean bracketed = host.startsWith("[") && host.endsWith("]");
            if (bracketed) {
                host = host.substring(1, host.length() - 1);
            }
            int port = colon < 0 ? -1 : port(text.substring(colon + 1));
            if (host.isEmpty() || port < 1 || (!bracketed && host.indexOf(':') >= 0)) {
                throw new TypeConversionException("'" + EscapedText.of(text)
                        + "' is not HOST:PORT: write localhost:8080 or [::1]:8080, the port from 1 to 65535; or unix:PATH");
            }
            return new HostPort(host, port);
        }

        private static UnixAddress unix(String text) {
            try {
                UnixAddress address = UnixAddress.parse(text);
                if (!address.isUnnamed()) {
                    return address;
                }
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(EscapedText.of(String.valueOf(e.getMessage())));
            }
            throw new TypeConversionException("'" + text + "' has no name: write unix:PATH, or unix:@NAME for an abstract name");
        }
    }

    /** Returns a port from 0 to 65535; -1 if the text is none. */
    static int port(String text) {
        if (text.isEmpty() || text.length() > 5 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return -1;
        }
        int port = Integer.parseInt(text);
        return port <= 65535 ? port : -1;
    }

    boolean isUnix() {
        return UnixAddress.isUnix(host);
    }

    /** Returns the address, unresolved. */
    InetSocketAddress address() {
        return InetSocketAddress.createUnresolved(host, port);
    }

    /** Returns every address of a host. Blocks until the system's resolver answers. */
    static InetAddress[] resolve(String host) throws UnknownHostException {
        try {
            return InetAddress.getAllByName(host);
        } catch (UnknownHostException e) {
            UnknownHostException clear = new UnknownHostException("unknown host '" + EscapedText.of(host) + "'");
            clear.initCause(e);
            throw clear;
        }
    }

    @Override
    public String toString() {
        return isUnix() ? host : (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
