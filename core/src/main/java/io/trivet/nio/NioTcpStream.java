package io.trivet.nio;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A channel of a TCP connection.
 *
 * <p>java.nio wants to be asked before it calls a channel connected, and closes it when the connect has failed; Linux does neither. So
 * every use asks ({@link #advance}), and a stream outlives its channel: it stays open, and gives its failure as a socket of Linux does.
 */
final class NioTcpStream extends NioSocket implements TcpStream {
    private final SocketChannel channel;
    private final InetSocketAddress remote;
    private volatile boolean connected;
    /** Why it could not connect. */
    private volatile @Nullable IOException failure;
    /** Whether somebody has been told why: the first read or write tells it too, later ones say that all is over. */
    private boolean failureTold;
    /** Whether a read has told of a reset: java.nio would tell it for ever. */
    private boolean resetTold;
    private @Nullable InetSocketAddress local;

    /** A stream that is connected, or has failed at once, or is still connecting. */
    NioTcpStream(NioNetwork network, SocketChannel channel, InetSocketAddress remote, boolean connected,
            @Nullable IOException failure) {
        super(network, channel);
        this.channel = channel;
        this.remote = remote;
        this.connected = connected;
        this.failure = failure;
    }

    @Override
    int ops(int interest) {
        if (!connected) {
            return failure == null && interest != 0 ? SelectionKey.OP_CONNECT : 0; // as on Linux a failure is also readable
        }
        return ((interest & Interest.READ) != 0 ? SelectionKey.OP_READ : 0)
                | ((interest & Interest.WRITE) != 0 ? SelectionKey.OP_WRITE : 0);
    }

    @Override
    boolean hasFailed() {
        return failure != null;
    }

    @Override
    boolean advance() throws IOException {
        if (!connected && failure == null && hasJustEnded()) {
            tellWatchers();
        }
        return connected;
    }

    private boolean hasJustEnded() {
        synchronized (lock) {
            if (connected || failure != null) {
                return false;
            }
            try {
                connected = channel.finishConnect();
                return connected;
            } catch (ClosedChannelException e) {
                return false; // the stream was closed meanwhile, and whoever asked will see that
            } catch (IOException e) {
                failure = e;
                return true;
            }
        }
    }

    @Override
    public boolean finishConnect() throws IOException {
        checkOpen();
        boolean there = advance();
        IOException why = failure;
        if (why != null) {
            failureTold = true;
            throw Failures.of("connect", remote, why);
        }
        checkOpen();
        return there;
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        checkOpen();
        if (!buffer.hasRemaining()) {
            return 0;
        }
        if (!advance()) {
            return tellFailure("recv") ? -1 : 0;
        }
        if (resetTold) {
            return -1;
        }
        int limit = narrow(buffer);
        try {
            return (int) done(channel.read(buffer));
        } catch (IOException e) {
            resetTold = Failures.code(e) == ErrorCode.ECONNRESET;
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
        int limit = narrow(buffer);
        try {
            return (int) done(channel.write(buffer));
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
        int parts = 0; // as many as do not make java.nio copy too much
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
            return done(channel.write(buffers, first, parts));
        } catch (IOException e) {
            throw failure("sendmsg", e);
        }
    }

    /** Whether it is connected; false: not yet. */
    private boolean canWrite(String call) throws IOException {
        boolean can = advance();
        if (!can && tellFailure(call)) {
            throw new NetworkException(call, this, ErrorCode.EPIPE);
        }
        return can;
    }

    /** Throws why the connect failed, if nobody has been told yet; whether it has failed. */
    private boolean tellFailure(String call) throws IOException {
        IOException why = failure;
        if (why != null && !failureTold) {
            failureTold = true;
            throw Failures.of(call, this, why);
        }
        checkOpen();
        return why != null;
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
        return new UnsupportedOperationException("java.nio cannot " + verb + " urgent data: " + NioNetwork.LINUX_CAN);
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

    /** {@inheritDoc} java.nio knows it once the stream is connected. */
    @Override
    public InetSocketAddress localAddress() throws IOException {
        checkOpen();
        InetSocketAddress known = local;
        if (known == null) {
            checkConnected("getsockname");
            try {
                known = (InetSocketAddress) channel.getLocalAddress();
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
        if (!advance()) {
            checkOpen();
            throw new NetworkException(call, this, ErrorCode.ENOTCONN);
        }
    }

    /** A connect that failed has left nothing that could have options. */
    private void checkChannel(String call) throws IOException {
        checkOpen();
        if (hasFailed()) {
            throw new NetworkException(call, this, ErrorCode.ENOTCONN);
        }
    }

    @Override
    public String toString() {
        return "stream " + Addresses.toString(remote);
    }
}
