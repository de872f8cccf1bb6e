package io.trivet.sim;

import io.trivet.net.Loop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A network that is simulated, down to the kernel's rules of readiness, and in which one seed decides everything: how reads and writes are
 * cut, what fails and when, in which order readiness comes, and how time passes. The same seed and the same calls give the same run.
 *
 * {@snippet :
 * SimNetwork network = SimNetwork.of(seed, FaultPlan.of(seed));
 * Server server = Server.builder().network(network).listen(address).handler(yourHandler).open();
 * SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
 * TcpStream client = clients.connect(server.address());
 * client.write(bytes);
 * network.run(Duration.ofSeconds(1));        // the server is turned, and a second passes: in microseconds of ours
 * client.read(answer);
 * }
 *
 * <p>The network is also its first host.
 *
 * <p><b>What is simulated.</b> As Linux has it, and held against a real kernel with random scripts: descriptor tables, the lowest free number
 * first, up to their limits; TCP with backlogs and repeated attempts to connect, half-close both ways, resets with bytes in the queues, errors
 * that are told once, buffers of which a third must be free before they count as writable, low-water marks, urgent data with its mark,
 * SO_OOBINLINE, SO_LINGER, an input that was not read before a close; UDP with datagrams that nobody takes; pipes by the page; readiness as
 * select, poll and epoll tell it; and completions as io_uring tells them, with few buffers, memory that is looked at late, and cancellations that
 * come too late. What can go wrong says {@link Fault}.
 *
 * <p><b>What is left open.</b> How much a kernel takes of a large write, and how far into a nearly full buffer bytes arrive: it counts its own
 * records of them too; here the bytes alone count. A handshake that was answered has its place in the backlog, so no client is ever connected
 * to a listener that has none for it. There is no Nagle, no delayed acknowledgement, no keep-alive and no TCP_USER_TIMEOUT (the
 * options are remembered): whatever was sent has arrived when the call returns, unless a fault delays it. TIME_WAIT is seen only in that a port of
 * a client is not drawn again for a minute. An end that was closed waits for its peer for ever, a close with SO_LINGER does not wait at all, and
 * a multishot receive ignores the low-water mark. Files are always ready and always empty; there are no terminals, no other families of
 * sockets, no signals but for the calls that they interrupt.
 *
 * <p><b>Time.</b> It passes only by {@link #run}, and by waits outside of it: a poll or a three-list call with a timeout lets the network go
 * on until it is over. Within {@code run}, on the turn of a loop, nothing ever waits.
 *
 * <p><b>Threads.</b> One.
 */
public final class SimNetwork extends SimHost {
    private static final InetAddress LOCALHOST = InetAddress.ofLiteral("127.0.0.1");
    private static final long ENGINES = 0x656e67696e65L; // "engine"

    private final long seed;
    private final FaultPlan plan;
    private final List<FaultInjector> otherFaults = new ArrayList<>();

    private SimNetwork(long seed, FaultPlan plan, SimEngine engine) {
        Kernel world = new Kernel(seed, plan);
        super(world, world.faults, LOCALHOST, engine);
        this.seed = seed;
        this.plan = plan;
    }

    /**
     * A network that answers like an engine drawn from the seed.
     *
     * @param seed what everything is drawn from
     * @param plan the faults
     * @return a new network
     */
    public static SimNetwork of(long seed, FaultPlan plan) {
        SimEngine[] engines = SimEngine.values();
        return of(seed, plan, engines[new SimRandom(seed, ENGINES).below(engines.length)]);
    }

    /**
     * A network that answers like that engine.
     *
     * @param seed what everything is drawn from
     * @param plan the faults
     * @param engine the engine of the first host
     * @return a new network
     */
    public static SimNetwork of(long seed, FaultPlan plan, SimEngine engine) {
        return new SimNetwork(seed, plan, engine);
    }

    /**
     * Another host, with the same engine and the same faults.
     *
     * @param address where its connections come from; several hosts may have the same
     * @return a new host
     */
    public SimHost host(InetAddress address) {
        return new SimHost(kernel, faults, address, engine());
    }

    /**
     * Another host with an engine and faults of its own. The plan decides what happens to its own calls and its readiness; what happens
     * between the hosts, and to the time, is in the network's plan alone.
     *
     * @param address where its connections come from; several hosts may have the same
     * @param hostEngine its engine
     * @param hostPlan its faults
     * @return a new host
     */
    public SimHost host(InetAddress address, SimEngine hostEngine, FaultPlan hostPlan) {
        FaultInjector own = new FaultInjector(seed + otherFaults.size() + 1, hostPlan);
        otherFaults.add(own);
        return new SimHost(kernel, own, address, hostEngine);
    }

    /**
     * What everything is drawn from.
     *
     * @return the seed
     */
    public long seed() {
        return seed;
    }

    /**
     * The faults of the network and its first host.
     *
     * @return the plan
     */
    public FaultPlan plan() {
        return plan;
    }

    /**
     * How often each kind of fault has happened so far, on all hosts.
     *
     * @return a new map with a number for each kind, in the order of the kinds
     */
    public Map<Fault, Long> faultCounts() {
        EnumMap<Fault, Long> fired = new EnumMap<>(Fault.class);
        for (Fault kind : Fault.values()) {
            fired.put(kind, faultCount(kind));
        }
        return Collections.unmodifiableMap(fired);
    }

    /**
     * How often a kind of fault has happened so far, on all hosts. Nothing is allocated.
     *
     * @param kind the kind
     * @return the number
     */
    public long faultCount(Fault kind) {
        long count = faults.count(kind);
        for (int i = 0; i < otherFaults.size(); i++) {
            count += otherFaults.get(i).count(kind);
        }
        return count;
    }

    /**
     * What has struck the connections from or to an address: which of {@link Fault#RESET}, {@link Fault#STALL},
     * {@link Fault#CLOG}, {@link Fault#ACCEPT_ABORTED}, {@link Fault#CONNECT_REFUSED}, {@link Fault#CONNECT_UNREACHABLE},
     * {@link Fault#CONNECT_IGNORED}, and {@link Fault#INTERRUPTED} where an urgent byte was to be taken. So a judge knows whether it was the net that cut a connection, or the server.
     *
     * @param address a client's own address, or where it has connected to
     * @return the kinds, as they are now; empty: none
     */
    public Set<Fault> faultsOf(InetSocketAddress address) {
        EnumSet<Fault> kinds = EnumSet.noneOf(Fault.class);
        kinds.addAll(kernel.faultsOf(address));
        return Collections.unmodifiableSet(kinds);
    }

    /**
     * Whether whoever was connected to an address has closed without reading all that had come from there, or before all of it had come: a
     * kernel answers that with a reset. So a judge knows whether there was a reason for one.
     *
     * @param address a client's own address, or where it has connected to
     * @return whether bytes from there were left unread by a close
     */
    public boolean leftUnread(InetSocketAddress address) {
        return kernel.leftUnread(address);
    }

    /** From now on no fault happens any more, and what was stalled, clogged or withheld goes on: for the end of a run. */
    public void stopFaults() {
        faults.stop();
        otherFaults.forEach(FaultInjector::stop);
        kernel.tcp.release();
    }

    /**
     * Tells a listener of everything that happens, line by line. It costs time; without one no text is made.
     *
     * @param trace the listener; null: nobody listens
     */
    public void trace(@Nullable SimTrace trace) {
        kernel.tracer = trace;
    }

    /**
     * Sizes the buffers of TCP sockets that are opened from now on, which are drawn from the seed otherwise (1 to 64 KiB).
     *
     * @param sendBytes what waits unacknowledged at most; 0: drawn
     * @param receiveBytes what waits unread at most; 0: drawn
     */
    public void buffers(int sendBytes, int receiveBytes) {
        kernel.tcp.buffers(sendBytes, receiveBytes);
    }

    /**
     * Lets time pass: turns the attached loops again and again, each time in an order drawn anew, and moves the clock to what comes next when
     * they have nothing to do. A loop that has polled a poller or a proactor and found nothing sleeps, as a thread does that waits in a
     * kernel: it is turned again when something happens to what it polled, when it is woken up, and at its deadline. A loop that polls
     * nothing is turned in every round.
     *
     * @param duration how long
     * @throws IOException a loop cannot go on
     * @throws IllegalStateException called on the turn of a loop
     */
    public void run(Duration duration) throws IOException {
        if (kernel.scheduler.isTurning()) {
            throw new IllegalStateException("the network runs already: a loop's turn may not run it");
        }
        long end = Math.addExact(kernel.now(), duration.toNanos());
        kernel.scheduler.wakeAll(); // meanwhile anything may have been done to their servers
        while (kernel.now() < end && kernel.step(end)) {
            // each step is one round of the loops, or one leap of the clock
        }
    }

    /**
     * How many rounds of the attached loops there have been.
     *
     * @return the number
     */
    public long rounds() {
        return kernel.rounds();
    }

    @Override
    public String toString() {
        return name() + " with seed " + seed + ": " + plan;
    }
}
