package io.trivet.server;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The header of the PROXY protocol, in which a proxy sends a server the address of the client that it connects for. It is sent
 * once, before all other bytes of a connection. Outgoing connections send it with {@link Protocol#withProxyHeader}. Servers
 * receive it from the proxies that {@link ServerBuilder#proxyProtocol} names. Source: "The PROXY protocol, versions 1 and 2",
 * HAProxy Technologies. Immutable; any thread.
 */
public final class ProxyHeader {
    /** The first bytes of version 2. */
    static final byte[] SIGNATURE = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
    /** Number of bytes of version 2 before the addresses: signature, version and command, family, length. */
    static final int FIXED_BYTES = 16;

    static final int COMMAND_LOCAL = 0x20;
    static final int COMMAND_PROXY = 0x21;
    static final int TCP4 = 0x11;
    static final int TCP6 = 0x21;
    static final int TCP4_BYTES = 12;
    static final int TCP6_BYTES = 36;

    private final int version;
    private final boolean local;
    private final @Nullable InetSocketAddress source;
    private final @Nullable InetSocketAddress destination;

    ProxyHeader(int version, boolean local, @Nullable InetSocketAddress source, @Nullable InetSocketAddress destination) {
        this.version = version;
        this.local = local;
        this.source = source;
        this.destination = destination;
    }

    /**
     * Returns a header of version 1, which is a line of text.
     *
     * @param source the client's address
     * @param destination the address to which the client has connected
     * @return the header. If one address is IPv4 and the other IPv6, both are sent as IPv6
     * @throws IllegalArgumentException an address is unresolved
     */
    public static ProxyHeader v1(InetSocketAddress source, InetSocketAddress destination) {
        return new ProxyHeader(1, false, resolved(source), resolved(destination));
    }

    /**
     * Returns a header of version 2, which is binary.
     *
     * @param source the client's address
     * @param destination the address to which the client has connected
     * @return the header. If one address is IPv4 and the other IPv6, both are sent as IPv6
     * @throws IllegalArgumentException an address is unresolved
     */
    public static ProxyHeader v2(InetSocketAddress source, InetSocketAddress destination) {
        return new ProxyHeader(2, false, resolved(source), resolved(destination));
    }

    /**
     * Returns the header of a connection that the proxy makes for itself, such as a health check: version 2, LOCAL.
     *
     * @return the header
     */
    public static ProxyHeader local() {
        return new ProxyHeader(2, true, null, null);
    }

    private static InetSocketAddress resolved(InetSocketAddress address) {
        if (Objects.requireNonNull(address, "address").isUnresolved()) {
            throw new IllegalArgumentException(address + " is unresolved: a PROXY header has IP addresses");
        }
        return address;
    }

    /** Returns true if the proxy has connected for itself. */
    boolean isLocal() {
        return local;
    }

    /** Returns the client's address, or null if the header has none. */
    @Nullable
    InetSocketAddress source() {
        return source;
    }

    /** Returns the address to which the client has connected, or null if the header has none. */
    @Nullable
    InetSocketAddress destination() {
        return destination;
    }

    /** Returns the bytes to be sent, in a direct buffer. */
    ByteBuffer encode() {
        byte[] bytes = version == 1 ? encodeLine() : encodeBinary();
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    private byte[] encodeLine() {
        InetSocketAddress from = Objects.requireNonNull(source);
        InetSocketAddress to = Objects.requireNonNull(destination);
        boolean four = isIpv4(from) && isIpv4(to);
        return ("PROXY " + (four ? "TCP4 " : "TCP6 ") + text(from, four) + ' ' + text(to, four) + ' ' + from.getPort() + ' '
                + to.getPort() + "\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    private static String text(InetSocketAddress address, boolean four) {
        InetAddress ip = address.getAddress();
        String number = ip.getHostAddress();
        int scope = number.indexOf('%');
        return (!four && ip instanceof Inet4Address ? "::ffff:" : "") + (scope < 0 ? number : number.substring(0, scope));
    }

    private byte[] encodeBinary() {
        ByteBuffer bytes = ByteBuffer.allocate(FIXED_BYTES + TCP6_BYTES).put(SIGNATURE);
        if (source == null || destination == null) {
            bytes.put((byte) COMMAND_LOCAL).put((byte) 0).putShort((short) 0);
        } else {
            boolean four = isIpv4(source) && isIpv4(destination);
            bytes.put((byte) COMMAND_PROXY).put((byte) (four ? TCP4 : TCP6)).putShort((short) (four ? TCP4_BYTES : TCP6_BYTES));
            putAddress(bytes, source, four);
            putAddress(bytes, destination, four);
            bytes.putShort((short) source.getPort()).putShort((short) destination.getPort());
        }
        byte[] exact = new byte[bytes.position()];
        bytes.flip().get(exact);
        return exact;
    }

    private static void putAddress(ByteBuffer bytes, InetSocketAddress address, boolean four) {
        byte[] ip = address.getAddress().getAddress();
        if (!four && ip.length == 4) {
            bytes.putLong(0).putShort((short) 0).putShort((short) 0xffff); // IPv4-mapped
        }
        bytes.put(ip);
    }

    private static boolean isIpv4(InetSocketAddress address) {
        return address.getAddress() instanceof Inet4Address;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ProxyHeader header && version == header.version && local == header.local
                && Objects.equals(source, header.source) && Objects.equals(destination, header.destination);
    }

    @Override
    public int hashCode() {
        return Objects.hash(version, local, source, destination);
    }

    /**
     * Returns the contents of the header, for logs.
     *
     * @return for instance {@code PROXY v2 from /192.0.2.1:4000 to /192.0.2.2:80}
     */
    @Override
    public String toString() {
        return "PROXY v" + version + (local ? " local" : source == null ? " unknown" : " from " + source + " to " + destination);
    }
}
