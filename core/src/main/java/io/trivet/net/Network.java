package io.trivet.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A place where sockets live: the kernel through one of its readiness calls, java.nio, or a simulation. Sockets are opened here,
 * and pollers that watch them.
 *
 * <p>Named networks are singletons, and never closed. All of Linux's are one {@linkplain #family family}: a socket opened on one
 * may be watched by another. Threads: any.
 */
public interface Network {
    /**
     * The best network of this system: on Linux uring where the kernel and its settings allow a ring that pays (Linux 6.1), else epoll;
     * java.nio elsewhere, or where native access is denied to Trivet (which is then logged, once). {@link #engines} tells why one is not
     * available.
     *
     * @return the network
     */
    static Network system() {
        return Networks.system();
    }

    /**
     * The network of that name: {@code epoll}, {@code poll}, {@code select} (Linux), {@code nio} (anywhere);
     * {@code uring}, whose proactor is a ring of the kernel, and whose poller is epoll (Linux 6.0).
     *
     * @param name the name
     * @return the network
     * @throws UnavailableException unknown, or not available here; the message says why, and the cure
     */
    static Network named(String name) {
        return Networks.named(name);
    }

    /**
     * Every network that has a name, and whether it can be had here.
     *
     * @return one entry a name, the best first
     */
    static List<EngineStatus> engines() {
        return Networks.engines();
    }

    /**
     * The name of this network.
     *
     * @return for instance {@code epoll}
     */
    String name();

    /**
     * What sockets must have in common to stand in one call.
     *
     * @return compared by identity
     */
    Object family();

    /**
     * The member of this family that answers a single question fastest: for Linux {@code poll}, since a fresh epoll costs 35
     * times as much for one call.
     *
     * @return a network of the same family; by default this one
     */
    default Network forOneCall() {
        return this;
    }

    /**
     * Whether this network can do that.
     *
     * @param capability what is asked about
     * @return true if it can
     */
    boolean supports(Capability capability);

    /**
     * The time that this network lives in.
     *
     * @return the clock
     */
    Clock clock();

    /**
     * Listens for TCP connections, with SO_REUSEADDR: a port whose last connections linger in TIME_WAIT can be taken, one on which
     * somebody listens cannot. The wildcard IPv6 address takes IPv4 too.
     *
     * @param address the address and port; port 0: the kernel chooses
     * @param backlog how many connections may wait to be accepted, at least 1; the kernel caps it (net.core.somaxconn)
     * @return the listener
     * @throws NetworkException {@link ErrorCode#EADDRINUSE}, {@link ErrorCode#EACCES}, …; the message names the address
     * @throws java.net.UnknownHostException the address is unresolved
     * @throws IOException another error
     */
    TcpListener listen(InetSocketAddress address, int backlog) throws IOException;

    /**
     * Begins to connect, and does not wait. When the stream is writable, {@link TcpStream#finishConnect} tells how it went: what
     * the peer or the net answered (refused, unreachable) is told there, also if it is known at once.
     *
     * @param address the address
     * @return the stream, connecting
     * @throws NetworkException no descriptor, no local port, …
     * @throws java.net.UnknownHostException the address is unresolved
     * @throws IOException another error
     */
    TcpStream connect(InetSocketAddress address) throws IOException;

    /**
     * Opens a UDP socket.
     *
     * @param address where to bind it; null: to no address yet (IPv4)
     * @return the socket
     * @throws NetworkException the kernel refuses; the message names the address
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
     * A descriptor of this network by its number.
     *
     * @param fd the number, from 0
     * @return an object for the lists; borrowed, see {@link Descriptor}
     * @throws UnsupportedOperationException the network has no descriptors ({@link Capability#DESCRIPTORS})
     */
    Descriptor descriptor(int fd);

    /**
     * Opens a poller.
     *
     * @return a new one, which the caller closes
     * @throws IOException the kernel refuses
     */
    Poller poller() throws IOException;

    /**
     * Opens a proactor.
     *
     * @return a new one, which the caller closes; by default a {@link ReadinessProactor} over a poller of this network
     * @throws IOException the kernel refuses
     */
    default Proactor proactor() throws IOException {
        return new ReadinessProactor(this);
    }

    /**
     * Asks once which sockets are ready, and forgets them: what select(2) does, and what {@code Select} stands on. A socket may
     * stand in several entries; each is answered on its own. Errors and hang-ups are answered as select(2) does, see
     * {@link Interest#fold}; they end the wait only where they fold into something that was asked for.
     *
     * <p>The wait is ended by readiness, when its time is over, or by an interrupt of the thread: then the answer is 0 if nothing is
     * ready, and the interrupt status stays set. A signal does not end it.
     *
     * @param sockets the sockets, {@code count} of them, of this network's family; unchanged
     * @param interests for each the bits of {@link Interest} to watch; changed in place to those of them that are ready
     * @param count how many entries
     * @param timeoutNanos negative: no limit; 0: does not wait; else the longest wait in nanoseconds, never cut short by rounding
     * @return how many entries are not 0
     * @throws ClosedSocketException one is closed; {@code interests} is then undefined, as after every exception
     * @throws UnsupportedOperationException this network cannot watch that, and says which can
     * @throws NetworkException the kernel refuses: {@link ErrorCode#EBADF} names the descriptor that is not open
     * @throws IOException another error
     */
    default int selectOnce(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        return PollerBackedSelect.select(this, sockets, interests, count, timeoutNanos);
    }

    /**
     * Tells the network of a loop that must be turned. A real network does nothing: threads turn its loops. A simulated one turns
     * them, in an order drawn from its seed.
     *
     * @param loop the loop
     */
    default void attach(Loop loop) {}

    /**
     * Whether this network turns the loops that are {@linkplain #attach attached} to it, all on one thread: a simulated one does.
     *
     * @return true: nobody else needs to turn them
     */
    default boolean turnsLoops() {
        return false;
    }
}
