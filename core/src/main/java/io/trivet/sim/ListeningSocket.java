package io.trivet.sim;

import io.trivet.net.Addresses;
import io.trivet.net.Interest;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A listening TCP socket inside the simulated kernel, with its backlog. */
final class ListeningSocket extends OpenFile {
    /** net.core.somaxconn. */
    private static final int BACKLOG_MAX = 4096;

    final InetSocketAddress address;
    final SocketOptions options;
    private final int backlog;
    private final ArrayDeque<TcpEndpoint> waiting = new ArrayDeque<>();
    /** The number of places reserved for handshakes in progress. */
    private int reserved;
    private boolean closed;

    ListeningSocket(Kernel kernel, InetSocketAddress address, int backlog) {
        super(kernel);
        this.address = address;
        this.backlog = Math.min(backlog, BACKLOG_MAX);
        this.options = kernel.tcp.drawOptions();
    }

    /** Returns whether the backlog is full. As on Linux, one connection more than the backlog fits. */
    boolean isFull() {
        return waiting.size() + reserved > backlog;
    }

    boolean isClosed() {
        return closed;
    }

    void reserve() {
        reserved++;
    }

    void unreserve() {
        reserved--;
    }

    /** Adds a connection whose place was reserved. */
    void add(TcpEndpoint end) {
        reserved--;
        waiting.add(end);
        changed();
    }

    @Nullable
    TcpEndpoint first() {
        return waiting.peek();
    }

    void removeFirst() {
        waiting.remove();
        changed();
    }

    @Override
    int ready() {
        return waiting.isEmpty() ? 0 : Interest.READ;
    }

    @Override
    void release() {
        closed = true;
        kernel.tcp.remove(this);
        for (TcpEndpoint end = waiting.poll(); end != null; end = waiting.poll()) {
            end.reset();
        }
    }

    @Override
    public String toString() {
        return "listener " + Addresses.toString(address);
    }
}
