package io.trivet.app;

import java.net.InetAddress;
import java.net.UnknownHostException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The address of a server: {@code localhost:8090}, {@code 127.0.0.1:8080}, {@code [::1]:8080}. */
record HostPort(String host, int port) {
    static final class Converter implements ITypeConverter<HostPort> {
        @Override
        public HostPort convert(String text) {
            int colon = text.lastIndexOf(':');
            String host = colon < 0 ? text : text.substring(0, colon);
            boolean bracketed = host.startsWith("[") && host.endsWith("]");
            if (bracketed) {
                host = host.substring(1, host.length() - 1);
            }
            int port = colon < 0 ? -1 : port(text.substring(colon + 1));
            if (host.isEmpty() || port < 1 || (!bracketed && host.indexOf(':') >= 0)) {
                throw new TypeConversionException("'" + EscapedText.of(text)
                        + "' is not HOST:PORT: write localhost:8080 or [::1]:8080, the port from 1 to 65535");
            }
            return new HostPort(host, port);
        }

        private static int port(String text) {
            if (text.isEmpty() || text.length() > 5 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return -1;
            }
            int port = Integer.parseInt(text);
            return port <= 65535 ? port : -1;
        }
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
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
