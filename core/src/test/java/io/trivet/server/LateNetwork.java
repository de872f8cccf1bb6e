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

/** A network without a kernel, whose peers the test plays, over a {@link LateProactor}. Time stands still until it is stepped. */
final class LateNetwork extends SteppedNetwork {
    private final Random random;
    private final boolean alwaysPending;
    private final Deque<LatePeer> waiting = new ArrayDeque<>();
    private final List<LatePeer> called = new ArrayList<>();
    private LateProactor proactor;
    private int peers;

    /** Always pending: no send takes anything at once; else some do, and some take a part. */
    LateNetwork(Random random, boolean alwaysPending) {
        super(Network.named("nio"));
        this.random = random;
        this.alwaysPending = alwaysPending;
    }

    InetSocketAddress localAddress() {
        return new InetSocketAddress(InetAddress.ofLiteral("10.0.0.9"), 80);
    }

    /** A peer that has connected, and waits to be accepted. */
    LatePeer peer() {
        LatePeer peer = new LatePeer(new InetSocketAddress(InetAddress.ofLiteral("10.0.0.1"), 1000 + peers++));
        waiting.add(peer);
        return peer;
    }

    /** A peer that a server has connected to. */
    LatePeer called(InetSocketAddress address) {
        LatePeer peer = new LatePeer(address);
        called.add(peer);
        return peer;
    }

    /** Those that a server has connected to, in the order in which they were there. */
    List<LatePeer> called() {
        return called;
    }

    /** A peer that waits to be accepted; null: there is none. */
    LatePeer nextWaiting() {
        return waiting.poll();
    }

    boolean isSomebodyWaiting() {
        return !waiting.isEmpty();
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
        throw new UnsupportedOperationException("the proactor connects");
    }

    @Override
    public Poller poller() {
        throw new UnsupportedOperationException("there is no readiness here");
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
            LatePeer peer = nextWaiting();
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

    /** What stands for a peer between its being accepted and adopted. */
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
            peer.serverClosed();
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
