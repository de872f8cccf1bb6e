package io.trivet.linux;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** A listening TCP socket, or a {@link LinuxUnixListener}. */
sealed class LinuxTcpListener extends LinuxSocket implements TcpListener permits LinuxUnixListener {
    /** The requested address; once listening, the actual one. */
    private InetSocketAddress address;
    /** Another process may listen with a copy of the descriptor. */
    private volatile boolean shared;

    LinuxTcpListener(LinuxNetwork network, int fd, InetSocketAddress address) {
        super(network, fd);
        this.address = address;
    }

    /** Creates a listener of a descriptor that was opened elsewhere, which must listen for TCP or Unix domain streams. */
    static LinuxTcpListener of(LinuxDescriptor passed) throws IOException {
        requireListening(passed);
        int fd = passed.open();
        passed.check("fcntl", Libc.fcntl(fd, Libc.F_SETFD, Libc.FD_CLOEXEC));
        int flags = Libc.fcntl(fd, Libc.F_GETFL, 0);
        passed.check("fcntl", flags);
        passed.check("fcntl", Libc.fcntl(fd, Libc.F_SETFL, flags | Libc.O_NONBLOCK));
        InetSocketAddress address = passed.socketName();
        UnixAddress unix = UnixAddress.of(address);
        LinuxTcpListener listener = unix != null ? new LinuxUnixListener(passed.linux(), fd, unix)
                : new LinuxTcpListener(passed.linux(), fd, address);
        listener.share();
        return listener;
    }

    private static void requireListening(LinuxDescriptor passed) throws IOException {
        int domain = Options.getInt(passed, Options.SOL_SOCKET, Options.SO_DOMAIN, Integer.BYTES);
        int type = Options.getInt(passed, Options.SOL_SOCKET, Options.SO_TYPE, Integer.BYTES);
        int protocol = Options.getInt(passed, Options.SOL_SOCKET, Options.SO_PROTOCOL, Integer.BYTES);
        boolean isUnix = domain == Libc.AF_UNIX;
        if (!isUnix && domain != Libc.AF_INET && domain != Libc.AF_INET6) {
            throw unusable(passed, "a socket of the family " + domain);
        }
        if (isUnix && type != Libc.SOCK_STREAM) {
            throw unusable(passed, type == Libc.SOCK_DGRAM ? "a Unix datagram socket" : "a Unix socket of the type " + type);
        }
        if (!isUnix && (type != Libc.SOCK_STREAM || protocol != Options.IPPROTO_TCP)) {
            throw unusable(passed, type == Libc.SOCK_DGRAM ? "a UDP socket" : "a socket of the protocol " + protocol);
        }
        if (Options.getInt(passed, Options.SOL_SOCKET, Options.SO_ACCEPTCONN, Integer.BYTES) == 0) {
            throw unusable(passed, "a " + (isUnix ? "Unix" : "TCP") + " socket that does not listen, such as a connection");
        }
    }

    private static NetworkException unusable(LinuxDescriptor passed, String what) {
        return new NetworkException("listen", passed, ErrorCode.EINVAL,
                "EINVAL, a listening socket for TCP or Unix domain streams is needed, and this is " + what);
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
    public boolean share() {
        shared = true;
        return false;
    }

    final boolean isShared() {
        return shared;
    }

    @Override
    public @Nullable TcpStream accept() throws IOException {
        int open = open();
        Scratch scratch = Scratch.ofThread();
        while (true) {
            int flags = Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;
            int fd = Libc.accept4(open, scratch.address.address(), scratch.addressLength(), flags);
            if (fd >= 0) {
                return LinuxTcpStream.accepted(linux(), fd, scratch);
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
