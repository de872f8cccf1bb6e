package io.trivet.nio;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection on a {@link SocketChannel}.
 *
 * <p>A channel of java.nio becomes connected only when {@code finishConnect} is called, and is closed when the connect fails.
 * Neither is true on Linux. Therefore every operation completes a pending connect first ({@link #completeConnect}), and a stream
 * whose connect has failed stays open without its channel and reports the failure as a socket of Linux does.
 */
final class NioTcpStream extends NioSocket implements TcpStream {
    private final SocketChannel channel;
    private final InetSocketAddress remote;
    private volatile boolean connected;
    /** Why the connect failed; null: it has not. */
    private volatile @Nullable IOException connectFailure;
    /**
     * True once the failure was thrown to the user. The first call throws it; later reads return -1, later writes throw EPIPE.
     */
    private boolean failureReported;
    /** True once a read has thrown ECONNRESET. java.nio would throw it in every read, Linux throws it once. */
    private boolean resetReported;
    private @Nullable InetSocketAddress local;

    /** Creates a stream that is connected, has failed (with a non-null failure), or is connecting (otherwise). */
    NioTcpStream(NioNetwork network, SocketChannel channel, InetSocketAddress remote, boolean connected,
            @Nullable IOException failure) {
        super(network, channel);
        this.channel = channel;
        this.remote = remote;
        this.connected = connected;
        connectFailure = failure;
    }

    @Override
    int ops(int interest) {
        if (!connected) {
            return connectFailure == null && interest != 0 ? SelectionKey.OP_CONNECT : 0; // for READ, too: a failed stream is readable
        }
        return ((interest & Interest.READ) != 0 ? SelectionKey.OP_READ : 0)
                | ((interest & Interest.WRITE) != 0 ? SelectionKey.OP_WRITE : 0);
    }

    @Override
    boolean hasConnectFailed() {
        return connectFailure != null;
    }

    @Override
    boolean completeConnect() throws IOException {
        if (!connected && connectFailure == null && endConnect()) {
            notifyConnectEnded();
        }
        return connected;
    }

    /** Returns whether this call has found the outcome of the connect. */
    private boolean endConnect() {
        synchronized (lock) {
            if (connected || connectFailure != null) {
                return false;
            }
            try {
                boolean finished = channel.finishConnect();
                if (finished) {
                    refuseSelf(channel);
                }
                connected = finished;
                return finished;
            } catch (ClosedChannelException e) {
                return false; // the stream was closed meanwhile; the caller checks that next
            } catch (IOException e) {
                connectFailure = e;
                return true;
            }
        }
    }

    /**
     * Ends a connection of the socket to itself, as if it had been refused. TCP connects a socket to itself if nothing listens at
     * a local port, and the system chooses that port as the socket's own (RFC 9293, 3.5: simultaneous open). The connection is
     * ended by a reset, which leaves no TIME_WAIT, so a server can listen at the port at once.
     *
     * @throws ConnectException the channel was connected to itself; it is closed
     */
    static void refuseSelf(SocketChannel channel) throws IOException {
        if (Objects.equals(channel.getLocalAddress(), channel.getRemoteAddress())) {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
            channel.close();
            throw new ConnectException("Connection refused");
        }
    }

    @Override
    public boolean finishConnect() throws IOException {
        checkOpen();
        boolean finished = completeConnect();
        IOException cause = connectFailure;
        if (cause != null) {
            failureReported = true;
            throw NioErrors.failure("connect", remote, cause);
        }
        checkOpen();
        return finished;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        checkOpen();
        if (!buffer.hasRemaining()) {
            return 0;
        }
        if (!completeConnect()) {
            return reportConnectFailure("recv") ? -1 : 0;
        }
        if (resetReported) {
            return -1;
        }
        int limit = limitHeapBuffer(buffer);
        try {
            return (int) transferred(channel.read(buffer));
        } catch (IOException e) {
            resetReported = NioErrors.code(e) == ErrorCode.ECONNRESET;
            throw failure("recv", e);
        } finally {
            buffer.limit(limit);
        }
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
        checkOpen();
        if (!buffer.hasRemaining() || !canWrite("send")) {
            return 0;
        }
        int limit = limitHeapBuffer(buffer);
        try {
            return (int) transferred(channel.write(buffer));
        } catch (IOException e) {
            throw failure("send", e);
        } finally {
            buffer.limit(limit);
        }
    }

    @Override
    public long write(ByteBuffer[] buffers, int from, int count) throws IOException {
        Objects.checkFromIndexSize(from, count, buffers.length);
        checkOpen();
        int first = from;
        int end = from + count;
        while (first < end && !buffers[first].hasRemaining()) {
            first++;
        }
        int parts = 0; // limited like a single heap buffer: see limitHeapBuffer
        int heapBytes = 0;
        for (; first + parts < end; parts++) {
            ByteBuffer buffer = buffers[first + parts];
            if (!buffer.isDirect() && buffer.remaining() > HEAP_BYTES_MAX - heapBytes) {
                break;
            }
            heapBytes += buffer.isDirect() ? 0 : buffer.remaining();
        }
        if (parts == 0) {
            return first == end ? 0 : write(buffers[first]);
        }
        if (!canWrite("sendmsg")) {
            return 0;
        }
        try {
            return transferred(channel.write(buffers, first, parts));
        } catch (IOException e) {
            throw failure("sendmsg", e);
        }
    }

    @Override
    public long sendFile(SendableFile file, long position, long count) throws IOException {
        checkOpen();
        if (!(file instanceof NioFile nio)) {
            return SendableFile.UNSUPPORTED;
        }
        if (!canWrite("sendfile")) {
            return 0;
        }
        try {
            long sent = transferred(nio.channel().transferTo(position, count, channel));
            return sent == 0 && position >= nio.size() ? SendableFile.ENDED : sent;
        } catch (IOException e) {
            throw failure("sendfile", e);
        }
    }

    /** Returns whether the stream is connected; false if it is still connecting. Throws if the connect has failed. */
    private boolean canWrite(String call) throws IOException {
        boolean can = completeConnect();
        if (!can && reportConnectFailure(call)) {
            throw new NetworkException(call, this, ErrorCode.EPIPE);
        }
        return can;
    }

    /** Returns whether the connect has failed. The first time, throws the failure instead. */
    private boolean reportConnectFailure(String call) throws IOException {
        IOException cause = connectFailure;
        if (cause != null && !failureReported) {
            failureReported = true;
            throw NioErrors.failure(call, this, cause);
        }
        checkOpen();
        return cause != null;
    }

    @Override
    public boolean sendUrgent(byte b) throws IOException {
        checkOpen();
        throw noUrgentData("send");
    }

    @Override
    public int receiveUrgent() throws IOException {
        checkOpen();
        throw noUrgentData("receive");
    }

    @Override
    public boolean atMark() throws IOException {
        checkOpen();
        throw noUrgentData("find");
    }

    private static UnsupportedOperationException noUrgentData(String verb) {
        return new UnsupportedOperationException("java.nio cannot " + verb + " urgent data: " + NioNetwork.ALTERNATIVES);
    }

    @Override
    public void shutdownInput() throws IOException {
        checkConnected("shutdown");
        try {
            channel.shutdownInput();
        } catch (IOException e) {
            throw failure("shutdown", e);
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        checkConnected("shutdown");
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            throw failure("shutdown", e);
        }
    }

    /** {@inheritDoc} On java.nio it is available only when the stream is connected. */
    @Override
    public InetSocketAddress localAddress() throws IOException {
        checkOpen();
        InetSocketAddress known = local;
        if (known == null) {
            checkConnected("getsockname");
            try {
                known = NioUnixListener.inetAddress(channel.getLocalAddress());
            } catch (IOException e) {
                throw failure("getsockname", e);
            }
            local = known;
        }
        return known;
    }

    @Override
    public InetSocketAddress remoteAddress() throws IOException {
        checkOpen();
        return remote;
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        checkChannel("setsockopt");
        super.setOption(option, value);
    }

    @Override
    public <T> T getOption(SocketOption<T> option) throws IOException {
        checkChannel("getsockopt");
        return super.getOption(option);
    }

    private void checkConnected(String call) throws IOException {
        checkOpen();
        if (!completeConnect()) {
            checkOpen();
            throw new NetworkException(call, this, ErrorCode.ENOTCONN);
        }
    }

    /** Throws ENOTCONN if the connect has failed: there is no channel left that could have options. */
    private void checkChannel(String call) throws IOException {
        checkOpen();
        if (hasConnectFailed()) {
            throw new NetworkException(call, this, ErrorCode.ENOTCONN);
        }
    }

    @Override
    public String toString() {
        return "stream " + Addresses.toString(remote);
    }
}
