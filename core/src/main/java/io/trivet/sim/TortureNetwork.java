package io.trivet.sim;

import io.trivet.net.Capability;
import io.trivet.net.Clock;
import io.trivet.net.Descriptor;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.net.Poller;
import io.trivet.net.Socket;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import io.trivet.sim.Torture.Fault;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A real network at its worst: sockets that give one byte and take three, that would block although they were ready, events that come
 * late, out of order, or without a reason. Everything a kernel may do at any time and does not do on a quiet machine, over any other
 * network, so that a program's own tests meet it.
 *
 * <p>To run the tests of your server under it, give it this network, and the test's clients too if they are to suffer as well:
 *
 * {@snippet :
 * long seed = Long.getLong("torture.seed", System.nanoTime());
 * TortureNetwork network = TortureNetwork.of(Network.system(), seed);
 * try (Server server = Server.builder()
 *         .listen(new InetSocketAddress("127.0.0.1", 0))
 *         .network(network)
 *         .handler(new YourHandler())
 *         .start()) {
 *     talkTo(server.address());                     // your test, unchanged: what is sent must arrive, whole and once
 * } finally {
 *     System.out.println(network);                  // the seed, and how often each fault has happened
 * }
 * }
 *
 * <p><b>What stays true.</b> All that {@link Network}, {@link Poller} and the sockets promise: no byte is lost, doubled or reordered, a
 * datagram stays whole, a poll ends early only for a reason, and nothing is held up for ever. What is ready may count as not ready yet
 * for a few polls, and is reported then until it no longer is. Urgent data passes untouched, and a read here is one read below, or none.
 * Which faults there are, and how often they happen, says a {@link Torture}.
 *
 * <p><b>Repeating a run.</b> All decisions come from the seed: each socket and each poller draws its own from it, in the order in which
 * they are opened. A single thread that makes the same calls meets the same faults. Where several threads open sockets, or the kernel
 * answers differently, the same seed gives other faults of the same distribution.
 *
 * <p><b>Threads.</b> Any, as below. Sockets of this network and of the one below are of two {@linkplain #family families}.
 */
@SuppressWarnings("ReferenceEquality") // networks and families are compared by identity, as Network says
public final class TortureNetwork implements Network {
    private final Network inner;
    private final long seed;
    private final Dice dice;
    private final Object family;
    private final TortureNetwork forOneCall;
    private boolean spuriousBefore;

    private TortureNetwork(Network inner, long seed, Dice dice, Object family) {
        this.inner = inner;
        this.seed = seed;
        this.dice = dice;
        this.family = family;
        Network one = inner.forOneCall();
        this.forOneCall = one == inner ? this : new TortureNetwork(one, seed, dice, family);
    }

    /**
     * Tortures with {@linkplain Torture#defaults some of everything}.
     *
     * @param inner the network that does the work
     * @param seed what the faults are drawn from
     * @return a network of a family of its own
     */
    public static TortureNetwork of(Network inner, long seed) {
        return of(inner, seed, Torture.defaults());
    }

    /**
     * Tortures by a plan.
     *
     * @param inner the network that does the work
     * @param seed what the faults are drawn from
     * @param plan the faults
     * @return a network of a family of its own
     */
    public static TortureNetwork of(Network inner, long seed, Torture plan) {
        return new TortureNetwork(inner, seed, new Dice(seed, plan), new Object());
    }

    /**
     * What the faults are drawn from.
     *
     * @return the seed
     */
    public long seed() {
        return seed;
    }

    /**
     * How often a fault has happened so far, on all sockets and pollers of this network. Any thread.
     *
     * @param fault the fault
     * @return the number, from 0
     */
    public long count(Fault fault) {
        return dice.counted(fault);
    }

    /**
     * How often each fault has happened so far. Any thread.
     *
     * @return a number for each fault, in the order of the faults
     */
    public Map<Fault, Long> counts() {
        Map<Fault, Long> counts = new EnumMap<>(Fault.class);
        for (Fault fault : Fault.values()) {
            counts.put(fault, count(fault));
        }
        return Collections.unmodifiableMap(counts);
    }

    /** Dice for a socket or a poller. */
    Dice moreDice() {
        return dice.more();
    }

    /** A socket of this family, as ours. */
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
    public TcpStream connect(InetSocketAddress address) throws IOException {
        return new TorturedStream(this, inner.connect(address), false);
    }

    @Override
    public UdpSocket udp(@Nullable InetSocketAddress address) throws IOException {
        return new TorturedUdpSocket(this, inner.udp(address));
    }

    @Override
    public Pipe pipe() throws IOException {
        return new TorturedPipe(this, inner.pipe());
    }

    /** {@inheritDoc} Of the faults, short reads and short writes alone: the descriptor may be one that blocks. */
    @Override
    public Descriptor descriptor(int fd) {
        return new TorturedDescriptor(this, inner.descriptor(fd));
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
        Spurious spurious = spurious(sockets, interests, count);
        int ready = inner.selectOnce(below, interests, count, spurious == null ? timeoutNanos : 0);
        if (spurious == null) {
            return delay(interests, count);
        }
        if (interests[spurious.entry] != 0) {
            return ready; // it is ready all the same
        }
        interests[spurious.entry] = spurious.event;
        Readiness.countSpurious(dice, spurious.event);
        return ready + 1;
    }

    /** An entry that is to be answered though it may not be ready. */
    private record Spurious(int entry, int event) {}

    private synchronized @Nullable Spurious spurious(Socket[] sockets, int[] interests, int count) {
        int wanted = spuriousBefore ? 0 : Readiness.wanted(dice);
        spuriousBefore = false;
        if (wanted == 0 || count == 0) {
            return null;
        }
        int entry = dice.below(count);
        int event = Readiness.spurious(dice, own(sockets[entry]), interests[entry], wanted);
        spuriousBefore = event != 0;
        return event == 0 ? null : new Spurious(entry, event);
    }

    private synchronized int delay(int[] interests, int count) {
        Readiness.delay(dice, interests, count);
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
    public String toString() {
        return name() + " with seed " + seed + ": " + counts();
    }
}
