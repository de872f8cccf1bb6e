package io.trivet.nio;

import io.trivet.net.Capability;
import io.trivet.net.Clock;
import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** The channels of java.nio, and its selector. */
final class NioNetwork implements Network {
    /** What follows a refusal. */
    static final String LINUX_CAN = "the networks epoll, poll and select on Linux can";

    private static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

    static {
        Failures.load();
    }

    /** How a channel is made. */
    private interface Opening<C> {
        C open() throws IOException;
    }

    @Override
    public String name() {
        return "nio";
    }

    @Override
    public Object family() {
        return this;
    }

    @Override
    public boolean supports(Capability capability) {
        return switch (capability) {
            case URGENT_DATA, DESCRIPTORS, REGULAR_FILES -> false;
        };
    }

    @Override
    public Clock clock() {
        return Clock.SYSTEM;
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog) throws IOException {
        if (backlog < 1) {
            throw new IllegalArgumentException("backlog must be at least 1, was " + backlog);
        }
        ProtocolFamily family = family(address);
        ServerSocketChannel channel = open(() -> ServerSocketChannel.open(family));
        try {
            // On Windows the option would let a second socket take a port on which somebody listens; there a port in TIME_WAIT can
            // be taken without it.
            if (!WINDOWS) {
                channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            }
            channel.bind(address, backlog);
            return new NioTcpListener(this, channel, (InetSocketAddress) channel.getLocalAddress());
        } catch (IOException e) {
            channel.close();
            throw Failures.of("bind", address, e);
        }
    }

    @Override
    public TcpStream connect(InetSocketAddress address) throws IOException {
        ProtocolFamily family = family(address);
        SocketChannel channel = open(() -> SocketChannel.open(family));
        try {
            boolean connected = channel.connect(address);
            return new NioTcpStream(this, channel, address, connected, null);
        } catch (IOException e) {
            channel.close();
            if (isAnswer(e)) {
                return new NioTcpStream(this, channel, address, false, e);
            }
            throw Failures.of("connect", address, e);
        }
    }

    /** Whether that is what the peer or the net said, and not that we could not ask. */
    private static boolean isAnswer(IOException e) {
        return switch (Failures.code(e)) {
            case ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH -> true;
            case OTHER -> e instanceof ConnectException || e instanceof NoRouteToHostException;
            default -> false;
        };
    }

    @Override
    public UdpSocket udp(@Nullable InetSocketAddress address) throws IOException {
        ProtocolFamily family = address == null ? StandardProtocolFamily.INET : family(address);
        DatagramChannel channel = open(() -> DatagramChannel.open(family));
        try {
            if (address != null) {
                channel.bind(address);
            }
            return new NioUdpSocket(this, channel);
        } catch (IOException e) {
            channel.close();
            throw Failures.of("bind", address, e);
        }
    }

    @Override
    public Pipe pipe() throws IOException {
        java.nio.channels.Pipe pipe;
        try {
            pipe = java.nio.channels.Pipe.open();
        } catch (IOException e) {
            throw Failures.of("pipe", null, e);
        }
        NioPipe ends = new NioPipe(this, pipe);
        try {
            pipe.source().configureBlocking(false);
            pipe.sink().configureBlocking(false);
            return ends;
        } catch (IOException e) {
            ends.close();
            throw Failures.of("pipe", null, e);
        }
    }

    @Override
    public Descriptor descriptor(int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("a descriptor's number is not negative: " + fd);
        }
        throw new UnsupportedOperationException("java.nio cannot use descriptors by their numbers: " + LINUX_CAN);
    }

    @Override
    public Poller poller() throws IOException {
        try {
            return new NioPoller(Selector.open());
        } catch (IOException e) {
            throw Failures.of("selector", null, e);
        }
    }

    /** A new channel that does not block. */
    private static <C extends SelectableChannel> C open(Opening<C> opening) throws IOException {
        C channel;
        try {
            channel = opening.open();
        } catch (UnsupportedOperationException e) { // the JDK's way to say that there is no IPv6
            NetworkException failure = new NetworkException("socket", null, ErrorCode.EAFNOSUPPORT);
            failure.initCause(e);
            throw failure;
        } catch (IOException e) {
            throw Failures.of("socket", null, e);
        }
        try {
            channel.configureBlocking(false);
            return channel;
        } catch (IOException e) {
            channel.close();
            throw Failures.of("socket", null, e);
        }
    }

    private static ProtocolFamily family(InetSocketAddress address) throws UnknownHostException {
        return resolved(address) instanceof Inet6Address ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET;
    }

    static InetAddress resolved(InetSocketAddress address) throws UnknownHostException {
        InetAddress ip = address.getAddress();
        if (ip == null) {
            throw new UnknownHostException("unknown host " + address.getHostString());
        }
        return ip;
    }

    @Override
    public String toString() {
        return name();
    }
}
