package io.trivet.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * A range of IP addresses in CIDR notation (RFC 4632, RFC 4291): {@code 10.0.0.0/8}, {@code 2001:db8::/32}. An IPv4-mapped IPv6
 * address ({@code ::ffff:10.0.0.1}) counts as the IPv4 address that it contains. So {@code ::/0} contains no IPv4 address. Scopes
 * of IPv6 addresses are ignored. Immutable; any thread.
 */
public final class Cidr {
    /** The upper 32 bits of the lower half of an IPv4-mapped address. */
    private static final long MAPPED = 0xffffL;
    /** Number of bits before the IPv4 address in an IPv4-mapped address. */
    private static final int MAPPED_BITS = 96;

    /** The first address as IPv6, in two halves. An IPv4 address is mapped. */
    private final long high;

    private final long low;
    /** Length of the prefix in bits of the IPv6 form, 0 to 128. */
    private final int prefixBits;
    private final boolean ipv4;

    private Cidr(long high, long low, int prefixBits, boolean ipv4) {
        this.high = high;
        this.low = low;
        this.prefixBits = prefixBits;
        this.ipv4 = ipv4;
    }

    /**
     * Parses a range.
     *
     * @param text an address as a number and the length of the prefix, {@code 10.0.0.0/8}; or a single address, {@code ::1}
     * @return the range
     * @throws IllegalArgumentException the text is not a range; the message starts with the text and states what is wrong: not an
     *     address (a host name is none), a prefix longer than the address, or an address with bits beyond the prefix
     */
    public static Cidr of(String text) {
        int slash = text.indexOf('/');
        String number = slash < 0 ? text : text.substring(0, slash);
        InetAddress address = address(text, number);
        int bits = address instanceof Inet4Address ? 32 : 128;
        boolean mapped = bits == 32 && number.indexOf(':') >= 0; // then the prefix is that of the IPv6 form
        int prefix = slash < 0 ? bits : prefix(text, text.substring(slash + 1), mapped ? 128 : bits);
        if (slash >= 0 && mapped) {
            if (prefix < MAPPED_BITS) {
                throw new IllegalArgumentException(text + ": the prefix of an IPv4-mapped address has 96 to 128 bits");
            }
            prefix -= MAPPED_BITS;
        }
        Cidr range = of(address, prefix);
        if (!range.firstAddressIs(address)) {
            throw new IllegalArgumentException(text + ": the address has bits beyond the prefix; write " + range);
        }
        return range;
    }

    private static InetAddress address(String text, String number) {
        boolean six = number.indexOf(':') >= 0;
        if ((six || number.chars().filter(c -> c == '.').count() == 3) && number.indexOf('%') < 0 && number.indexOf('[') < 0) {
            try {
                return InetAddress.ofLiteral(number);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(text + ": not an IP address: write 10.0.0.0/8 or 2001:db8::/32", e);
            }
        }
        throw new IllegalArgumentException(text + ": not an IP address: write 10.0.0.0/8 or 2001:db8::/32");
    }

    private static int prefix(String text, String digits, int bits) {
        if (!digits.matches("[0-9]{1,3}") || Integer.parseInt(digits) > bits) {
            throw new IllegalArgumentException(text + ": the prefix has 0 to " + bits + " bits");
        }
        return Integer.parseInt(digits);
    }

    /**
     * Returns the range of an address and all others with the same prefix.
     *
     * @param address any address of the range
     * @param prefixLength the number of leading bits that all addresses of the range share: 0 to 32 for IPv4, 0 to 128 for IPv6
     * @return the range
     * @throws IllegalArgumentException the length is out of that range
     */
    public static Cidr of(InetAddress address, int prefixLength) {
        byte[] bytes = address.getAddress();
        long high = high(bytes);
        long low = low(bytes);
        boolean ipv4 = isIpv4(high, low);
        int bits = ipv4 ? 32 : 128;
        if (prefixLength < 0 || prefixLength > bits) {
            throw new IllegalArgumentException("the prefix has 0 to " + bits + " bits, not " + prefixLength);
        }
        int prefixBits = ipv4 ? MAPPED_BITS + prefixLength : prefixLength;
        return new Cidr(high & mask(prefixBits), low & mask(prefixBits - 64), prefixBits, ipv4);
    }

    /**
     * Returns whether an address is in this range. Allocates only the copy that {@link InetAddress#getAddress} makes.
     *
     * @param address the address
     * @return true if it is
     */
    public boolean contains(InetAddress address) {
        byte[] bytes = address.getAddress();
        long itsHigh = high(bytes);
        long itsLow = low(bytes);
        return isIpv4(itsHigh, itsLow) == ipv4 && (itsHigh & mask(prefixBits)) == high
                && (itsLow & mask(prefixBits - 64)) == low;
    }

    private boolean firstAddressIs(InetAddress address) {
        byte[] bytes = address.getAddress();
        return high(bytes) == high && low(bytes) == low;
    }

    private static long high(byte[] address) {
        return address.length == 4 ? 0 : number(address, 0, 8);
    }

    private static long low(byte[] address) {
        return address.length == 4 ? MAPPED << 32 | number(address, 0, 4) : number(address, 8, 8);
    }

    private static long number(byte[] bytes, int from, int count) {
        long number = 0;
        for (int i = from; i < from + count; i++) {
            number = number << 8 | (bytes[i] & 0xff);
        }
        return number;
    }

    private static boolean isIpv4(long high, long low) {
        return high == 0 && low >>> 32 == MAPPED;
    }

    /** Returns a mask of the leading bits; none if the number is at most 0, all if it is at least 64. */
    private static long mask(int bits) {
        return bits <= 0 ? 0 : bits >= 64 ? -1 : -1L << (64 - bits);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Cidr range && high == range.high && low == range.low && prefixBits == range.prefixBits
                && ipv4 == range.ipv4;
    }

    @Override
    public int hashCode() {
        return 31 * (31 * Long.hashCode(high) + Long.hashCode(low)) + prefixBits;
    }

    /**
     * Returns the range in CIDR notation.
     *
     * @return for instance {@code 10.0.0.0/8}
     */
    @Override
    public String toString() {
        byte[] bytes = new byte[ipv4 ? 4 : 16];
        for (int i = 1; i <= bytes.length; i++) {
            bytes[bytes.length - i] = (byte) (i <= 8 ? low >>> (8 * (i - 1)) : high >>> (8 * (i - 9)));
        }
        try {
            return Addresses.toString(InetAddress.getByAddress(bytes)) + "/" + (ipv4 ? prefixBits - MAPPED_BITS : prefixBits);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // only for another number of bytes
        }
    }
}
