package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Opens sockets, and pollers that watch them: the kernel through one of its readiness calls, java.nio, or a simulation.
 *
 * <p>Named networks are singletons and are never closed. All networks of Linux form one {@linkplain #family family}: a socket
 * opened by one of them may be watched by another. Threads: any.
 *
 * <p>Applications open sockets here. {@link #poller}, {@link #proactor}, {@link #selectOnce}, {@link #forOneCall},
 * {@link #attach}, {@link #turnsLoops} and {@link #logger} belong to the provider interface (SPI), on which
 * {@code io.trivet.select} and {@code io.trivet.server} are built.
 */
public interface Network {
    /**
     * Returns the best network of this system. On Linux this is uring if the kernel and its settings allow an efficient ring
     * (Linux 6.1), otherwise epoll. On other systems it is java.nio. It is also java.nio if native access is denied to Trivet,
     * which is logged once. {@link #engines} states why an engine is not available.
     *
     * @return the network
     */
    static Network system() {
        return Networks.system();
    }

    /**
     * Returns the network with that name: {@code epoll}, {@code poll} or {@code select} (Linux), {@code uring} (Linux 6.0; its
     * proactor is an io_uring, its poller is epoll), or {@code nio} (any system).
     *
     * @param name the name
     * @return the network
     * @throws UnavailableException the name is unknown, or the network is not available here; the message states the reason and
     *     the cure
     */
    static Network named(String name) {
        return Networks.named(name);
    }

    /**
     * Returns all named networks, and whether each is available here.
     *
     * @return one entry per name, best first
     */
    static List<EngineStatus> engines() {
        return Networks.engines();
    }

    /**
     * Returns the name of this network.
     *
     * @return for instance {@code epoll}
     */
    String name();

    /**
     * Returns the family of this network. All sockets in one call must be of one family.
     *
     * @return an object that is compared by identity
     */
    Object family();

    /**
     * Returns the network of this family that is fastest for a single {@link #selectOnce}. On Linux this is {@code poll}: opening
     * an epoll for one call costs 35 times as much.
     *
     * @return a network of the same family; by default this one
     */
    default Network forOneCall() {
        return this;
    }

    /**
     * Returns the network that a server uses instead, if its builder named no network and this one cannot serve all its
     * loops: because of a limit that a single {@link #proactor} does not reach, such as that of locked memory.
     *
     * @return a network of the same family that needs less; null, as by default: there is none
     */
    default @Nullable Network fallback() {
        return null;
    }

    /**
     * Returns whether this network supports a capability.
     *
     * @param capability the capability
     * @return true if it is supported
     */
    boolean supports(Capability capability);

    /**
     * Returns this network's clock.
     *
     * @return the clock
     */
    Clock clock();

    /**
     * Listens for TCP connections, with SO_REUSEADDR: a port whose old connections are in TIME_WAIT can be bound, but not one on
     * which another socket listens. The wildcard IPv6 address also accepts IPv4.
     *
     * <p>If the address stands for a {@link UnixAddress}, listens for Unix domain streams, see {@link #listen(UnixAddress, SocketFile,
     * int)}.
     *
     * @param address the address and port; if the port is 0, the kernel chooses one
     * @param backlog the maximum number of connections waiting to be accepted, at least 1; the kernel caps it
     *     (net.core.somaxconn)
     * @return the listener
     * @throws NetworkException {@link ErrorCode#EADDRINUSE}, {@link ErrorCode#EACCES}, …; the message contains the address
     * @throws java.net.UnknownHostException the address is unresolved
     * @throws IOException another error
     */
    TcpListener listen(InetSocketAddress address, int backlog) throws IOException;

    /**
     * Listens for TCP connections like {@link #listen(InetSocketAddress, int)}, with options that are set before the bind.
     *
     * @param address the address and port; if the port is 0, the kernel chooses one
     * @param backlog the maximum number of connections waiting to be accepted, at least 1
     * @param options the options
     * @return the listener
     * @throws UnsupportedOperationException this network cannot set one of them; java.nio cannot restrict a listener to IPv6
     * @throws NetworkException as for {@link #listen(InetSocketAddress, int)}, or an option is refused
     * @throws IOException another error
     */
    default TcpListener listen(InetSocketAddress address, int backlog, ListenOptions options) throws IOException {
        if (options.equals(ListenOptions.none().withIpv6Only())) {
            return listenIpv6Only(address, backlog);
        }
        if (!options.equals(ListenOptions.none())) {
            throw new UnsupportedOperationException(name() + " cannot set options before a listener is bound");
        }
        return listen(address, backlog);
    }

    /**
     * Listens for Unix domain streams. On Linux, the streams that the listener accepts are {@link UnixStream}s.
     *
     * <p><b>The file.</b> On Linux, a file that is there already is replaced only if it is a socket, and a connect is refused: nothing
     * listens there any more. A live server is never displaced. Of several processes that start at the same time one wins, because each
     * holds a lock on the directory meanwhile (man 2 flock). The file gets its mode and owner before the first client can connect.
     * When the listener is closed, its file is removed first, unless another file has taken its place. java.nio does not replace files
     * and cannot set mode and owner.
     *
     * @param address a path, or an abstract name on Linux
     * @param file how the file is created; ignored for an abstract name
     * @param backlog the maximum number of connections waiting to be accepted, at least 1. Once it is reached, further connects of
     *     non-blocking sockets fail with {@link ErrorCode#EAGAIN}
     * @return the listener
     * @throws IllegalArgumentException the address is {@linkplain UnixAddress#unnamed unnamed}
     * @throws UnsupportedOperationException this network cannot do that
     * @throws NetworkException {@link ErrorCode#EADDRINUSE}: a server listens there, or a file is there that is not a stale socket;
     *     {@link ErrorCode#ENOENT}: the directory does not exist; {@link ErrorCode#EACCES}, …
     * @throws IOException another error
     */
    default TcpListener listen(UnixAddress address, SocketFile file, int backlog) throws IOException {
        if (!file.equals(SocketFile.defaults())) {
            throw new UnsupportedOperationException(
                    name() + " cannot set the mode and owner of a socket's file; the networks of Linux can: epoll, poll, select, uring");
        }
        return listen(address.asInetSocketAddress(), backlog);
    }

    /**
     * Starts to connect to a Unix domain socket, otherwise like {@link #connect(InetSocketAddress)}.
     *
     * @param address a path, or an abstract name on Linux
     * @return the stream, connecting; on Linux a {@link UnixStream}
     * @throws UnsupportedOperationException this network cannot do that
     * @throws IOException no descriptor, …
     */
    default TcpStream connect(UnixAddress address) throws IOException {
        return connect(address.asInetSocketAddress());
    }

    /**
     * Listens for TCP connections like {@link #listen}, but over IPv6 only (IPV6_V6ONLY): the wildcard IPv6 address leaves the port
     * free for IPv4 sockets.
     *
     * @param address an IPv6 address and port; if the port is 0, the kernel chooses one
     * @param backlog the maximum number of connections waiting to be accepted, at least 1
     * @return the listener
     * @throws UnsupportedOperationException this network cannot do that; java.nio cannot
     * @throws NetworkException as for {@link #listen}
     * @throws IOException another error
     */
    default TcpListener listenIpv6Only(InetSocketAddress address, int backlog) throws IOException {
        throw new UnsupportedOperationException(name() + " cannot listen at " + Addresses.toString(address)
                + " for IPv6 only; the networks of Linux can: epoll, poll, select, uring");
    }

    /**
     * Takes over a listening socket for TCP or Unix domain streams that was opened elsewhere, for instance by systemd before this
     * process was started. The listener owns the descriptor: closing it closes the descriptor, and leaves a Unix socket's file. From
     * now on the descriptor is not passed to programs that this process starts, and accepting never blocks.
     *
     * @param descriptor the descriptor; not to be used otherwise
     * @return the listener
     * @throws UnsupportedOperationException this network has no descriptors, as java.nio
     * @throws NetworkException {@link ErrorCode#EBADF}: it is not open; {@link ErrorCode#ENOTSOCK}: it is not a socket; {@link
     *     ErrorCode#EINVAL}: it does not listen for TCP or Unix domain streams, and the message says what it is. It stays open
     * @throws IOException another error
     */
    default TcpListener listen(Descriptor descriptor) throws IOException {
        throw new UnsupportedOperationException(
                name() + " cannot listen on a descriptor; the networks of Linux can: epoll, poll, select, uring");
    }

    /**
     * Sends a datagram to a Unix domain socket.
     *
     * @param address a path, or an abstract name that starts with {@code @}
     * @param text the contents, sent as UTF-8
     * @throws UnsupportedOperationException this network has no descriptors, as java.nio
     * @throws IllegalArgumentException the address is empty, or longer than the 107 bytes that the kernel permits
     * @throws NetworkException the kernel refuses; the message contains the address
     * @throws IOException another error
     */
    default void sendUnixDatagram(String address, String text) throws IOException {
        throw new UnsupportedOperationException(
                name() + " has no Unix datagrams; the networks of Linux have: epoll, poll, select, uring");
    }

    /**
     * Starts to connect, without waiting. When the stream is writable, {@link TcpStream#finishConnect} reports the outcome. It
     * also reports a failure that is known at once (refused, unreachable): this method does not throw it.
     *
     * @param address the address; it may stand for a {@link UnixAddress}
     * @return the stream, connecting
     * @throws NetworkException no descriptor, no local port, …
     * @throws java.net.UnknownHostException the address is unresolved
     * @throws IOException another error
     */
    TcpStream connect(InetSocketAddress address) throws IOException;

    /**
     * Starts to connect from a local address, otherwise like {@link #connect(InetSocketAddress)}: for a machine with several
     * addresses, or a firewall that expects a certain port. With port 0, the kernel chooses a port that is free for this peer, so the
     * number of connections is limited for each peer, not for all together (man 7 ip, IP_BIND_ADDRESS_NO_PORT; java.nio cannot do that). A
     * fixed port allows one connection to each peer. After its end, the port is in use for another minute for the same peer, if this side
     * has closed first (TIME_WAIT).
     *
     * @param address the address; not that of a Unix domain socket, unless the local address is null
     * @param local an address of this machine, of the same family, and the port, or 0; null: any
     * @return the stream, connecting
     * @throws NetworkException {@link ErrorCode#EADDRNOTAVAIL}: this machine has no such address, or no local port is free; {@link
     *     ErrorCode#EADDRINUSE}: another socket has the port; {@link ErrorCode#EACCES}: the port needs a privilege; {@link
     *     ErrorCode#EAFNOSUPPORT}: one of the addresses is IPv4 and the other IPv6, or one is a Unix address; {@link ErrorCode#EOPNOTSUPP}: this
     *     network cannot do that, as by default
     * @throws IOException as for {@link #connect(InetSocketAddress)}
     */
    default TcpStream connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        if (local == null) {
            return connect(address);
        }
        throw new NetworkException("bind", local, ErrorCode.EOPNOTSUPP,
                "EOPNOTSUPP, " + name() + " cannot choose the local address of a connection");
    }

    /**
     * Opens a UDP socket.
     *
     * @param address the address to bind to; null: none yet (IPv4)
     * @return the socket
     * @throws NetworkException the kernel refuses; the message contains the address
     * @throws java.net.UnknownHostException the address is unresolved
     * @throws IOException another error
     */
    UdpSocket udp(@Nullable InetSocketAddress address) throws IOException;

    /**
     * Opens a pipe.
     *
     * @return both ends
     * @throws IOException the kernel refuses
     */
    Pipe pipe() throws IOException;

    /**
     * Wraps a descriptor by its number.
     *
     * @param fd the number, at least 0
     * @return an object for the lists; the descriptor is borrowed, see {@link Descriptor}
     * @throws UnsupportedOperationException the network has no descriptors ({@link Capability#DESCRIPTORS})
     */
    Descriptor descriptor(int fd);

    /**
     * Opens a regular file, so that its bytes can be sent: {@link TcpStream#sendFile}.
     *
     * @param path the file, on any file system
     * @return the file, which the caller closes. By default it can only be read
     * @throws IOException the file cannot be opened
     */
    default SendableFile openFile(Path path) throws IOException {
        return new StreamedFile(path);
    }

    /**
     * Returns an object that moves bytes between streams within the kernel, for one proactor.
     *
     * @return the object, which the caller closes; null if the network has none, as by default
     */
    default @Nullable Splicing splicing() {
        return null;
    }

    /**
     * Opens a poller.
     *
     * @return a new poller, which the caller closes
     * @throws IOException the kernel refuses
     */
    Poller poller() throws IOException;

    /**
     * Opens a proactor.
     *
     * @return a new proactor, which the caller closes; by default a {@link ReadinessProactor} over a poller of this network
     * @throws IOException the kernel refuses
     */
    default Proactor proactor() throws IOException {
        return new ReadinessProactor(this);
    }

    /**
     * Waits once until one of several sockets is ready, as select(2) does; {@code Select} is built on it. No socket stays
     * registered. A socket may appear in several entries, and each gets its own result. Errors and hang-ups are reported as
     * select(2) does, see {@link Interest#fold}. They end the wait only if they fold into an interest that was asked for.
     *
     * <p>The wait ends when a socket is ready, when the timeout expires, or when the thread is interrupted. After an interrupt
     * the result is 0 if nothing is ready, and the interrupt status stays set. A signal does not end it.
     *
     * @param sockets the sockets, {@code count} of them, of this network's family; not modified
     * @param interests for each socket the bits of {@link Interest} to watch; replaced by the bits that are ready
     * @param count the number of entries
     * @param timeoutNanos negative: waits without limit; 0: does not wait; otherwise the maximum wait in nanoseconds, never
     *     shortened by rounding
     * @return the number of entries that are not 0
     * @throws ClosedSocketException a socket is closed; {@code interests} is then undefined, as after every exception
     * @throws UnsupportedOperationException this network cannot watch a socket; the message names networks that can
     * @throws NetworkException the kernel refuses; {@link ErrorCode#EBADF} names the descriptor that is not open
     * @throws IOException another error
     */
    default int selectOnce(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return PollerBackedSelect.select(this, sockets, interests, count, timeoutNanos);
    }

    /**
     * Registers a loop that has to be turned. A real network does nothing: threads turn its loops. A simulated network turns them
     * itself, in an order drawn from its seed.
     *
     * @param loop the loop
     */
    default void attach(Loop loop) {}

    /**
     * Returns whether this network turns the {@linkplain #attach attached} loops, all on one thread. A simulated network does.
     *
     * @return true if no thread is needed to turn them
     */
    default boolean turnsLoops() {
        return false;
    }

    /**
     * Returns the logger for what happens on this network. A simulated network makes the lines a part of its trace, so that
     * thousands of runs with faults log nothing unless they are traced.
     *
     * @param name the name of the logger
     * @return by default, the system's logger with that name
     */
    default System.Logger logger(String name) {
        return System.getLogger(name);
    }
}
