package io.trivet.sim;

import io.trivet.net.Addresses;
import io.trivet.net.Capability;
import io.trivet.net.ClosedSocketException;
import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.Proactor;
import io.trivet.net.ReadinessProactor;
import io.trivet.net.SendableFile;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One process on a simulated network, with an address, a descriptor table and an engine. The network itself is the first host, at
 * 127.0.0.1. Clients that should not share a table or an address with the server get
 * {@linkplain SimNetwork#host hosts of their own}. Every host can connect to every listener.
 *
 * <p><b>Threads.</b> Not thread-safe: a single thread uses the network and all its hosts.
 */
@SuppressWarnings("ReferenceEquality") // hosts are compared by identity, as Network says of families
public sealed class SimHost implements Network permits SimNetwork {
    private static final InetSocketAddress NOWHERE = new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 0);
    private static final InetAddress LOOPBACK_6 = InetAddress.ofLiteral("::1");
    private static final ErrorCode[] REFUSALS = {ErrorCode.EMFILE, ErrorCode.ENFILE, ErrorCode.ENOBUFS, ErrorCode.ENOMEM};

    final Kernel kernel;
    final FaultInjector faults;
    final DescriptorTable descriptors = new DescriptorTable();
    private final InetAddress address;
    private final SimEngine engine;
    private long changes;

    SimHost(Kernel kernel, FaultInjector faults, InetAddress address, SimEngine engine) {
        this.kernel = kernel;
        this.faults = faults;
        this.address = address;
        this.engine = engine;
    }

    /**
     * Returns the source address of this host's connections.
     *
     * @return the address
     */
    public final InetAddress address() {
        return address;
    }

    /**
     * Returns the engine that this host simulates.
     *
     * @return the engine
     */
    public final SimEngine engine() {
        return engine;
    }

    /**
     * Limits the descriptors of this host (RLIMIT_NOFILE). A new descriptor has a number from 3 to one less than the limit.
     * Descriptors that are already open stay open.
     *
     * @param limit the limit, 1,048,576 by default
     */
    public final void descriptorLimit(int limit) {
        descriptors.limit(limit);
    }

    /**
     * Returns how many descriptors are open, including one for each poller and proactor.
     *
     * @return the number
     */
    public final int openDescriptors() {
        return descriptors.open();
    }

    /**
     * Describes the open descriptors, to find a leak.
     *
     * @return one line; empty if none is open
     */
    public final String describeDescriptors() {
        return descriptors.toString();
    }

    @Override
    public String name() {
        return "sim " + engine;
    }

    @Override
    public final Object family() {
        return this;
    }

    @Override
    public final boolean supports(Capability capability) {
        return switch (capability) {
            case URGENT_DATA, DESCRIPTORS, KEEP_ALIVE_OPTIONS -> true;
            case REGULAR_FILES -> engine == SimEngine.SELECT || engine == SimEngine.POLL;
            case INHERITED_OPTIONS -> false; // so that a server sets each option on the connection, where trials check it
        };
    }

    @Override
    public final SimClock clock() {
        return kernel.clock;
    }

    @Override
    public final TcpListener listen(InetSocketAddress where, int backlog) throws IOException {
        if (backlog < 1) {
            throw new IllegalArgumentException("backlog must be at least 1, was " + backlog);
        }
        if (!UnixAddress.isUnix(where)) {
            checkResolved(where);
            checkOwn(where);
        }
        checkRoom("socket");
        ListeningSocket listening = kernel.tcp.listen(where, backlog);
        int number = descriptors.add(listening, "socket", null);
        if (kernel.isTraced()) {
            kernel.trace(listening + ", descriptor " + number);
        }
        return new SimTcpListener(this, listening, number);
    }

    @Override
    public final TcpStream connect(InetSocketAddress where) throws IOException {
        return connect(where, null);
    }

    @Override
    public final TcpStream connect(InetSocketAddress where, @Nullable InetSocketAddress from) throws IOException {
        if (!UnixAddress.isUnix(where)) {
            checkResolved(where);
        }
        if (from != null) {
            Addresses.checkFamilies(from, where);
            checkOwn(from);
        }
        checkRoom("socket");
        if (faults.happens(Fault.SOCKET_REFUSED)) {
            kernel.trace(Fault.SOCKET_REFUSED, this);
            throw new NetworkException("socket", null, REFUSALS[faults.random(Fault.SOCKET_REFUSED).below(REFUSALS.length)]);
        }
        InetAddress source = from == null || from.getAddress().isAnyLocalAddress() ? source(where) : from.getAddress();
        TcpEndpoint end = kernel.tcp.connect(source, from == null ? 0 : from.getPort(), where);
        return new SimTcpStream(this, end, descriptors.add(end, "socket", null), false);
    }

    /**
     * Starts to connect to a Unix domain socket from a name of its own, as a client of Linux does that calls bind before connect. The
     * server sees the name as the remote address, so it can tell such clients apart.
     *
     * @param where the server's address
     * @param name the client's name, which no other socket should have; its uniqueness is not checked
     * @return the stream, connecting
     * @throws NetworkException no descriptor
     */
    public final TcpStream connect(UnixAddress where, UnixAddress name) throws NetworkException {
        checkRoom("socket");
        TcpEndpoint end = kernel.tcp.connect(name.asInetSocketAddress(), where.asInetSocketAddress());
        return new SimTcpStream(this, end, descriptors.add(end, "socket", null), false);
    }

    /** Returns the source address of traffic to an address. */
    final InetAddress source(InetSocketAddress to) {
        return to.getAddress() instanceof Inet6Address && address.isLoopbackAddress() ? LOOPBACK_6 : address;
    }

    /**
     * Opens a file that is always ready and always empty, like /dev/null.
     *
     * @return its descriptor, which stays open when the returned object is closed
     * @throws NetworkException if no descriptor is left (EMFILE)
     */
    public final Descriptor openFile() throws NetworkException {
        return new SimDescriptor(this, descriptors.add(new RegularFile(kernel), "open", null));
    }

    /** {@inheritDoc} On engines that report readiness, the simulated kernel sends a file of the default file system by itself. A file of another
     * file system is read piece by piece. The content is that on the disk. */
    @Override
    public final SendableFile openFile(Path path) throws IOException {
        return path.getFileSystem().equals(FileSystems.getDefault()) ? new SimFile(path) : Network.super.openFile(path);
    }

    private void checkRoom(String call) throws NetworkException {
        if (!descriptors.hasRoom()) {
            throw new NetworkException(call, null, ErrorCode.EMFILE);
        }
    }

    private void checkOwn(InetSocketAddress where) throws NetworkException {
        InetAddress asked = where.getAddress();
        boolean own = asked.isAnyLocalAddress() || asked.equals(address)
                || (asked.isLoopbackAddress() && address.isLoopbackAddress());
        if (!own) {
            throw new NetworkException("bind", where, ErrorCode.EADDRNOTAVAIL);
        }
    }

    static void checkResolved(InetSocketAddress where) throws UnknownHostException {
        if (where.isUnresolved()) {
            throw new UnknownHostException(where.getHostString());
        }
    }

    @Override
    public final UdpSocket udp(@Nullable InetSocketAddress where) throws IOException {
        if (where != null) {
            checkResolved(where);
            checkOwn(where);
        }
        checkRoom("socket");
        UdpEndpoint end = new UdpEndpoint(kernel, NOWHERE);
        if (where != null) {
            kernel.udp.bind(end, where);
        }
        return new SimUdpSocket(this, end, descriptors.add(end, "socket", null));
    }

    @Override
    public final Pipe pipe() throws IOException {
        PipeBuffer pipe = new PipeBuffer(kernel);
        int source = descriptors.add(pipe.source, "pipe", null);
        if (!descriptors.hasRoom()) {
            descriptors.remove(source);
            throw new NetworkException("pipe", null, ErrorCode.EMFILE);
        }
        return new SimPipe(this, pipe, source, descriptors.add(pipe.sink, "pipe", null));
    }

    @Override
    public final Descriptor descriptor(int fd) {
        if (fd < 0) {
            throw new IllegalArgumentException("fd must be at least 0, was " + fd);
        }
        return new SimDescriptor(this, fd);
    }

    @Override
    public final Poller poller() throws IOException {
        return switch (engine) {
            case SELECT -> new SimSelectPoller(this);
            case POLL -> new SimPollPoller(this);
            case EPOLL, URING -> new SimEpollPoller(this);
        };
    }

    @Override
    public final Proactor proactor() throws IOException {
        return engine == SimEngine.URING ? new SimProactor(this) : new ReadinessProactor(this);
    }

    @Override
    public final int selectOnce(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        int[] asked = interests.clone();
        long limit = waitLimit(timeoutNanos);
        while (true) {
            kernel.runDueEvents();
            int ready = 0;
            for (int i = 0; i < count; i++) {
                SimSocket socket = own(sockets[i]);
                if (!socket.isOpen()) {
                    throw new ClosedSocketException(socket.toString());
                }
                interests[i] = Interest.fold(socket.file().ready(), asked[i]);
                ready += interests[i] == 0 ? 0 : 1;
            }
            if (ready > 0 || !advance(limit)) {
                return ready;
            }
        }
    }

    @Override
    public final void attach(Loop loop) {
        kernel.attach(loop);
    }

    @Override
    public final boolean turnsLoops() {
        return true;
    }

    /**
     * Returns a logger whose lines, of all levels, are events of the {@linkplain SimNetwork#trace trace}. Without a trace it
     * discards them.
     */
    @Override
    public final System.Logger logger(String name) {
        return new SimLogger(kernel, name);
    }

    /** Casts a socket of this host. Throws an exception for any other socket. */
    final SimSocket own(Socket socket) {
        if (socket instanceof SimSocket ours && ours.host == this) {
            return ours;
        }
        throw new IllegalArgumentException(
                socket + " belongs to the network " + Objects.requireNonNull(socket).network().name() + ", and not to this one, "
                        + name());
    }

    /** Called when a socket was closed, or an option changed: its readiness may have changed without an event. */
    final void noteChange() {
        changes++;
        kernel.scheduler.wakeAll(); // the scanning pollers check every registration again
    }

    /** Returns how often {@link #noteChange} was called. */
    final long changes() {
        return changes;
    }

    /** Returns the time until which a wait that starts now may last; negative if the caller must not wait. */
    final long waitLimit(long timeoutNanos) {
        if (timeoutNanos == 0 || kernel.scheduler.isTurning()) {
            return -1;
        }
        kernel.scheduler.wakeAll(); // the caller may have changed anything about a server before this wait
        long now = kernel.now();
        return timeoutNanos < 0 || timeoutNanos > EventQueue.NEVER - now ? EventQueue.NEVER : now + timeoutNanos;
    }

    /** Advances the network by one step, as part of a wait. Returns whether the caller should check again. */
    final boolean advance(long limit) throws IOException {
        if (limit < 0 || kernel.now() >= limit || Thread.currentThread().isInterrupted()) {
            return false;
        }
        if (kernel.step(limit)) {
            return true;
        }
        if (limit == EventQueue.NEVER) {
            throw new IllegalStateException(
                    "this wait would never end: no event, deadline or loop is left on the simulated network");
        }
        return true; // check once more, at the end of the wait
    }

    @Override
    public String toString() {
        return name() + " " + address.getHostAddress();
    }
}
