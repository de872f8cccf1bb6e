package io.trivet.linux;

import io.trivet.net.UnixAddress;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;

/**
 * Conversion between Unix addresses and struct sockaddr_un (man 7 unix).
 *
 * <pre>
 * struct sockaddr_un {
 *   sa_family_t sun_family;     0
 *   char        sun_path[108];  2
 * };                          110
 * </pre>
 */
final class UnixSocketAddress {
    static final int SUN_SIZE = 110;
    static final int SUN_PATH = 2;

    /** Most clients have no address. */
    private static final InetSocketAddress UNNAMED = UnixAddress.unnamed().asInetSocketAddress();

    private UnixSocketAddress() {}

    /** Writes the structure, and returns its length. */
    static int write(UnixAddress address, MemorySegment to) {
        if (address.isUnnamed()) {
            throw new IllegalArgumentException("the address of a Unix domain socket must not be empty");
        }
        byte[] bytes = address.bytes();
        if (address.isAbstract()) {
            bytes[0] = 0; // and no terminator: the length delimits the name
        }
        to.set(ValueLayout.JAVA_SHORT, 0, (short) Libc.AF_UNIX);
        MemorySegment.copy(bytes, 0, to, ValueLayout.JAVA_BYTE, SUN_PATH, bytes.length);
        to.set(ValueLayout.JAVA_BYTE, SUN_PATH + bytes.length, (byte) 0);
        return SUN_PATH + bytes.length + (address.isAbstract() ? 0 : 1);
    }

    static boolean isUnix(MemorySegment from) {
        return from.get(ValueLayout.JAVA_SHORT, 0) == Libc.AF_UNIX;
    }

    /** Reads the structure, of which the kernel has written {@code length} bytes, as the address that stands for it. */
    static InetSocketAddress read(MemorySegment from, int length) {
        int count = Math.min(length, SUN_SIZE) - SUN_PATH;
        if (count <= 0) {
            return UNNAMED;
        }
        byte[] bytes = from.asSlice(SUN_PATH, count).toArray(ValueLayout.JAVA_BYTE);
        if (bytes[0] == 0) {
            bytes[0] = '@';
        } else {
            int end = 0;
            while (end < count && bytes[end] != 0) {
                end++;
            }
            count = end;
        }
        return UnixAddress.ofBytes(bytes, count).asInetSocketAddress();
    }
}
