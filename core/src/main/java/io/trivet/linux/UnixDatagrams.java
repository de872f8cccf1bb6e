package io.trivet.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Datagrams to Unix domain sockets (man 7 unix), of which a process sends few. */
final class UnixDatagrams {
    /** struct sockaddr_un { family 0; path 2; }. */
    private static final int SUN_PATH = 2;
    private static final int PATH_BYTES = 108;

    private UnixDatagrams() {}

    /** Sends a datagram to a path, or to an abstract name after an {@code @}. */
    static void send(String address, String text) throws IOException {
        byte[] path = address.getBytes(StandardCharsets.UTF_8);
        boolean isAbstract = address.startsWith("@");
        if (path.length < (isAbstract ? 2 : 1) || path.length >= PATH_BYTES || address.indexOf(0) >= 0) {
            throw new IllegalArgumentException("the address of a Unix domain socket has 1 to " + (PATH_BYTES - 1) + " bytes, not "
                    + path.length + ": " + address);
        }
        if (isAbstract) {
            path[0] = 0; // and no terminator: the length delimits the name
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int fd = Libc.socket(Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw Errno.failure("socket", address, -fd);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = arena.allocate(SUN_PATH + PATH_BYTES, 8);
            to.set(ValueLayout.JAVA_SHORT, 0, (short) Libc.AF_UNIX);
            MemorySegment.copy(path, 0, to, ValueLayout.JAVA_BYTE, SUN_PATH, path.length);
            MemorySegment contents = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            int length = SUN_PATH + path.length + (isAbstract ? 0 : 1);
            long sent = Libc.sendto(fd, contents.address(), bytes.length, Libc.MSG_NOSIGNAL, to.address(), length);
            if (sent < 0) {
                throw Errno.failure("sendto", address, (int) -sent);
            }
        } finally {
            int _ = Libc.close(fd);
        }
    }
}
