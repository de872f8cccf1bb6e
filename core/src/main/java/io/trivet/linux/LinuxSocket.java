package io.trivet.linux;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Network;
import io.trivet.net.Socket;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;

/**
 * A descriptor, and its end. The number is given up exactly once, whoever closes; a call that another thread has just begun on it
 * can then fail with EBADF, which the thread contract of {@link Socket} leaves to the caller.
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
    /** -1 once closed. */
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

    /** The number, for a call. */
    final int open() throws ClosedSocketException {
        int open = fd;
        if (open < 0) {
            throw new ClosedSocketException(toString());
        }
        return open;
    }

    /** The error of a call on this socket, as an exception to throw; a socket that was closed meanwhile says that. */
    final IOException failure(String call, int errno) {
        return errno == Errno.EBADF && !isOpen() ? new ClosedSocketException(toString()) : Errno.failure(call, this, errno);
    }

    /** Checks the result of a call that gives nothing back. */
    final void check(String call, int result) throws IOException {
        if (result < 0) {
            throw failure(call, -result);
        }
    }

    /** The result of a read of {@code asked} bytes as {@link io.trivet.net.TcpStream#read} gives it. */
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

    /** The result of a write as {@link io.trivet.net.TcpStream#write(ByteBuffer)} gives it. */
    final long writeResult(String call, long result) throws IOException {
        if (result >= 0) {
            return result;
        }
        if (result == -Errno.EAGAIN || result == -Errno.EINTR) {
            return 0;
        }
        throw failure(call, (int) -result);
    }

    /** man 2 read, for what is no socket. */
    final int readFile(ByteBuffer buffer) throws IOException {
        int open = open();
        int length = Scratch.length(buffer);
        if (length == 0) {
            return 0;
        }
        Scratch scratch = Scratch.ofThread();
        return readResult("read", Libc.read(open, scratch.incomingAddress(buffer), length), buffer, scratch);
    }

    /** man 2 write, for what is no socket. */
    final int writeFile(ByteBuffer buffer) throws IOException {
        int open = open();
        int length = Scratch.length(buffer);
        if (length == 0) {
            return 0;
        }
        int written = (int) writeResult("write", Libc.write(open, Scratch.ofThread().outgoing(buffer, length, 0), length));
        buffer.position(buffer.position() + written);
        return written;
    }

    /** Binds to an address of that family; IPv6's wildcard takes IPv4 too, whatever the system's default. */
    final void bind(InetSocketAddress address, int family) throws IOException {
        if (family == Libc.AF_INET6) {
            Options.setInt(this, Options.IPPROTO_IPV6, Options.IPV6_V6ONLY, 0);
        }
        Scratch scratch = Scratch.ofThread();
        int length = SocketAddress.write(address, family, scratch.address);
        int result = Libc.bind(open(), scratch.address.address(), length);
        if (result < 0) {
            throw Errno.failure("bind", address, -result);
        }
    }

    /** Our own address (man 2 getsockname). */
    final InetSocketAddress socketName() throws IOException {
        int open = open();
        Scratch scratch = Scratch.ofThread();
        check("getsockname", Libc.getsockname(open, scratch.address.address(), scratch.addressLength()));
        return SocketAddress.read(scratch.address);
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        open(); // before the question whether it has the option: it has none any more
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
            // A pending reset is no news to somebody who closes, and after EINTR the descriptor is gone as well.
            if (result < 0 && result != -Errno.ECONNRESET && result != -Errno.EINTR) {
                throw Errno.failure("close", this, -result);
            }
        }
    }

    /** The descriptor is left open: for what is only borrowed. */
    final void detach() {
        FD.setVolatile(this, -1);
    }
}
