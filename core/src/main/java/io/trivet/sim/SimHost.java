package io.trivet.sim;

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
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One process on a simulated network: an address, a descriptor table of its own, and an engine as which it answers. The network itself is
 * the first, at 127.0.0.1; clients that must not share a table or an address with the server live on {@linkplain SimNetwork#host others}.
 * Any host reaches any listener.
 *
 * <p><b>Threads.</b> One.
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
     * Where its connections come from.
     *
     * @return the address
     */
    public final InetAddress address() {
        return address;
    }

    /**
     * As which engine it answers.
     *
     * @return the engine
     */
    public final SimEngine engine() {
        return engine;
    }

    /**
     * Sets how many descriptors it may have (RLIMIT_NOFILE): numbers are below that, and 0 to 2 are taken. What is open stays open.
     *
     * @param limit the limit
     */
    public final void descriptorLimit(int limit) {
        descriptors.limit(limit);
    }

    /**
     * How many descriptors are open, those of pollers and proactors among them.
     *
     * @return the number
     */
    public final int openDescriptors() {
        return descriptors.open();
    }

    /**
     * The open descriptors with what they stand for: the answer to a leak.
     *
     * @return one line; empty: none
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
            case URGENT_DATA, DESCRIPTORS -> true;
            case REGULAR_FILES -> engine == SimEngine.SELECT || engine == SimEngine.POLL;
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
        checkResolved(where);
        checkOwn(where);
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
        checkResolved(where);
        checkRoom("socket");
        if (faults.happens(Fault.SOCKET_REFUSED)) {
            kernel.trace(Fault.SOCKET_REFUSED, this);
            throw new NetworkException("socket", null, REFUSALS[faults.random(Fault.SOCKET_REFUSED).below(REFUSALS.length)]);
        }
        TcpEndpoint end = kernel.tcp.connect(source(where), where);
        SimTcpStream stream = new SimTcpStream(this, end, descriptors.add(end, "socket", null), false);
        return stream;
    }

    /** From where it reaches an address. */
    final InetAddress source(InetSocketAddress to) {
        return to.getAddress() instanceof Inet6Address && address.isLoopbackAddress() ? LOOPBACK_6 : address;
    }

    /**
     * Opens a file that is always ready and always empty, as /dev/null is.
     *
     * @return its descriptor, which stays open
     * @throws NetworkException no descriptor is left
     */
    public final Descriptor openFile() throws NetworkException {
        return new SimDescriptor(this, descriptors.add(new RegularFile(kernel), "open", null));
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

    private static void checkResolved(InetSocketAddress where) throws UnknownHostException {
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
            throw new IllegalArgumentException("a descriptor's number is not negative: " + fd);
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

    /** A socket of this host, as ours. */
    final SimSocket own(Socket socket) {
        if (socket instanceof SimSocket ours && ours.host == this) {
            return ours;
        }
        throw new IllegalArgumentException(
                socket + " belongs to the network " + Objects.requireNonNull(socket).network().name() + ", and not to this one, "
                        + name());
    }

    /** A socket of this host was closed. */
    final void closed(SimSocket socket) {
        noteChange();
        kernel.progress();
    }

    /** A socket of this host has become something else without anything having happened to it: it was closed, or has another option. */
    final void noteChange() {
        changes++;
        kernel.scheduler.wakeAll(); // the pollers look at everything again
    }

    /** How often that was so. */
    final long changes() {
        return changes;
    }

    /** Until when a wait that begins now may last. */
    final long waitLimit(long timeoutNanos) {
        if (timeoutNanos == 0 || kernel.scheduler.isTurning()) {
            return -1;
        }
        kernel.scheduler.wakeAll(); // whoever waits may have done anything to their servers before
        long now = kernel.now();
        return timeoutNanos < 0 || timeoutNanos > EventQueue.NEVER - now ? EventQueue.NEVER : now + timeoutNanos;
    }

    /** Lets the network go on, as part of a wait; whether the caller should look again. */
    final boolean advance(long limit) throws IOException {
        if (limit < 0 || kernel.now() >= limit || Thread.currentThread().isInterrupted()) {
            return false;
        }
        if (kernel.step(limit)) {
            return true;
        }
        if (limit == EventQueue.NEVER) {
            throw new IllegalStateException("the simulated network is at rest: this wait would never end");
        }
        return true; // once more, at the end of the time
    }

    @Override
    public String toString() {
        return name() + " " + address.getHostAddress();
    }
}
