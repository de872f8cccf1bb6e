package io.trivet.linux;

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
import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import io.trivet.net.Socket;
import io.trivet.net.SocketFile;
import io.trivet.net.Splicing;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A network of Linux sockets with one of the kernel's engines. Threads: any. */
final class LinuxNetwork implements Network {
    /** The readiness calls, and io_uring. */
    enum Engine {
        EPOLL, POLL, SELECT,
        /** Not a readiness call: the proactor is an io_uring, and the poller is an epoll. */
        URING
    }

    /** Shared by all networks of Linux: a socket of one can be watched by another. */
    private static final Object FAMILY = "linux";

    private final String name;
    private final Engine engine;
    private final @Nullable LinuxNetwork forOneCall;
    private final @Nullable LinuxNetwork fallback;

    /**
     * Creates a network.
     *
     * @param forOneCall the network that waits with poll(2) for a single call; null: this one
     * @param fallback the network that needs less of the kernel; null: none
     */
    LinuxNetwork(String name, Engine engine, @Nullable LinuxNetwork forOneCall, @Nullable LinuxNetwork fallback) {
        this.name = name;
        this.engine = engine;
        this.forOneCall = forOneCall;
        this.fallback = fallback;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Object family() {
        return FAMILY;
    }

    @Override
    public Network forOneCall() {
        return forOneCall == null ? this : forOneCall;
    }

    @Override
    public @Nullable Network fallback() {
        return fallback;
    }

    @Override
    public boolean supports(Capability capability) {
        return switch (capability) {
            case URGENT_DATA, DESCRIPTORS, KEEP_ALIVE_OPTIONS, INHERITED_OPTIONS -> true;
            case REGULAR_FILES -> engine == Engine.POLL || engine == Engine.SELECT;
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
    public TcpListener listenIpv6Only(InetSocketAddress address, int backlog) throws IOException {
        return listen(address, backlog, ListenOptions.none().withIpv6Only());
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog, ListenOptions options) throws IOException {
        if (backlog < 1) {
            throw new IllegalArgumentException("backlog must be at least 1, was " + backlog);
        }
        UnixAddress unix = UnixAddress.isUnix(address) ? UnixAddress.parse(address.getHostString()) : null; // validated
        if (unix != null) {
            return listen(unix, SocketFile.defaults(), backlog); // none of the options has a meaning
        }
        int family = SocketAddress.family(address);
        LinuxTcpListener listener = new LinuxTcpListener(this, open(family, Libc.SOCK_STREAM), address);
        try {
            options.apply(listener::setOption);
            listener.listen(family, backlog, options.isIpv6Only());
            return listener;
        } catch (IOException | RuntimeException e) {
            listener.close();
            throw e;
        }
    }

    @Override
    public TcpListener listen(UnixAddress address, SocketFile file, int backlog) throws IOException {
        if (backlog < 1) {
            throw new IllegalArgumentException("backlog must be at least 1, was " + backlog);
        }
        LinuxUnixListener listener = new LinuxUnixListener(this, open(Libc.AF_UNIX, Libc.SOCK_STREAM), address);
        try {
            listener.listen(address, file, backlog);
            return listener;
        } catch (IOException | RuntimeException e) {
            listener.close();
            throw e;
        }
    }

    @Override
    public TcpListener listen(Descriptor descriptor) throws IOException {
        TcpListener listener = LinuxTcpListener.of(new LinuxDescriptor(this, descriptor.fd()));
        if (descriptor instanceof LinuxDescriptor linux) {
            linux.detach(); // the listener owns it from now on
        }
        return listener;
    }

    @Override
    public void sendUnixDatagram(String address, String text) throws IOException {
        UnixDatagrams.send(address, text);
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
        int fd = open(unix != null ? Libc.AF_UNIX : SocketAddress.family(address), Libc.SOCK_STREAM);
        try {
            return unix != null ? LinuxUnixStream.connecting(this, fd, unix)
                    : LinuxTcpStream.connecting(this, fd, address, local);
        } catch (IOException | RuntimeException e) {
            Libc.close(fd);
            throw e;
        }
    }

    @Override
    public UdpSocket udp(@Nullable InetSocketAddress address) throws IOException {
        int family = address == null ? Libc.AF_INET : SocketAddress.family(address);
        LinuxUdpSocket socket = new LinuxUdpSocket(this, open(family, Libc.SOCK_DGRAM), family);
        try {
            if (address != null) {
                socket.bind(address, family, false);
            }
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    @Override
    public Pipe pipe() throws IOException {
        Scratch scratch = Scratch.ofThread();
        int result = Libc.pipe2(scratch.number.address(), Libc.O_NONBLOCK | Libc.O_CLOEXEC);
        if (result < 0) {
            throw Errno.failure("pipe", null, -result);
        }
        return new LinuxPipe(this, scratch.number.get(ValueLayout.JAVA_INT, 0), scratch.number.get(ValueLayout.JAVA_INT, 4));
    }

    @Override
    public Descriptor descriptor(int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("the number of a descriptor must be at least 0, was " + fd);
        }
        return new LinuxDescriptor(this, fd);
    }

    @Override
    public SendableFile openFile(Path path) throws IOException {
        LinuxFile file = LinuxFile.open(path);
        return file != null ? file : Network.super.openFile(path);
    }

    @Override
    public Splicing splicing() {
        return new LinuxSplicing();
    }

    @Override
    public Poller poller() throws IOException {
        return switch (engine) {
            case EPOLL, URING -> new EpollPoller(name);
            case POLL -> new PollPoller(name);
            case SELECT -> new SelectPoller(name);
        };
    }

    @Override
    public Proactor proactor() throws IOException {
        return engine == Engine.URING ? new UringProactor(this, UringSizes.DEFAULT) : Network.super.proactor();
    }

    @Override
    public int selectOnce(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return timeoutNanos != 0 && Thread.currentThread().isVirtual()
                ? ParkedSelect.select(this::selectInKernel, sockets, interests, count, timeoutNanos)
                : selectInKernel(sockets, interests, count, timeoutNanos);
    }

    /** Holds the carrier of a virtual thread while it waits. */
    private int selectInKernel(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return switch (engine) {
            case EPOLL, URING -> {
                OneShotPoll.checkBorrowed(sockets, count, "epoll_ctl");
                try {
                    yield Network.super.selectOnce(sockets, interests, count, timeoutNanos);
                } catch (NetworkException e) {
                    if (e.code() != ErrorCode.EMFILE && e.code() != ErrorCode.ENFILE) {
                        throw e;
                    }
                    yield OneShotPoll.poll(sockets, interests, count, timeoutNanos); // needs no descriptor, as an epoll does
                }
            }
            case POLL -> OneShotPoll.poll(sockets, interests, count, timeoutNanos);
            case SELECT -> OneShotPoll.select(sockets, interests, count, timeoutNanos);
        };
    }

    private static int open(int family, int type) throws IOException {
        int fd = Libc.socket(family, type | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw Errno.failure("socket", null, -fd);
        }
        return fd;
    }

    @Override
    public String toString() {
        return name;
    }
}
