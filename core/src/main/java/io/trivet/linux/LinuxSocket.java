package io.trivet.linux;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Socket;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;

/**
 * The common part of the sockets: a descriptor and its close. The descriptor is closed exactly once, whichever thread closes it.
 * A call that another thread has just started on it can then fail with EBADF; the thread contract of {@link Socket} leaves that
 * to the caller.
 */
abstract sealed class LinuxSocket implements Socket
        permits LinuxTcpListener, LinuxTcpStream, LinuxUdpSocket, LinuxPipe.End, LinuxDescriptor {
    private static final VarHandle FD;

    static {
        try {
            FD = MethodHandles.lookup().findVarHandle(LinuxSocket.class, "fd", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LinuxNetwork network;
    /** The descriptor; -1 once closed. */
    private volatile int fd;

    LinuxSocket(LinuxNetwork network, int fd) {
        this.network = network;
        this.fd = fd;
    }

    @Override
    public final Network network() {
        return network;
    }

    final LinuxNetwork linux() {
        return network;
    }

    @Override
    public final int fd() {
        return fd;
    }

    @Override
    public final boolean isOpen() {
        return fd >= 0;
    }

    /** Returns the descriptor for a call, or throws if it is closed. */
    final int open() throws ClosedSocketException {
        int open = fd;
        if (open < 0) {
            throw new ClosedSocketException(toString());
        }
        return open;
    }

    /** Returns an exception for a failed call on this socket. If the socket was closed meanwhile, the exception says so. */
    final IOException failure(String call, int errno) {
        if (errno == Errno.EBADF) {
            int number = fd;
            if (number < 0) {
                return new ClosedSocketException(toString());
            }
            if (isPathOnly(number)) {
                return new NetworkException(call, this, ErrorCode.EBADF,
                        "EBADF, the descriptor was opened with O_PATH: it cannot be read, written or watched");
            }
        }
        return Errno.failure(call, this, errno);
    }

    /** Returns whether a descriptor is open, but refers only to a path (man 2 open, O_PATH): the kernel then reports EBADF, too. */
    static boolean isPathOnly(int fd) {
        int flags = Libc.fcntl(fd, Libc.F_GETFL, 0);
        return flags >= 0 && (flags & Libc.O_PATH) != 0;
    }

    /** Checks the result of a call that returns only success or failure. */
    final void check(String call, int result) throws IOException {
        if (result < 0) {
            throw failure(call, -result);
        }
    }

    /** Converts the result of a read to that of {@link io.trivet.net.TcpStream#read}. */
    final int readResult(String call, long result, ByteBuffer buffer, Scratch scratch) throws IOException {
        if (result > 0) {
            scratch.incoming(buffer, (int) result);
            return (int) result;
        }
        if (result == 0) {
            return -1;
        }
        if (result == -Errno.EAGAIN || result == -Errno.EINTR) {
            return 0;
        }
        throw failure(call, (int) -result);
    }

    /** Converts the result of a write to that of {@link io.trivet.net.TcpStream#write(ByteBuffer)}. */
    final long writeResult(String call, long result) throws IOException {
        if (result >= 0) {
            return result;
        }
        if (result == -Errno.EAGAIN || result == -Errno.EINTR) {
            return 0;
        }
        throw failure(call, (int) -result);
    }

    /** man 2 read, for descriptors that are not sockets. */
    final int readFile(ByteBuffer buffer) throws IOException {
        int open = open();
        if (!buffer.hasRemaining()) {
            return 0;
        }
        Scratch scratch = Scratch.ofThread();
        long address = scratch.incomingAddress(buffer);
        try {
            long result = address == DirectAddresses.NONE ? HeldLibc.read(open, scratch.held(buffer), scratch.length())
                    : Libc.read(open, address, scratch.length());
            return readResult("read", result, buffer, scratch);
        } finally {
            Reference.reachabilityFence(buffer); // the kernel knows its memory only by address
        }
    }

    /** man 2 write, for descriptors that are not sockets. */
    final int writeFile(ByteBuffer buffer) throws IOException {
        int open = open();
        if (!buffer.hasRemaining()) {
            return 0;
        }
        Scratch scratch = Scratch.ofThread();
        long address = scratch.outgoing(buffer, 0);
        try {
            int written = (int) writeResult("write", Libc.write(open, address, scratch.length()));
            scratch.advance(buffer, written);
            return written;
        } finally {
            Reference.reachabilityFence(buffer);
        }
    }

    /** Binds to an address of a family. The IPv6 wildcard accepts IPv4 too, or not, whatever the system's default. */
    final void bind(InetSocketAddress address, int family, boolean ipv6Only) throws IOException {
        if (family == Libc.AF_INET6) {
            Options.setInt(this, Options.IPPROTO_IPV6, Options.IPV6_V6ONLY, ipv6Only ? 1 : 0);
        }
        Scratch scratch = Scratch.ofThread();
        int length = SocketAddress.write(address, family, scratch.address);
        int result = Libc.bind(open(), scratch.address.address(), length);
        if (result < 0) {
            throw Errno.failure("bind", address, -result, fd);
        }
    }

    /** Returns the local address (man 2 getsockname). */
    final InetSocketAddress socketName() throws IOException {
        int open = open();
        Scratch scratch = Scratch.ofThread();
        check("getsockname", Libc.getsockname(open, scratch.address.address(), scratch.addressLength()));
        return SocketAddress.read(scratch);
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        open(); // first, since a closed socket has no options at all
        Options.set(this, option, value);
    }

    @Override
    public <T> T getOption(SocketOption<T> option) throws IOException {
        open();
        return Options.get(this, option);
    }

    @Override
    public void close() throws IOException {
        int last = (int) FD.getAndSet(this, -1);
        if (last >= 0) {
            int result = Libc.close(last);
            // A pending reset does not matter to a caller that closes, and after EINTR the descriptor is closed as well.
            if (result < 0 && result != -Errno.ECONNRESET && result != -Errno.EINTR) {
                throw Errno.failure("close", this, -result, last);
            }
        }
    }

    /** Marks this object as closed but leaves the descriptor open, for borrowed descriptors and for a change of ownership. */
    final void detach() {
        FD.setVolatile(this, -1);
    }
}
