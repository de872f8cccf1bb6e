package io.trivet.app;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converts the value of {@code --from}: an IP address as a number, with or without a port. */
final class LocalAddress implements ITypeConverter<InetSocketAddress> {
    @Override
    public InetSocketAddress convert(String text) {
        int bracket = text.lastIndexOf(']');
        int colon = text.lastIndexOf(':');
        boolean hasPort = colon > bracket && (bracket >= 0 || text.indexOf(':') == colon); // ::1 has none
        String host = hasPort ? text.substring(0, colon) : text;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = hasPort ? HostPort.port(text.substring(colon + 1)) : 0;
        if (port >= 0 && !host.isEmpty()) {
            try {
                return new InetSocketAddress(InetAddress.ofLiteral(host), port);
            } catch (IllegalArgumentException e) {
                // reported below
            }
        }
        throw new TypeConversionException("'" + EscapedText.of(text)
                + "' is not an IP address with or without a port: write 192.0.2.1, 192.0.2.1:5000, or [2001:db8::1]:5000");
    }
}
