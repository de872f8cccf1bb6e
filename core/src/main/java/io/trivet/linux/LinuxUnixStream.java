package io.trivet.linux;

import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.Socket;
import io.trivet.net.UnixAddress;
import io.trivet.net.UnixStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/** A Unix domain stream. */
final class LinuxUnixStream extends LinuxTcpStream implements UnixStream {
    /** The errno of a failed connect; 0: connected. The kernel decides at once. */
    private final int connectErrno;

    private LinuxUnixStream(LinuxNetwork network, int fd, InetSocketAddress remote, int connectErrno) {
        super(network, fd, 0, 0, remote);
        this.connectErrno = connectErrno;
    }

    /** Creates a stream for an accepted connection. */
    static LinuxUnixStream accepted(LinuxNetwork network, int fd, InetSocketAddress remote) {
        return new LinuxUnixStream(network, fd, remote, 0);
    }

    /** Connects. A failure is stored for {@link #finishConnect}. */
    static LinuxUnixStream connecting(LinuxNetwork network, int fd, UnixAddress remote) throws IOException {
        Scratch scratch = Scratch.ofThread();
        int length = UnixSocketAddress.write(remote, scratch.address);
        int result = Libc.connect(fd, scratch.address.address(), length);
        while (result == -Errno.EINTR) {
            result = Libc.connect(fd, scratch.address.address(), length);
        }
        return new LinuxUnixStream(network, fd, remote.asInetSocketAddress(), -result);
    }

    @Override
    public boolean finishConnect() throws IOException {
        open();
        if (connectErrno != 0) {
            throw connectFailure();
        }
        return true;
    }

    private NetworkException connectFailure() throws IOException {
        String explanation = switch (connectErrno) {
            case Errno.EACCES ->
                "EACCES, permission denied: a client needs permission to write to the socket's file, and to search "
                        + "its directories";
            case Errno.EAGAIN -> "EAGAIN, the server's backlog is full";
            default -> "";
        };
        return explanation.isEmpty() ? Errno.failure("connect", remoteAddress(), connectErrno, fd())
                : new NetworkException("connect", remoteAddress(), ErrorCode.of(connectErrno), explanation, connectErrno, fd());
    }

    @Override
    public int write(ByteBuffer buffer, List<? extends Socket> sockets) throws IOException {
        int open = open();
        if (!buffer.hasRemaining()) {
            throw new IllegalArgumentException("descriptors are passed with at least one byte");
        }
        int[] descriptors = new int[sockets.size()];
        for (int i = 0; i < descriptors.length; i++) {
            Socket socket = Objects.requireNonNull(sockets.get(i));
            descriptors[i] = socket instanceof LinuxSocket linux ? linux.open() : socket.fd();
        }
        return PassedDescriptors.send(this, open, buffer, descriptors);
    }

    @Override
    public int read(ByteBuffer buffer, List<? super Descriptor> received, int max) throws IOException {
        int open = open();
        return buffer.hasRemaining() ? PassedDescriptors.receive(this, open, buffer, received, max) : 0;
    }

    @Override
    public boolean sendUrgent(byte b) throws IOException {
        open();
        throw noUrgentData(this);
    }

    static UnsupportedOperationException noUrgentData(Object stream) {
        return new UnsupportedOperationException(stream + " has no urgent data: it is a Unix domain socket");
    }

    @Override
    public int receiveUrgent() throws IOException {
        open();
        return -1;
    }

    @Override
    public boolean atMark() throws IOException {
        open();
        return false;
    }
}
