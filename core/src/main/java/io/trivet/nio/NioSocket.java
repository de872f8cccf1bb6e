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
 * A socket on a channel: options, closing, and its entries in pollers.
 *
 * <p>The socket holds its poller entries, not the poller: a socket that is closed and dropped without being deregistered takes its
 * registrations with it, and a closed socket can still be deregistered.
 *
 * <p>One thread at a time, except for {@link #close} and the poller's methods, which any thread may call.
 */
abstract sealed class NioSocket implements Socket permits NioTcpListener, NioTcpStream, NioUdpSocket, NioPipe.End {
    /** Maximum number of bytes of a heap buffer that one call transfers: see {@link #limitHeapBuffer}. */
    static final int HEAP_BYTES_MAX = 64 * 1024;

    private static final PollerEntry[] NO_ENTRIES = {};

    /** What a non-blocking channel returns for EINTR: IOStatus.INTERRUPTED in the JDK, undocumented. */
    private static final long INTERRUPTED = -3;

    /** Guards the poller entries, and the completion of a connect. While holding it, only locks of java.nio are acquired. */
    final Object lock = new Object();
    private final NioNetwork network;
    private final SelectableChannel channel;
    private volatile boolean closed;
    /** One entry for each poller. Copied on write. */
    private volatile PollerEntry[] entries = NO_ENTRIES;

    NioSocket(NioNetwork network, SelectableChannel channel) {
        this.network = network;
        this.channel = channel;
    }

    /** Returns the byte count of a read or a write: 0 if a signal interrupted the call before it transferred anything. */
    static long transferred(long result) {
        return result == INTERRUPTED ? 0 : result;
    }

    /** Returns the key's operations for an interest. */
    abstract int ops(int interest);

    /** Completes a pending connect if its outcome is known. Returns whether the socket is connected; true if it needs no connect. */
    boolean completeConnect() throws IOException {
        return true;
    }

    /**
     * Returns whether the connect has failed. java.nio has then closed the channel, while a socket of Linux stays readable and writable.
     */
    boolean hasConnectFailed() {
        return false;
    }

    @Override
    public final Network network() {
        return network;
    }

    final NioNetwork nioNetwork() {
        return network;
    }

    @Override
    public final int fd() {
        throw new UnsupportedOperationException("java.nio does not expose file descriptors: " + NioNetwork.ALTERNATIVES);
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

    /** Returns the exception for a failed call on this socket; {@link ClosedSocketException} if the socket was closed during the call. */
    final IOException failure(String call, IOException e) {
        return closed ? new ClosedSocketException(toString()) : NioErrors.failure(call, this, e);
    }

    /**
     * Limits a heap buffer to {@link #HEAP_BYTES_MAX} remaining bytes. Otherwise java.nio copies all remaining bytes in each call,
     * however few the socket accepts, and caches a direct buffer of that size for the thread.
     *
     * @return the original limit, which the caller restores after the call
     */
    static int limitHeapBuffer(ByteBuffer buffer) {
        int limit = buffer.limit();
        if (!buffer.isDirect() && buffer.remaining() > HEAP_BYTES_MAX) {
            buffer.limit(buffer.position() + HEAP_BYTES_MAX);
        }
        return limit;
    }

    @Override
    public <T> void setOption(SocketOption<T> option, T value) throws IOException {
        NetworkChannel channel = channelWith(option);
        try {
            channel.setOption(option, value);
        } catch (IOException e) {
            throw failure("setsockopt", e);
        }
    }

    @Override
    public <T> T getOption(SocketOption<T> option) throws IOException {
        NetworkChannel channel = channelWith(option);
        try {
            return channel.getOption(option);
        } catch (IOException e) {
            throw failure("getsockopt", e);
        }
    }

    private NetworkChannel channelWith(SocketOption<?> option) throws IOException {
        checkOpen();
        if (channel instanceof NetworkChannel candidate && candidate.supportedOptions().contains(option)) {
            return candidate;
        }
        throw new UnsupportedOperationException(this + " has no option " + option.name() + " on java.nio");
    }

    /** Returns this socket's entry in a poller. Creates it if there is none. */
    final PollerEntry addEntry(NioPoller poller) {
        synchronized (lock) {
            PollerEntry known = entry(poller);
            if (known != null) {
                return known;
            }
            PollerEntry added = new PollerEntry(this, poller);
            PollerEntry[] more = Arrays.copyOf(entries, entries.length + 1);
            more[entries.length] = added;
            entries = more;
            return added;
        }
    }

    /** Returns this socket's entry in a poller, or null. */
    final @Nullable PollerEntry entry(NioPoller poller) {
        for (PollerEntry entry : entries) {
            if (entry.poller == poller) {
                return entry;
            }
        }
        return null;
    }

    /** Removes the entry in a poller that is closed. */
    final void removeEntry(NioPoller poller) {
        synchronized (lock) {
            for (int i = 0; i < entries.length; i++) {
                if (entries[i].poller == poller) {
                    PollerEntry[] fewer = Arrays.copyOf(entries, entries.length - 1);
                    System.arraycopy(entries, i + 1, fewer, i, fewer.length - i);
                    entries = fewer;
                    return;
                }
            }
        }
    }

    /** Registers the channel with a selector, with no interest. Returns null if the connect has failed, which closed the channel. */
    final @Nullable SelectionKey key(Selector selector, PollerEntry entry) throws ClosedSocketException {
        try {
            return channel.register(selector, 0, entry);
        } catch (ClosedChannelException e) {
            if (closed) {
                throw new ClosedSocketException(toString());
            }
            return null;
        }
    }

    /** Notifies the pollers that the connect has succeeded or failed. The caller must not hold {@link #lock}. */
    final void notifyConnectEnded() throws IOException {
        for (PollerEntry entry : entries) {
            entry.poller.connectEnded(entry);
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
        }
        try {
            channel.close();
        } catch (IOException e) {
            throw NioErrors.failure("close", this, e);
        } finally {
            // java.nio keeps the descriptor of a closed channel until every selector it was registered with has selected again.
            for (PollerEntry entry : entries) {
                entry.poller.flushClosed();
            }
        }
    }
}
