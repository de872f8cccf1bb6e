package io.trivet.linux;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;

/**
 * Conversion between socket addresses and struct sockaddr_in and sockaddr_in6 (man 7 ip, man 7 ipv6).
 *
 * <pre>
 * struct sockaddr_in {              struct sockaddr_in6 {
 *   sa_family_t    sin_family;   0    sa_family_t     sin6_family;    0
 *   in_port_t      sin_port;     2    in_port_t       sin6_port;      2
 *   struct in_addr sin_addr;     4    uint32_t        sin6_flowinfo;  4
 *   unsigned char  sin_zero[8];  8    struct in6_addr sin6_addr;      8
 * };                            16    uint32_t        sin6_scope_id; 24
 *                                   };                               28
 * </pre>
 */
final class SocketAddress {
    static final int SIZE_4 = 16;
    static final int SIZE_6 = 28;
    /** Also of a struct sockaddr_un, see {@link UnixSocketAddress}. */
    static final int SIZE_MAX = 112;
    static final int SIN_PORT = 2;
    static final int SIN_ADDR = 4;
    static final int SIN6_ADDR = 8;
    static final int SIN6_SCOPE_ID = 24;

    private static final ValueLayout.OfInt ADDRESS = ValueLayout.JAVA_INT.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfShort PORT = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN);

    private SocketAddress() {}

    /** Returns AF_INET or AF_INET6, whichever the address needs. */
    static int family(InetSocketAddress address) throws UnknownHostException {
        return resolved(address) instanceof Inet6Address ? Libc.AF_INET6 : Libc.AF_INET;
    }

    /**
     * Writes the structure for a socket of a family, and returns its length. For AF_INET6 an IPv4 address is written in its
     * IPv4-mapped form.
     */
    static int write(InetSocketAddress address, int family, MemorySegment to) throws UnknownHostException {
        InetAddress ip = resolved(address);
        byte[] bytes = ip.getAddress();
        to.fill((byte) 0);
        to.set(ValueLayout.JAVA_SHORT, 0, (short) family);
        to.set(PORT, SIN_PORT, (short) address.getPort());
        if (family == Libc.AF_INET) {
            if (ip instanceof Inet6Address) {
                throw new IllegalArgumentException("an IPv4 socket cannot reach " + address);
            }
            MemorySegment.copy(bytes, 0, to, ValueLayout.JAVA_BYTE, SIN_ADDR, 4);
            return SIZE_4;
        }
        if (bytes.length == 4) { // ::ffff:a.b.c.d
            to.set(ValueLayout.JAVA_SHORT, SIN6_ADDR + 10, (short) 0xffff);
            MemorySegment.copy(bytes, 0, to, ValueLayout.JAVA_BYTE, SIN6_ADDR + 12, 4);
        } else {
            MemorySegment.copy(bytes, 0, to, ValueLayout.JAVA_BYTE, SIN6_ADDR, 16);
            to.set(ValueLayout.JAVA_INT, SIN6_SCOPE_ID, ((Inet6Address) ip).getScopeId());
        }
        return SIZE_6;
    }

    /** Returns whether it is an IPv4 address, also in its IPv4-mapped form. */
    static boolean isIpv4(MemorySegment from) {
        return from.get(ValueLayout.JAVA_SHORT, 0) == Libc.AF_INET
                || (from.get(ValueLayout.JAVA_LONG, SIN6_ADDR) == 0
                        && from.get(ADDRESS, SIN6_ADDR + 8) == 0xffff);
    }

    /** Returns the four bytes of an IPv4 address, in network byte order from the highest. */
    static int ipv4(MemorySegment from) {
        return from.get(ADDRESS, from.get(ValueLayout.JAVA_SHORT, 0) == Libc.AF_INET ? SIN_ADDR : SIN6_ADDR + 12);
    }

    static int port(MemorySegment from) {
        return from.get(PORT, SIN_PORT) & 0xffff;
    }

    /** Returns an IPv4 address and port as an object. */
    static InetSocketAddress of(int ipv4, int port) {
        byte[] bytes = {(byte) (ipv4 >>> 24), (byte) (ipv4 >>> 16), (byte) (ipv4 >>> 8), (byte) ipv4};
        return new InetSocketAddress(address(bytes), port);
    }

    /** Reads the structure that a call has written to the scratch memory, also that of a Unix address. */
    static InetSocketAddress read(Scratch scratch) {
        MemorySegment from = scratch.address;
        return UnixSocketAddress.isUnix(from) ? UnixSocketAddress.read(from, scratch.number.get(ValueLayout.JAVA_INT, 0))
                : read(from);
    }

    /** Reads the structure. An IPv4-mapped address becomes IPv4. */
    static InetSocketAddress read(MemorySegment from) {
        if (isIpv4(from)) {
            return of(ipv4(from), port(from));
        }
        byte[] bytes = from.asSlice(SIN6_ADDR, 16).toArray(ValueLayout.JAVA_BYTE);
        int scope = from.get(ValueLayout.JAVA_INT, SIN6_SCOPE_ID);
        try {
            InetAddress ip = scope == 0 ? address(bytes) : Inet6Address.getByAddress(null, bytes, scope);
            return new InetSocketAddress(ip, port(from));
        } catch (UnknownHostException e) {
            throw new AssertionError("16 bytes are the length of an address", e);
        }
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 and 16 bytes are the lengths of addresses", e);
        }
    }

    private static InetAddress resolved(InetSocketAddress address) throws UnknownHostException {
        InetAddress ip = address.getAddress();
        if (ip == null) {
            throw new UnknownHostException("unknown host " + address.getHostString()
                    + ": the address is not resolved. new InetSocketAddress(name, port) looks a name up");
        }
        return ip;
    }
}
