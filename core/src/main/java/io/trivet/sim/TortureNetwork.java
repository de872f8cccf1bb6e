package io.trivet.sim;

import io.trivet.net.Capability;
import io.trivet.net.Clock;
import io.trivet.net.Descriptor;
import io.trivet.net.ListenOptions;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.SendableFile;
import io.trivet.net.Socket;
import io.trivet.net.SocketFile;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.net.UnixAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Injects faults into real sockets: reads of one byte, writes of three, calls that would block although the socket was ready,
 * events that are late, out of order or spurious. It wraps any other network and does what a kernel may do at any time, but
 * rarely does on a quiet machine, so that a program's own tests encounter it.
 *
 * <p>To test your server, configure it with this network. Use it for the test's clients, too, if they should be affected as well:
 *
 * {@snippet :
 * long seed = Long.getLong("torture.seed", System.nanoTime());
 * TortureNetwork network = TortureNetwork.of(Network.system(), seed);
 * try (Server server = Server.builder()
 *         .listen(new InetSocketAddress("127.0.0.1", 0))
 *         .network(network)
 *         .handler(new YourHandler())
 *         .start()) {
 *     talkTo(server.address());                     // your test, unchanged: everything sent must arrive, complete and once
 * } finally {
 *     System.out.println(network);                  // the seed, and how often each fault has occurred
 * }
 * }
 *
 * <p><b>What stays true.</b> Everything that {@link Network}, {@link Poller} and the sockets promise: no byte is lost, duplicated
 * or reordered, a datagram stays whole, and a poll returns early only for a reason. Nothing is delayed forever: a call pretends
 * to block at most three times in a row, and a ready socket may be held back for a few polls, but is then reported for as long as
 * it is ready. Urgent data is passed through unchanged. A read makes at most one read on the wrapped network. Once a low-water
 * mark is set on a stream, its reads are no longer shortened.
 *
 * <p><b>Repeating a run.</b> All decisions come from the seed. Each socket and each poller has a random stream of its own, split
 * from the seed in the order in which they are opened. A single thread that makes the same calls gets the same faults. If several
 * threads open sockets, or the kernel answers differently, the same seed gives other faults of the same distribution.
 *
 * <p><b>Threads.</b> As for the wrapped network. Sockets of this network and of the wrapped one belong to different
 * {@linkplain #family families}.
 */
@SuppressWarnings("ReferenceEquality") // networks and families are compared by identity, as Network says
public final class TortureNetwork implements Network {
    private static final FaultPlan DEFAULTS = FaultPlan.none()
            .with(Fault.SHORT_READ, 0.4)
            .with(Fault.SHORT_WRITE, 0.4)
            .with(Fault.READ_WOULD_BLOCK, 0.1)
            .with(Fault.WRITE_WOULD_BLOCK, 0.1)
            .with(Fault.ACCEPT_WOULD_BLOCK, 0.1)
            .with(Fault.ACCEPT_NO_DESCRIPTOR, 0.01)
            .with(Fault.CONNECT_LATE, 0.3)
            .with(Fault.READY_SHUFFLED, 0.5)
            .with(Fault.READY_LATE, 0.1)
            .with(Fault.READY_FEWER, 0.2)
            .with(Fault.READY_SPURIOUS, 0.03);

    private final Network inner;
    private final long seed;
    private final TortureInjector injector;
    private final Object family;
    private final TortureNetwork forOneCall;
    private boolean spuriousBefore;

    private TortureNetwork(Network inner, long seed, TortureInjector injector, Object family) {
        this.inner = inner;
        this.seed = seed;
        this.injector = injector;
        this.family = family;
        Network one = inner.forOneCall();
        this.forOneCall = one == inner ? this : new TortureNetwork(one, seed, injector, family);
    }

    /**
     * Returns the default plan: every fault that this network can inject, each with a probability of 1 to 50 percent. A protocol
     * that buffers correctly should survive it.
     *
     * @return a plan with all of {@link #faults}
     */
    public static FaultPlan defaults() {
        return DEFAULTS;
    }

    /**
     * Returns the faults that this network can inject.
     *
     * @return a new set, in the order of the constants
     */
    public static Set<Fault> faults() {
        return DEFAULTS.faults();
    }

    /**
     * Wraps a network, with the {@linkplain #defaults default plan}.
     *
     * @param inner the network that does the work
     * @param seed the seed of all faults
     * @return a network of a family of its own
     */
    public static TortureNetwork of(Network inner, long seed) {
        return of(inner, seed, DEFAULTS);
    }

    /**
     * Wraps a network.
     *
     * @param inner the network that does the work
     * @param seed the seed of all faults
     * @param plan the faults and their probabilities
     * @return a network of a family of its own
     * @throws IllegalArgumentException if the plan has a fault that is not one of {@link #faults}
     */
    public static TortureNetwork of(Network inner, long seed, FaultPlan plan) {
        Set<Fault> others = EnumSet.noneOf(Fault.class);
        others.addAll(plan.faults());
        others.removeAll(faults());
        if (!others.isEmpty()) {
            throw new IllegalArgumentException("a TortureNetwork cannot inject " + others + ", only " + faults()
                    + "; start from TortureNetwork.defaults()");
        }
        return new TortureNetwork(inner, seed, new TortureInjector(seed, plan), new Object());
    }

    /**
     * Returns the seed of all faults.
     *
     * @return the seed
     */
    public long seed() {
        return seed;
    }

    /**
     * Returns how often a fault has occurred so far, on all sockets and pollers of this network. Any thread.
     *
     * @param fault the fault
     * @return the number; 0 for a fault that is not one of {@link #faults}
     */
    public long faultCount(Fault fault) {
        return injector.injected(fault);
    }

    /**
     * Returns how often each fault has occurred so far. Any thread.
     *
     * @return a new map with a number for each of {@link #faults}, in the order of the constants
     */
    public Map<Fault, Long> faultCounts() {
        Map<Fault, Long> counts = new EnumMap<>(Fault.class);
        for (Fault fault : faults()) {
            counts.put(fault, faultCount(fault));
        }
        return Collections.unmodifiableMap(counts);
    }

    /** Returns an injector with its own random stream, for a new socket or poller. */
    TortureInjector splitInjector() {
        return injector.split();
    }

    /** Casts a socket of this family. Throws an exception for any other socket. */
    TorturedSocket<?> own(Socket socket) {
        if (socket instanceof TorturedSocket<?> own && own.network().family() == family) {
            return own;
        }
        throw new IllegalArgumentException(
                socket + " belongs to the network " + socket.network().name() + ", and not to this one, "
                        + name());
    }

    @Override
    public String name() {
        return "torture of " + inner.name();
    }

    @Override
    public Object family() {
        return family;
    }

    @Override
    public Network forOneCall() {
        return forOneCall;
    }

    @Override
    public boolean supports(Capability capability) {
        return inner.supports(capability);
    }

    @Override
    public Clock clock() {
        return inner.clock();
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog) throws IOException {
        return new TorturedListener(this, inner.listen(address, backlog));
    }

    @Override
    public TcpListener listen(InetSocketAddress address, int backlog, ListenOptions options) throws IOException {
        return new TorturedListener(this, inner.listen(address, backlog, options));
    }

    @Override
    public TcpListener listen(UnixAddress address, SocketFile file, int backlog) throws IOException {
        return new TorturedListener(this, inner.listen(address, file, backlog));
    }

    @Override
    public TcpListener listenIpv6Only(InetSocketAddress address, int backlog) throws IOException {
        return new TorturedListener(this, inner.listenIpv6Only(address, backlog));
    }

    @Override
    public TcpStream connect(InetSocketAddress address) throws IOException {
        return connect(address, null);
    }

    @Override
    public TcpStream connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        return new TorturedStream(this, inner.connect(address, local), false);
    }

    @Override
    public UdpSocket udp(@Nullable InetSocketAddress address) throws IOException {
        return new TorturedUdpSocket(this, inner.udp(address));
    }

    @Override
    public Pipe pipe() throws IOException {
        return new TorturedPipe(this, inner.pipe());
    }

    /** {@inheritDoc} Only short reads and short writes are injected, because the descriptor may be in blocking mode. */
    @Override
    public Descriptor descriptor(int fd) {
        return new TorturedDescriptor(this, inner.descriptor(fd));
    }

    @Override
    public SendableFile openFile(Path path) throws IOException {
        return inner.openFile(path);
    }

    @Override
    public Poller poller() throws IOException {
        return new TorturedPoller(this, inner.poller());
    }

    @Override
    public int selectOnce(Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        Socket[] below = new Socket[count];
        for (int i = 0; i < count; i++) {
            below[i] = own(sockets[i]).inner;
        }
        Spurious spurious = drawSpurious(sockets, interests, count);
        int ready = inner.selectOnce(below, interests, count, spurious == null ? timeoutNanos : 0);
        if (spurious == null) {
            return delay(interests, count);
        }
        if (interests[spurious.entry] != 0) {
            return ready; // it is really ready
        }
        interests[spurious.entry] = spurious.event;
        injector.count(Fault.READY_SPURIOUS);
        return ready + 1;
    }

    /** An entry to report although it may not be ready. */
    private record Spurious(int entry, int event) {}

    private synchronized @Nullable Spurious drawSpurious(Socket[] sockets, int[] interests, int count) {
        boolean wanted = !spuriousBefore && injector.shouldInject(Fault.READY_SPURIOUS);
        spuriousBefore = false;
        if (!wanted || count == 0) {
            return null;
        }
        int entry = injector.below(count);
        int event = ReadinessFaults.spurious(injector, own(sockets[entry]), interests[entry]);
        spuriousBefore = event != 0;
        return event == 0 ? null : new Spurious(entry, event);
    }

    private synchronized int delay(int[] interests, int count) {
        ReadinessFaults.delay(injector, interests, count);
        int ready = 0;
        for (int i = 0; i < count; i++) {
            ready += interests[i] == 0 ? 0 : 1;
        }
        return ready;
    }

    @Override
    public void attach(Loop loop) {
        inner.attach(loop);
    }

    @Override
    public System.Logger logger(String name) {
        return inner.logger(name);
    }

    @Override
    public String toString() {
        return name() + " with seed " + seed + ": " + faultCounts();
    }
}
