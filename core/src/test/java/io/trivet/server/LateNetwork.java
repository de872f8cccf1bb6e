package io.trivet.server;

import io.trivet.net.Capability;
import io.trivet.net.Network;
import io.trivet.net.Poller;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/** A network in memory with a {@link LateProactor}. The test controls the peers, and the clock advances only when it is stepped. */
final class LateNetwork extends SteppedNetwork {
    private final Random random;
    private final boolean alwaysPending;
    private final Deque<LatePeer> pending = new ArrayDeque<>();
    private final List<LatePeer> connected = new ArrayList<>();
    private LateProactor proactor;
    private int peers;

    /** Creates a network on which every send is pending, or only some are while others accept all or a part at once. */
    LateNetwork(Random random, boolean alwaysPending) {
        super(Network.named("nio"));
        this.random = random;
        this.alwaysPending = alwaysPending;
    }

    InetSocketAddress localAddress() {
        return new InetSocketAddress(InetAddress.ofLiteral("10.0.0.9"), 80);
    }

    /** Creates a peer that has connected and waits to be accepted. */
    LatePeer peer() {
        LatePeer peer = new LatePeer(new InetSocketAddress(InetAddress.ofLiteral("10.0.0.1"), 1000 + peers++));
        pending.add(peer);
        return peer;
    }

    /** Creates the peer of an outgoing connection. */
    LatePeer connected(InetSocketAddress address) {
        LatePeer peer = new LatePeer(address);
        connected.add(peer);
        return peer;
    }

    /** Returns the peers of outgoing connections, in the order in which these were established. */
    List<LatePeer> connected() {
        return connected;
    }

    /** Removes and returns the next peer that waits to be accepted, or null. */
    LatePeer nextPending() {
        return pending.poll();
    }

    boolean hasPending() {
        return !pending.isEmpty();
    }

    LateProactor late() {
        return proactor;
    }

    @Override
    public String name() {
        return "late";
    }

    @Override
    public boolean supports(Capability capability) {
        return false;
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog) {
        return new Listener(address);
    }

    @Override
    public TcpStream connect(InetSocketAddress address) {
        throw new UnsupportedOperationException("use the proactor to connect");
    }

    @Override
    public Poller poller() {
        throw new UnsupportedOperationException("this network has no readiness");
    }

    @Override
    public Proactor proactor() {
        proactor = new LateProactor(this, random, alwaysPending);
        return proactor;
    }

    private final class Listener implements TcpListener {
        private final InetSocketAddress address;
        private boolean closed;

        Listener(InetSocketAddress address) {
            this.address = address;
        }

        @Override
        public TcpStream accept() {
            LatePeer peer = nextPending();
            return peer == null ? null : new Stream(peer);
        }

        @Override
        public InetSocketAddress localAddress() {
            return address;
        }

        @Override
        public Network network() {
            return LateNetwork.this;
        }

        @Override
        public int fd() {
            return closed ? -1 : 3;
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public <T> void setOption(SocketOption<T> option, T value) {}

        @Override
        public <T> T getOption(SocketOption<T> option) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    /** An accepted connection, until the proactor adopts it. */
    final class Stream implements TcpStream {
        final LatePeer peer;
        private boolean closed;

        Stream(LatePeer peer) {
            this.peer = peer;
        }

        @Override
        public InetSocketAddress remoteAddress() {
            return peer.address;
        }

        @Override
        public <T> void setOption(SocketOption<T> option, T value) {}

        @Override
        public void close() {
            closed = true;
            peer.serverClosed(false);
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public Network network() {
            return LateNetwork.this;
        }

        @Override
        public int fd() {
            throw new UnsupportedOperationException();
        }

        @Override
        public <T> T getOption(SocketOption<T> option) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean finishConnect() {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(ByteBuffer buffer) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer buffer) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] buffers, int from, int count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean sendUrgent(byte b) throws IOException {
            throw new UnsupportedOperationException();
        }

        @Override
        public int receiveUrgent() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean atMark() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void shutdownInput() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void shutdownOutput() {
            throw new UnsupportedOperationException();
        }

        @Override
        public InetSocketAddress localAddress() {
            throw new UnsupportedOperationException();
        }
    }
}
