package io.trivet.nio;

import io.trivet.net.Addresses;
import io.trivet.net.Capability;
import io.trivet.net.Clock;
import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.ListenOptions;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The network on java.nio: its channels are the sockets, its selector is the poller. Immutable, for any thread. */
final class NioNetwork implements Network {
    /** Ends the message of each exception about something that java.nio cannot do. */
    static final String ALTERNATIVES = "the networks epoll, poll and select on Linux can";

    private static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

    static {
        NioErrors.preload();
    }

    /** Creates a channel. */
    interface ChannelFactory<C> {
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
            case URGENT_DATA, DESCRIPTORS, REGULAR_FILES, KEEP_ALIVE_OPTIONS, INHERITED_OPTIONS -> false;
        };
    }

    @Override
    public Clock clock() {
        return Clock.SYSTEM;
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog) throws IOException {
        return listen(address, backlog, ListenOptions.none());
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog, ListenOptions options) throws IOException {
        if (options.isIpv6Only()) {
            return listenIpv6Only(address, backlog);
        }
        if (backlog < 1) {
            throw new IllegalArgumentException("backlog must be at least 1, was " + backlog);
        }
        UnixAddress unix = UnixAddress.isUnix(address) ? UnixAddress.parse(address.getHostString()) : null; // validated
        if (unix != null) {
            return NioUnixListener.listen(this, unix, backlog);
        }
        ProtocolFamily family = family(address);
        ServerSocketChannel channel = open(() -> ServerSocketChannel.open(family));
        try {
            // Not on Windows, where the option would let a second socket bind a port that already has a listener. There, a port in
            // TIME_WAIT can be bound without it.
            if (!WINDOWS) {
                channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            }
            options.apply(channel::setOption);
            channel.bind(address, backlog);
            return new NioTcpListener(this, channel, (InetSocketAddress) channel.getLocalAddress());
        } catch (UnsupportedOperationException e) {
            channel.close();
            throw new UnsupportedOperationException("java.nio cannot set these options of a listener: " + options, e);
        } catch (IOException e) {
            channel.close();
            throw NioErrors.failure("bind", address, e);
        }
    }

    @Override
    public TcpStream connect(InetSocketAddress address) throws IOException {
        return connect(address, null);
    }

    @Override
    public TcpStream connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        if (local != null) {
            Addresses.checkFamilies(local, address);
        }
        UnixAddress unix = UnixAddress.isUnix(address) ? UnixAddress.parse(address.getHostString()) : null; // validated
        ProtocolFamily family = unix != null ? StandardProtocolFamily.UNIX : family(address);
        SocketAddress target = unix != null ? NioUnixListener.nioAddress(unix) : address;
        SocketChannel channel = open(() -> SocketChannel.open(family));
        if (local != null) {
            bind(channel, local);
        }
        try {
            boolean connected = channel.connect(target);
            if (connected && unix == null) {
                NioTcpStream.refuseSelf(channel);
            }
            return new NioTcpStream(this, channel, address, connected, null);
        } catch (IOException e) {
            channel.close();
            if (isConnectOutcome(e)) {
                return new NioTcpStream(this, channel, address, false, e);
            }
            NetworkException failure = NioErrors.failure("connect", address, e);
            if (local != null && local.getPort() != 0 && failure.code() == ErrorCode.EADDRNOTAVAIL) {
                throw new NetworkException("connect", address, ErrorCode.EADDRINUSE, "EADDRINUSE, a connection from "
                        + Addresses.toString(local) + " to this address exists, or has ended less than a minute ago");
            }
            throw failure;
        }
    }

    /** Binds before a connect. A fixed port may be in TIME_WAIT, or in use for another peer; not on Windows, as for listeners. */
    private static void bind(SocketChannel channel, InetSocketAddress local) throws IOException {
        try {
            if (!WINDOWS && local.getPort() != 0) {
                channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            }
            channel.bind(local);
        } catch (IOException e) {
            channel.close();
            throw NioErrors.failure("bind", local, e);
        } catch (RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Returns whether a failure of a connect came from the peer or the network, as opposed to the local system. */
    private static boolean isConnectOutcome(IOException e) {
        return switch (NioErrors.code(e)) {
            case ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENOENT, EPROTOTYPE -> true;
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
            throw NioErrors.failure("bind", address, e);
        }
    }

    @Override
    public Pipe pipe() throws IOException {
        java.nio.channels.Pipe pipe;
        try {
            pipe = java.nio.channels.Pipe.open();
        } catch (IOException e) {
            throw NioErrors.failure("pipe", null, e);
        }
        NioPipe ends = new NioPipe(this, pipe);
        try {
            pipe.source().configureBlocking(false);
            pipe.sink().configureBlocking(false);
            return ends;
        } catch (IOException e) {
            ends.close();
            throw NioErrors.failure("pipe", null, e);
        }
    }

    @Override
    public Descriptor descriptor(int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("a descriptor must not be negative: " + fd);
        }
        throw new UnsupportedOperationException("java.nio cannot use file descriptors: " + ALTERNATIVES);
    }

    @Override
    public SendableFile openFile(Path path) throws IOException {
        try {
            return new NioFile(FileChannel.open(path));
        } catch (UnsupportedOperationException e) { // not every file system has channels
            return Network.super.openFile(path);
        }
    }

    @Override
    public Poller poller() throws IOException {
        try {
            return new NioPoller(Selector.open());
        } catch (IOException e) {
            throw NioErrors.failure("selector", null, e);
        }
    }

    /** Creates a channel in non-blocking mode. */
    static <C extends SelectableChannel> C open(ChannelFactory<C> factory) throws IOException {
        C channel;
        try {
            channel = factory.open();
        } catch (UnsupportedOperationException e) { // thrown by the JDK where there is no IPv6, or no Unix domain sockets
            NetworkException failure = new NetworkException("socket", null, ErrorCode.EAFNOSUPPORT);
            failure.initCause(e);
            throw failure;
        } catch (IOException e) {
            throw NioErrors.failure("socket", null, e);
        }
        try {
            channel.configureBlocking(false);
            return channel;
        } catch (IOException e) {
            channel.close();
            throw NioErrors.failure("socket", null, e);
        }
    }

    private static ProtocolFamily family(InetSocketAddress address) throws UnknownHostException {
        return resolved(address) instanceof Inet6Address ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET;
    }

    static InetAddress resolved(InetSocketAddress address) throws UnknownHostException {
        InetAddress ip = address.getAddress();
        if (ip == null) {
            throw new UnknownHostException("unknown host " + address.getHostString()
                    + ": the address is not resolved. new InetSocketAddress(name, port) looks a name up");
        }
        return ip;
    }

    @Override
    public String toString() {
        return name();
    }
}
