package io.trivet.server;

import io.trivet.net.Cidr;
import java.net.InetAddress;
import java.util.List;
import java.util.stream.Stream;

/**
 * The addresses that may connect. A denied address is refused, even if it is also allowed. If at least one range is allowed, all
 * addresses outside of the allowed ranges are refused. Immutable; any thread.
 *
 * {@snippet :
 * AccessList access = AccessList.all().allow(Cidr.of("10.0.0.0/8")).deny(Cidr.of("10.0.66.0/24"));
 * }
 *
 * <p>The server searches the list range by range for each accepted connection: it is meant for tens of ranges, not for thousands.
 */
public final class AccessList {
    private static final AccessList ALL = new AccessList(List.of(), List.of());

    private final List<Cidr> allowed;
    private final List<Cidr> denied;

    private AccessList(List<Cidr> allowed, List<Cidr> denied) {
        this.allowed = allowed;
        this.denied = denied;
    }

    /**
     * Returns the list that allows every address.
     *
     * @return the list
     */
    public static AccessList all() {
        return ALL;
    }

    /**
     * Returns a copy that also allows these ranges. Addresses outside of all allowed ranges are then refused.
     *
     * @param ranges the ranges; none: the copy is like this list
     * @return the copy
     */
    public AccessList allow(Cidr... ranges) {
        return new AccessList(Stream.concat(allowed.stream(), Stream.of(ranges)).toList(), denied);
    }

    /**
     * Returns a copy that also denies these ranges.
     *
     * @param ranges the ranges; none: the copy is like this list
     * @return the copy
     */
    public AccessList deny(Cidr... ranges) {
        return new AccessList(allowed, Stream.concat(denied.stream(), Stream.of(ranges)).toList());
    }

    /**
     * Returns whether an address may connect.
     *
     * @param address the address
     * @return true if no denied range contains it, and if an allowed range contains it or no range is allowed
     */
    public boolean allows(InetAddress address) {
        return !contains(denied, address) && (allowed.isEmpty() || contains(allowed, address));
    }

    /** Returns true if each address may connect. */
    boolean allowsAll() {
        return denied.isEmpty() && allowed.isEmpty();
    }

    static boolean contains(List<Cidr> ranges, InetAddress address) {
        for (Cidr range : ranges) {
            if (range.contains(address)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns the ranges.
     *
     * @return for instance {@code allow [10.0.0.0/8], deny []}
     */
    @Override
    public String toString() {
        return "allow " + allowed + ", deny " + denied;
    }
}
