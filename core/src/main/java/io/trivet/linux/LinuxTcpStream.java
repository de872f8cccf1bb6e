package io.trivet.linux;

import io.trivet.net.Addresses;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A descriptor of a TCP connection. */
final class LinuxTcpStream extends LinuxSocket implements TcpStream {
    private final InetSocketAddress remote;
    private boolean connected;
    /** Why it could not connect: the kernel tells once, we tell whoever asks. */
    private int connectErrno;
    private @Nullable InetSocketAddress local;

    private LinuxTcpStream(LinuxNetwork network, int fd, InetSocketAddress remote, boolean connected) {
        super(network, fd);
        this.remote = remote;
        this.connected = connected;
    }

    static LinuxTcpStream accepted(LinuxNetwork network, int fd, InetSocketAddress remote) {
        return new LinuxTcpStream(network, fd, remote, true);
    }

    /** A stream whose connect has begun; what the peer or the net answered at once is kept for {@link #finishConnect}. */
    static LinuxTcpStream connecting(LinuxNetwork network, int fd, InetSocketAddress remote) throws IOException {
        LinuxTcpStream stream = new LinuxTcpStream(network, fd, remote, false);
        Scratch scratch = Scratch.ofThread();
        int length = SocketAddress.write(remote, SocketAddress.family(remote), scratch.address);
        int result = Libc.connect(fd, scratch.address.address(), length);
        switch (-result) {
            case 0 -> stream.connected = true;
            case Errno.EINPROGRESS, Errno.EINTR -> stream.connected = false; // a signal does not stop it (man 2 connect)
            case Errno.ECONNREFUSED, Errno.ECONNRESET, Errno.ETIMEDOUT, Errno.EHOSTUNREACH, Errno.ENETUNREACH ->
                stream.connectErrno = -result;
            default -> throw Errno.failure("connect", remote, -result);
        }
        return stream;
    }

    @Override
    public boolean finishConnect() throws IOException {
        open();
        if (connected) {
            return true;
        }
        if (connectErrno == 0) {
            connectErrno = Options.getInt(this, Options.SOL_SOCKET, Options.SO_ERROR, 4);
        }
        if (connectErrno != 0) {
            throw Errno.failure("connect", remote, connectErrno);
        }
        // No error is pending: it is there, or still on its way.
        Scratch scratch = Scratch.ofThread();
        int result = Libc.getpeername(open(), scratch.address.address(), scratch.addressLength());
        if (result != -Errno.ENOTCONN) {
            check("getpeername", result);
            connected = true;
        }
        return connected;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        int open = open();
        int length = Scratch.length(buffer);
        if (length == 0) {
            return 0;
        }
        Scratch scratch = Scratch.ofThread();
        return readResult("recv", Libc.recv(open, scratch.incomingAddress(buffer), length, 0), buffer, scratch);
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        int open = open();
        int length = Scratch.length(buffer);
        if (length == 0) {
            return 0;
        }
        long address = Scratch.ofThread().outgoing(buffer, length, 0);
        int written = (int) writeResult("send", Libc.send(open, address, length, Libc.MSG_NOSIGNAL));
        buffer.position(buffer.position() + written);
        return written;
    }

    @Override
    public long write(ByteBuffer[] buffers, int from, int count) throws IOException {
        Objects.checkFromIndexSize(from, count, buffers.length);
        int open = open();
        Scratch scratch = Scratch.ofThread();
        int parts = Math.min(count, Scratch.PARTS_MAX);
        int copied = 0; // bytes of heap buffers, which share one bounded place
        int filled = 0;
        for (; filled < parts; filled++) {
            ByteBuffer buffer = buffers[from + filled];
            boolean direct = buffer.isDirect();
            int length = direct ? buffer.remaining() : Math.min(buffer.remaining(), Scratch.BYTES_MAX - copied);
            long part = (long) Scratch.IOVEC_SIZE * filled;
            scratch.parts.set(ValueLayout.JAVA_LONG, part, length == 0 ? 0 : scratch.outgoing(buffer, length, copied));
            scratch.parts.set(ValueLayout.JAVA_LONG, part + Scratch.IOV_LEN, length);
            if (!direct) {
                copied += length;
                if (length < buffer.remaining()) {
                    filled++; // the bytes behind this part must not overtake the rest of it
                    break;
                }
            }
        }
        scratch.message.set(ValueLayout.JAVA_LONG, Scratch.MSG_IOVLEN, filled);
        long written;
        try {
            written = writeResult("sendmsg", Libc.sendmsg(open, scratch.message.address(), Libc.MSG_NOSIGNAL));
        } finally {
            Reference.reachabilityFence(buffers); // the kernel knows their memory by address alone
        }
        long left = written;
        for (int i = from; left > 0; i++) {
            int taken = (int) Math.min(left, buffers[i].remaining());
            buffers[i].position(buffers[i].position() + taken);
            left -= taken;
        }
        return written;
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
        // EINVAL: there is none, or it was taken; EAGAIN: it was announced and is still on its way; 0: the peer has finished
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
        open();
        InetSocketAddress known = local;
        if (known == null) {
            known = name();
            local = known;
        }
        return known;
    }

    @Override
    public InetSocketAddress remoteAddress() throws IOException {
        open();
        return remote;
    }

    @Override
    public String toString() {
        return "stream " + Addresses.toString(remote);
    }
}
