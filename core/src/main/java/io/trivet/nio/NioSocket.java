package io.trivet.nio;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Network;
import io.trivet.net.Socket;
import java.io.IOException;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A channel, its end, and the pollers that know it.
 *
 * <p>A registration is kept here and not in the poller: a socket that was closed and dropped without being deregistered takes its
 * registrations with it, and one that was closed can still be deregistered.
 */
abstract sealed class NioSocket implements Socket permits NioTcpListener, NioTcpStream, NioUdpSocket, NioPipe.End {
    /** The most of a heap buffer that one call is shown, see {@link #narrow}. */
    static final int HEAP_BYTES_MAX = 64 * 1024;

    private static final Watched[] NONE = {};

    /** How java.nio's channels tell of EINTR where they do not wait, though no document says so. */
    private static final long INTERRUPTED = -3;

    /** Guards the list of pollers, and the end of a connect. Nothing else is locked under it but java.nio's own. */
    final Object lock = new Object();
    private final NioNetwork network;
    private final SelectableChannel channel;
    private volatile boolean closed;
    /** One entry a poller; replaced, never changed. */
    private volatile Watched[] watchers = NONE;

    NioSocket(NioNetwork network, SelectableChannel channel) {
        this.network = network;
        this.channel = channel;
    }

    /** The result of a read or a write as it should be: a signal came first, so nothing was done. */
    static long done(long result) {
        return result == INTERRUPTED ? 0 : result;
    }

    /** What the channel's key must be asked to watch, for an interest. */
    abstract int ops(int interest);

    /** Finds out whether a connect that was under way has ended; whether the socket can move bytes. */
    boolean advance() throws IOException {
        return true;
    }

    /** Whether its connect has failed: java.nio has then closed the channel, and Linux would call it readable and writable for ever. */
    boolean hasFailed() {
        return false;
    }

    @Override
    public final Network network() {
        return network;
    }

    final NioNetwork nio() {
        return network;
    }

    @Override
    public final int fd() {
        throw new UnsupportedOperationException("java.nio does not tell descriptors: " + NioNetwork.LINUX_CAN);
    }

    @Override
    public final boolean isOpen() {
        return !closed;
    }

    final void checkOpen() throws ClosedSocketException {
        if (closed) {
            throw new ClosedSocketException(toString());
        }
    }

    /** The failure of a call on this socket, as an exception to throw; a socket that was closed meanwhile says that. */
    final IOException failure(String call, IOException e) {
        return closed ? new ClosedSocketException(toString()) : Failures.of(call, this, e);
    }

    /**
     * java.nio copies the whole rest of a heap buffer at each call, however little the socket takes, and keeps a direct buffer of that
     * size for the thread: lowers the limit, so that it sees a part. The caller puts back the limit that this returns.
     */
    static int narrow(ByteBuffer buffer) {
        int limit = buffer.limit();
        if (!buffer.isDirect() && buffer.remaining() > HEAP_BYTES_MAX) {
            buffer.limit(buffer.position() + HEAP_BYTES_MAX);
        }
        return limit;
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        NetworkChannel optioned = optioned(option);
        try {
            optioned.setOption(option, value);
        } catch (IOException e) {
            throw failure("setsockopt", e);
        }
    }

    @Override
    public <T> T getOption(SocketOption<T> option) throws IOException {
        NetworkChannel optioned = optioned(option);
        try {
            return optioned.getOption(option);
        } catch (IOException e) {
            throw failure("getsockopt", e);
        }
    }

    private NetworkChannel optioned(SocketOption<?> option) throws IOException {
        checkOpen();
        if (channel instanceof NetworkChannel optioned && optioned.supportedOptions().contains(option)) {
            return optioned;
        }
        throw new UnsupportedOperationException(this + " has no option " + option.name() + " on java.nio");
    }

    /** This socket's place in a poller, made when it is new there. */
    final Watched enter(NioPoller poller) {
        synchronized (lock) {
            Watched known = watchedBy(poller);
            if (known != null) {
                return known;
            }
            Watched added = new Watched(this, poller);
            Watched[] more = Arrays.copyOf(watchers, watchers.length + 1);
            more[watchers.length] = added;
            watchers = more;
            return added;
        }
    }

    /** This socket's place in a poller, or null. */
    final @Nullable Watched watchedBy(NioPoller poller) {
        for (Watched watched : watchers) {
            if (watched.poller == poller) {
                return watched;
            }
        }
        return null;
    }

    /** Gives up the place in a poller that is no more. */
    final void leave(NioPoller poller) {
        synchronized (lock) {
            for (int i = 0; i < watchers.length; i++) {
                if (watchers[i].poller == poller) {
                    Watched[] fewer = Arrays.copyOf(watchers, watchers.length - 1);
                    System.arraycopy(watchers, i + 1, fewer, i, fewer.length - i);
                    watchers = fewer;
                    return;
                }
            }
        }
    }

    /** The key for a selector, watching nothing yet; null: the connect has failed, and there is no channel left. */
    final @Nullable SelectionKey key(Selector selector, Watched watched) throws ClosedSocketException {
        try {
            return channel.register(selector, 0, watched);
        } catch (ClosedChannelException e) {
            if (closed) {
                throw new ClosedSocketException(toString());
            }
            return null;
        }
    }

    /** Tells the pollers that the connect has ended. Not under {@link #lock}. */
    final void tellWatchers() throws IOException {
        for (Watched watched : watchers) {
            watched.poller.connectEnded(watched);
        }
    }

    @Override
    public final void close() throws IOException {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
        }
        try {
            channel.close();
        } catch (IOException e) {
            throw Failures.of("close", this, e);
        } finally {
            // java.nio keeps the descriptor of a closed channel until every selector that knew it has selected again.
            for (Watched watched : watchers) {
                watched.poller.flush();
            }
        }
    }
}
