package io.trivet.sim;

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
 * A simulated network, down to the kernel's rules of readiness, on which one seed decides everything: how reads and writes are
 * cut, what fails and when, in which order readiness is reported, and how time passes. The same seed and the same calls give the
 * same run.
 *
 * {@snippet :
 * SimNetwork network = SimNetwork.of(seed, FaultPlan.of(seed));
 * Server server = Server.builder().network(network).listen(address).handler(yourHandler).open();
 * SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
 * TcpStream client = clients.connect(server.address());
 * client.write(bytes);
 * network.run(Duration.ofSeconds(1));        // the server is turned, and a simulated second passes in microseconds
 * client.read(answer);
 * }
 *
 * <p>The network is also its first host.
 *
 * <p><b>What is simulated.</b> Linux, compared with a real kernel by random scripts: descriptor tables with the lowest free
 * number first, and their limits; TCP with backlogs and repeated connect attempts, half-close in both directions, resets with
 * bytes in the queues, errors that are reported once, send buffers of which a third must be free before they are writable,
 * low-water marks, urgent data with its mark, SO_OOBINLINE, SO_LINGER, and input left unread by a close; UDP with datagrams that
 * nothing receives; pipes by the page; readiness as select, poll and epoll report it; and completions as io_uring delivers them,
 * with few buffers, memory that is read late, and cancellations that come too late. {@link Fault} lists what can go wrong.
 *
 * <p><b>What is not simulated.</b> How much a kernel accepts of a large write, and how far bytes arrive in a nearly full buffer:
 * it counts its own overhead too, while here the bytes alone count. A handshake that was answered has a place in the backlog, so
 * no client is ever connected to a listener that has no place for it. There is no Nagle, no delayed acknowledgement, no
 * keep-alive and no TCP_USER_TIMEOUT (the options are stored): what was sent has arrived when the call returns, unless a fault
 * delays it. TIME_WAIT only keeps a client's port from being assigned again for a minute. An end that was closed waits for its
 * peer forever, a close with SO_LINGER does not wait at all, and a multishot receive ignores the low-water mark. Files are always
 * ready and always empty. There are no terminals, no other families of sockets, and no signals except the interrupted calls.
 *
 * <p><b>Time.</b> It passes only during {@link #run}, and during waits outside of it: a poll or a three-list call with a timeout
 * advances the network until it is over. Within {@code run}, on the turn of a loop, nothing ever waits.
 *
 * <p><b>Threads.</b> One thread uses the network with all its hosts.
 */
public final class SimNetwork extends SimHost {
    private static final InetAddress LOCALHOST = InetAddress.ofLiteral("127.0.0.1");
    private static final long ENGINE_STREAM = 0x656e67696e65L; // "engine"

    private final long seed;
    private final FaultPlan plan;
    private final List<FaultInjector> otherFaults = new ArrayList<>();

    private SimNetwork(long seed, FaultPlan plan, SimEngine engine) {
        Kernel kernel = new Kernel(seed, plan);
        super(kernel, kernel.faults, LOCALHOST, engine);
        this.seed = seed;
        this.plan = plan;
    }

    /**
     * Creates a network whose first host has an engine drawn from the seed.
     *
     * @param seed the seed of everything
     * @param plan the faults
     * @return a new network
     */
    public static SimNetwork of(long seed, FaultPlan plan) {
        SimEngine[] engines = SimEngine.values();
        return of(seed, plan, engines[new SimRandom(seed, ENGINE_STREAM).below(engines.length)]);
    }

    /**
     * Creates a network.
     *
     * @param seed the seed of everything
     * @param plan the faults
     * @param engine the engine of the first host
     * @return a new network
     */
    public static SimNetwork of(long seed, FaultPlan plan, SimEngine engine) {
        return new SimNetwork(seed, plan, engine);
    }

    /**
     * Adds a host with the same engine and the same faults.
     *
     * @param address the address its connections come from; several hosts may have the same
     * @return a new host
     */
    public SimHost host(InetAddress address) {
        return new SimHost(kernel, faults, address, engine());
    }

    /**
     * Adds a host with an engine and faults of its own. Its plan applies to its own calls and readiness. For what happens between
     * the hosts, and to the time, only the network's plan counts.
     *
     * @param address the address its connections come from; several hosts may have the same
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
     * Returns the seed of everything.
     *
     * @return the seed
     */
    public long seed() {
        return seed;
    }

    /**
     * Returns the faults of the network and its first host.
     *
     * @return the plan
     */
    public FaultPlan plan() {
        return plan;
    }

    /**
     * Returns how often each fault has occurred so far, on all hosts.
     *
     * @return a new map with a number for each fault, in the order of the constants
     */
    public Map<Fault, Long> faultCounts() {
        EnumMap<Fault, Long> counts = new EnumMap<>(Fault.class);
        for (Fault fault : Fault.values()) {
            counts.put(fault, faultCount(fault));
        }
        return Collections.unmodifiableMap(counts);
    }

    /**
     * Returns how often a fault has occurred so far, on all hosts. Allocates nothing.
     *
     * @param fault the fault
     * @return the number
     */
    public long faultCount(Fault fault) {
        long count = faults.count(fault);
        for (int i = 0; i < otherFaults.size(); i++) {
            count += otherFaults.get(i).count(fault);
        }
        return count;
    }

    /**
     * Returns the faults that have hit the connections from or to an address, so that a test knows whether it was the network
     * that cut a connection, or the server. Recorded are {@link Fault#RESET}, {@link Fault#STALL}, {@link Fault#CLOG},
     * {@link Fault#ACCEPT_ABORTED}, {@link Fault#CONNECT_REFUSED}, {@link Fault#CONNECT_UNREACHABLE},
     * {@link Fault#CONNECT_IGNORED}, {@link Fault#WATCH_REFUSED}, and {@link Fault#INTERRUPTED} where an urgent byte was to be
     * received.
     *
     * @param address a client's own address, or the address it has connected to
     * @return a copy; empty: none
     */
    public Set<Fault> faultsOf(InetSocketAddress address) {
        EnumSet<Fault> hit = EnumSet.noneOf(Fault.class);
        hit.addAll(kernel.faultsOf(address));
        return Collections.unmodifiableSet(hit);
    }

    /**
     * Returns whether the peer of an address has closed without reading everything that came from there, or before all of it had
     * arrived. A kernel answers that with a reset, so a test knows whether there was a reason for one.
     *
     * @param address a client's own address, or the address it has connected to
     * @return whether a close has left bytes from there unread
     */
    public boolean leftUnread(InetSocketAddress address) {
        return kernel.leftUnread(address);
    }

    /** Stops all faults, for the end of a run: what was stalled, clogged or withheld goes on. */
    public void stopFaults() {
        faults.stop();
        otherFaults.forEach(FaultInjector::stop);
        kernel.tcp.unclogAll();
    }

    /**
     * Sets the receiver of everything that happens, line by line. Tracing costs time; without it no text is produced.
     *
     * @param trace the receiver; null: none
     */
    public void trace(@Nullable SimTrace trace) {
        kernel.tracer = trace;
    }

    /**
     * Sets the buffer sizes of TCP sockets that are opened from now on. Otherwise they are drawn from the seed (1 to 64 KiB).
     *
     * @param sendBytes the largest number of unacknowledged bytes; 0: drawn
     * @param receiveBytes the largest number of unread bytes; 0: drawn
     */
    public void buffers(int sendBytes, int receiveBytes) {
        kernel.tcp.buffers(sendBytes, receiveBytes);
    }

    /**
     * Lets time pass. Turns the attached loops in rounds, each in a random order, and moves the clock to the next event or
     * deadline when they have nothing to do. A loop that has polled a poller or a proactor and found nothing sleeps, as a thread
     * does that waits in the kernel: it is turned again when something happens to what it polled, when it is woken up, and at its
     * deadline. A loop that polls nothing is turned in every round.
     *
     * @param duration the simulated time
     * @throws IOException if a loop fails
     * @throws IllegalStateException if called on the turn of a loop
     */
    public void run(Duration duration) throws IOException {
        if (kernel.scheduler.isTurning()) {
            throw new IllegalStateException("the network is already running: run must not be called on the turn of a loop");
        }
        long end = Math.addExact(kernel.now(), duration.toNanos());
        kernel.scheduler.wakeAll(); // since the last run, anything about their servers may have been changed
        while (kernel.now() < end && kernel.step(end)) {
            // each step is a round of the loops, or a move of the clock
        }
    }

    /**
     * Returns the number of rounds of the attached loops so far.
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
