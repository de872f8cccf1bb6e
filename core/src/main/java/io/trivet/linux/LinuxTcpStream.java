package io.trivet.linux;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection, or a {@link LinuxUnixStream}. A server has very many, so the object is small. It stores the peer's address as numbers, since the kernel
 * forgets the address when the peer resets the connection, and converts it on demand.
 */
sealed class LinuxTcpStream extends LinuxSocket implements TcpStream permits LinuxUnixStream {
    private static final int PORT_MASK = 0xffff;
    private static final int CONNECTED = 1 << 16;
    private static final int ERRNO_SHIFT = 17;

    private final int ipv4;
    /**
     * The peer's port; whether the stream is connected; and the errno of a failed connect, which the kernel reports only once.
     */
    private int portAndState;
    /** The peer's address, null if it is IPv4. */
    private final @Nullable InetSocketAddress other;

    LinuxTcpStream(LinuxNetwork network, int fd, int ipv4, int port, @Nullable InetSocketAddress other) {
        super(network, fd);
        this.ipv4 = ipv4;
        this.other = other;
        portAndState = port;
    }

    private static LinuxTcpStream of(LinuxNetwork network, int fd, MemorySegment remote) {
        return SocketAddress.isIpv4(remote)
                ? new LinuxTcpStream(network, fd, SocketAddress.ipv4(remote), SocketAddress.port(remote), null)
                : new LinuxTcpStream(network, fd, 0, 0, SocketAddress.read(remote));
    }

    /** Creates a stream for an accepted connection, with the address that accept4 has written. */
    static LinuxTcpStream accepted(LinuxNetwork network, int fd, Scratch remote) {
        if (UnixSocketAddress.isUnix(remote.address)) {
            return LinuxUnixStream.accepted(network, fd, SocketAddress.read(remote));
        }
        LinuxTcpStream stream = of(network, fd, remote.address);
        stream.portAndState |= CONNECTED;
        return stream;
    }

    /** Starts to connect. An error that the peer or the network reports at once is stored for {@link #finishConnect}. */
    static LinuxTcpStream connecting(LinuxNetwork network, int fd, InetSocketAddress remote, @Nullable InetSocketAddress local)
            throws IOException {
        if (local != null) {
            bind(fd, local);
        }
        Scratch scratch = Scratch.ofThread();
        int length = SocketAddress.write(remote, SocketAddress.family(remote), scratch.address);
        LinuxTcpStream stream = of(network, fd, scratch.address);
        int errno = -Libc.connect(fd, scratch.address.address(), length);
        if (isPeerError(errno)) {
            stream.portAndState |= errno << ERRNO_SHIFT;
        } else if (errno != 0 && errno != Errno.EINPROGRESS && errno != Errno.EINTR) { // EINTR: the connect goes on
            if (local != null && local.getPort() != 0 && errno == Errno.EADDRNOTAVAIL) {
                throw new NetworkException("connect", remote, ErrorCode.EADDRINUSE, "EADDRINUSE, a connection from "
                        + Addresses.toString(local) + " to this address exists, or has ended less than a minute ago");
            }
            throw Errno.failure("connect", remote, errno, fd);
        }
        return stream; // finishConnect also checks a connection that was established at once
    }

    /**
     * Binds before a connect. If the port is 0, the connect chooses it, and it need not be free for other peers. A fixed port may be in
     * TIME_WAIT, or in use for another peer.
     */
    private static void bind(int fd, InetSocketAddress local) throws IOException {
        Scratch scratch = Scratch.ofThread();
        boolean isFixed = local.getPort() != 0;
        scratch.number.set(ValueLayout.JAVA_INT, 0, 1);
        // The result does not matter: without the option, fewer ports are free.
        int _ = Libc.setsockopt(fd, isFixed ? Options.SOL_SOCKET : Options.IPPROTO_IP,
                isFixed ? Options.SO_REUSEADDR : Options.IP_BIND_ADDRESS_NO_PORT, scratch.number.address(), Integer.BYTES);
        int length = SocketAddress.write(local, SocketAddress.family(local), scratch.address);
        int result = Libc.bind(fd, scratch.address.address(), length);
        if (result < 0) {
            throw Errno.failure("bind", local, -result, fd);
        }
    }

    /** Returns whether an error was reported by the peer or the network, as opposed to a local failure. */
    private static boolean isPeerError(int errno) {
        return switch (errno) {
            case Errno.ECONNREFUSED, Errno.ECONNRESET, Errno.ETIMEDOUT, Errno.EHOSTUNREACH, Errno.ENETUNREACH -> true;
            default -> false;
        };
    }

    @Override
    public boolean finishConnect() throws IOException {
        open();
        if ((portAndState & CONNECTED) != 0) {
            return true;
        }
        if (portAndState >>> ERRNO_SHIFT == 0) {
            portAndState |= Options.getInt(this, Options.SOL_SOCKET, Options.SO_ERROR, 4) << ERRNO_SHIFT;
        }
        if (portAndState >>> ERRNO_SHIFT != 0) {
            throw Errno.failure("connect", remoteAddress(), portAndState >>> ERRNO_SHIFT, fd());
        }
        // No error is pending: the stream is connected, or still connecting.
        Scratch scratch = Scratch.ofThread();
        int result = Libc.getpeername(open(), scratch.address.address(), scratch.addressLength());
        if (result == -Errno.ENOTCONN) {
            return false;
        }
        check("getpeername", result);
        if (SocketAddress.read(scratch.address).equals(socketName())) {
            disconnect();
            portAndState |= Errno.ECONNREFUSED << ERRNO_SHIFT;
            throw Errno.failure("connect", remoteAddress(), Errno.ECONNREFUSED, fd());
        }
        portAndState |= CONNECTED;
        return true;
    }

    /**
     * Ends a connection of the socket to itself, as if it had been refused. TCP connects a socket to itself if nothing listens at
     * a local port, and the kernel chooses that port as the socket's own (RFC 9293, 3.5: simultaneous open). A connect with the
     * address family AF_UNSPEC ends a connection with a reset (man 2 connect). A reset leaves no TIME_WAIT, so a server can
     * listen at the port at once.
     */
    private void disconnect() throws IOException {
        int open = open();
        MemorySegment unspecified = Scratch.ofThread().address.fill((byte) 0);
        check("connect", Libc.connect(open, unspecified.address(), SocketAddress.SIZE_4));
        int _ = Options.getInt(this, Options.SOL_SOCKET, Options.SO_ERROR, 4); // clears ECONNRESET of newer kernels
        Libc.shutdown(open, Libc.SHUT_RDWR); // ENOTCONN; yet reads and writes now end as after a refusal
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        int open = open();
        if (!buffer.hasRemaining()) {
            return 0;
        }
        Scratch scratch = Scratch.ofThread();
        long address = scratch.incomingAddress(buffer);
        try {
            long result = address == DirectAddresses.NONE ? HeldLibc.recv(open, scratch.held(buffer), scratch.length(), 0)
                    : Libc.recv(open, address, scratch.length(), 0);
            return readResult("recv", result, buffer, scratch);
        } finally {
            Reference.reachabilityFence(buffer); // the kernel knows its memory only by address
        }
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        int open = open();
        if (!buffer.hasRemaining()) {
            return 0;
        }
        Scratch scratch = Scratch.ofThread();
        long address = scratch.outgoing(buffer, 0);
        try {
            int written = (int) writeResult("send", Libc.send(open, address, scratch.length(), Libc.MSG_NOSIGNAL));
            scratch.advance(buffer, written);
            return written;
        } finally {
            Reference.reachabilityFence(buffer);
        }
    }

    @Override
    public long write(ByteBuffer[] buffers, int from, int count) throws IOException {
        Objects.checkFromIndexSize(from, count, buffers.length);
        long written = writeResult("sendmsg", gather(open(), buffers, from, count));
        advance(buffers, from, written);
        return written;
    }

    /**
     * Makes one gathering call (man 2 sendmsg). Returns the number of bytes written, or the negative error number. The positions
     * do not change.
     */
    static long gather(int fd, ByteBuffer[] buffers, int from, int count) {
        Scratch scratch = Scratch.ofThread();
        int parts = Math.min(count, Scratch.PARTS_MAX);
        int copied = 0; // bytes that the kernel cannot access in place, which share one bounded area
        int filled = 0;
        boolean cut = false; // the parts after a cut one must not overtake its rest
        for (; filled < parts && !cut; filled++) {
            long address = scratch.outgoing(buffers[from + filled], copied);
            long part = (long) Scratch.IOVEC_SIZE * filled;
            scratch.parts.set(ValueLayout.JAVA_LONG, part, scratch.length() == 0 ? 0 : address);
            scratch.parts.set(ValueLayout.JAVA_LONG, part + Scratch.IOV_LEN, scratch.length());
            copied += scratch.copied();
            cut = scratch.isCut();
        }
        scratch.message.set(ValueLayout.JAVA_LONG, Scratch.MSG_IOVLEN, filled);
        try {
            return Libc.sendmsg(fd, scratch.message.address(), Libc.MSG_NOSIGNAL);
        } finally {
            Reference.reachabilityFence(buffers); // the kernel knows their memory only by address
        }
    }

    /** Advances the positions over the bytes that were written. */
    static void advance(ByteBuffer[] buffers, int from, long bytes) {
        long left = bytes;
        for (int i = from; left > 0; i++) {
            int advanced = (int) Math.min(left, buffers[i].remaining());
            buffers[i].position(buffers[i].position() + advanced);
            left -= advanced;
        }
    }

    @Override
    public long sendFile(SendableFile file, long position, long count) throws IOException {
        int open = open();
        if (!(file instanceof LinuxFile linux)) {
            return SendableFile.UNSUPPORTED;
        }
        long result = linux.sendTo(open, position, count);
        return LinuxFile.isUnsupported(result) ? SendableFile.UNSUPPORTED
                : result == 0 ? SendableFile.ENDED : writeResult("sendfile", result);
    }

    @Override
    public boolean sendUrgent(byte b) throws IOException {
        int open = open();
        MemorySegment memory = Scratch.ofThread().number;
        memory.set(ValueLayout.JAVA_BYTE, 0, b);
        return writeResult("send", Libc.send(open, memory.address(), 1, Libc.MSG_OOB | Libc.MSG_NOSIGNAL)) == 1;
    }

    @Override
    public int receiveUrgent() throws IOException {
        int open = open();
        MemorySegment memory = Scratch.ofThread().number;
        long result = Libc.recv(open, memory.address(), 1, Libc.MSG_OOB);
        if (result == 1) {
            return memory.get(ValueLayout.JAVA_BYTE, 0) & 0xff;
        }
        // EINVAL: no urgent byte, or it was already received; EAGAIN: it was announced, but has not arrived; 0: end of input
        if (result == 0 || result == -Errno.EINVAL || result == -Errno.EAGAIN || result == -Errno.EINTR) {
            return -1;
        }
        throw failure("recv", (int) -result);
    }

    @Override
    public boolean atMark() throws IOException {
        int result = Libc.sockatmark(open());
        check("sockatmark", result);
        return result == 1;
    }

    @Override
    public void shutdownInput() throws IOException {
        check("shutdown", Libc.shutdown(open(), Libc.SHUT_RD));
    }

    @Override
    public void shutdownOutput() throws IOException {
        check("shutdown", Libc.shutdown(open(), Libc.SHUT_WR));
    }

    @Override
    public InetSocketAddress localAddress() throws IOException {
        return socketName();
    }

    @Override
    public InetSocketAddress remoteAddress() throws IOException {
        open();
        return remote();
    }

    /** Returns the peer's IPv4 address; valid if {@link #remoteOther} is null. */
    final int remoteIpv4() {
        return ipv4;
    }

    final int remotePort() {
        return portAndState & PORT_MASK;
    }

    final @Nullable InetSocketAddress remoteOther() {
        return other;
    }

    private InetSocketAddress remote() {
        return other == null ? SocketAddress.of(ipv4, portAndState & PORT_MASK) : other;
    }

    @Override
    public String toString() {
        return "stream " + Addresses.toString(remote());
    }
}
