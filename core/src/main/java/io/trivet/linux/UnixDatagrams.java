package io.trivet.linux;

import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Datagrams to Unix domain sockets (man 7 unix), of which a process sends few. */
final class UnixDatagrams {
    private UnixDatagrams() {}

    /** Sends a datagram to a path, or to an abstract name after an {@code @}. */
    static void send(String address, String text) throws IOException {
        UnixAddress unix = address.startsWith("@") ? UnixAddress.ofAbstract(address.substring(1)) : UnixAddress.ofPath(address);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int fd = Libc.socket(Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw Errno.failure("socket", address, -fd);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = arena.allocate(UnixSocketAddress.SUN_SIZE, 8);
            int length = UnixSocketAddress.write(unix, to);
            MemorySegment contents = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            long sent = Libc.sendto(fd, contents.address(), bytes.length, Libc.MSG_NOSIGNAL, to.address(), length);
            if (sent < 0) {
                throw Errno.failure("sendto", address, (int) -sent);
            }
        } finally {
            int _ = Libc.close(fd);
        }
    }
}
