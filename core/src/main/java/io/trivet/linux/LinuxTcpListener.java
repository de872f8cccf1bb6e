package io.trivet.linux;

import io.trivet.net.Addresses;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A listening TCP socket. */
final class LinuxTcpListener extends LinuxSocket implements TcpListener {
    /** The requested address; once listening, the actual one. */
    private InetSocketAddress address;

    LinuxTcpListener(LinuxNetwork network, int fd, InetSocketAddress address) {
        super(network, fd);
        this.address = address;
    }

    void listen(int family, int backlog, boolean ipv6Only) throws IOException {
        Options.setInt(this, Options.SOL_SOCKET, Options.SO_REUSEADDR, 1);
        bind(address, family, ipv6Only);
        int result = Libc.listen(open(), backlog);
        if (result < 0) {
            throw Errno.failure("listen", address, -result, fd());
        }
        address = socketName();
    }

    @Override
    public @Nullable TcpStream accept() throws IOException {
        int open = open();
        Scratch scratch = Scratch.ofThread();
        while (true) {
            int flags = Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;
            int fd = Libc.accept4(open, scratch.address.address(), scratch.addressLength(), flags);
            if (fd >= 0) {
                return LinuxTcpStream.accepted(linux(), fd, scratch.address);
            }
            switch (-fd) {
                case Errno.EAGAIN -> {
                    return null;
                }
                // That connection was aborted. The next one may be waiting behind it (man 2 accept, "Error handling").
                case Errno.EINTR, Errno.ECONNABORTED -> {
                }
                default -> throw failure("accept", -fd);
            }
        }
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        open();
        return address;
    }

    @Override
    public String toString() {
        return "listener " + Addresses.toString(address);
    }
}
