package io.trivet.sim;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A simulated network that follows the kernel's rules of readiness. One seed decides everything: how reads and writes are split,
 * what fails and when, in which order readiness is reported, and how time passes. The same seed and the same calls give the same
 * run.
 *
 * {@snippet :
 * SimNetwork network = SimNetwork.of(seed, FaultPlan.of(seed));
 * Server server = Server.builder().network(network).listen(address).handler(yourHandler).open();
 * SimHost clients = network.host(InetAddress.ofLiteral("10.0.0.1"));
 * TcpStream client = clients.connect(server.address());
 * client.write(bytes);
 * network.run(Duration.ofSeconds(1));        // runs the server for a simulated second, in microseconds
 * client.read(answer);
 * }
 *
 * <p>The network is also its first host.
 *
 * <p><b>What is simulated.</b> The network behaves like Linux, and random scripts compare it with a real kernel:
 * <ul>
 * <li>descriptor tables with limits, which assign the lowest free number first;
 * <li>TCP: backlogs and repeated connect attempts, half-close in both directions, resets with bytes in the queues, errors that
 * are reported once, send buffers of which a third must be free before they are writable, low-water marks, urgent data with its
 * mark, SO_OOBINLINE, SO_LINGER, and input left unread by a close;
 * <li>UDP, including datagrams that nothing receives;
 * <li>pipes, in pages;
 * <li>readiness, as select, poll and epoll report it;
 * <li>completions, as io_uring delivers them: with few buffers, memory that is read late, and cancellations that come too late.
 * </ul>
 * {@link Fault} lists what can go wrong.
 *
 * <p><b>What is not simulated.</b>
 * <ul>
 * <li>How much a kernel accepts of a large write, and how many bytes arrive in a nearly full buffer. A kernel counts its own
 * overhead too; here only the bytes count.
 * <li>Clients that are connected to a listener without a place for them. Here a handshake that was answered has a place in the
 * backlog.
 * <li>Nagle's algorithm, delayed acknowledgements, keep-alive and TCP_USER_TIMEOUT (the options are stored). Sent bytes have
 * arrived when the call returns, unless a fault delays them.
 * <li>TIME_WAIT, except that a client's port is not assigned again for a minute.
 * <li>Waiting after a close. An end that was closed waits for its peer forever, and a close with SO_LINGER does not wait at all.
 * <li>The low-water mark of a multishot receive, which ignores it.
 * <li>The content of files, which are always ready and always empty.
 * <li>Terminals, other families of sockets, and signals, except the interrupted calls.
 * </ul>
 *
 * <p><b>Time.</b> Time passes only during {@link #run}, and during waits outside of it: a poll or a three-list call with a
 * timeout advances the network until the call returns. Within {@code run}, during a loop's turn, no call waits.
 *
 * <p><b>Threads.</b> Not thread-safe: a single thread uses the network and all its hosts.
 */
public final class SimNetwork extends SimHost {
    private static final InetAddress LOCALHOST = InetAddress.ofLiteral("127.0.0.1");
    private static final long ENGINE_STREAM = 0x656e67696e65L; // "engine"
    private static final long SECURE_STREAM = 0x746c73L; // "tls"

    private final long seed;
    private final FaultPlan plan;
    private final List<FaultInjector> otherFaults = new ArrayList<>();
    private @Nullable SecureRandom secureRandom;

    private SimNetwork(long seed, FaultPlan plan, SimEngine engine) {
        Kernel kernel = new Kernel(seed, plan);
        super(kernel, kernel.faults, LOCALHOST, engine);
        this.seed = seed;
        this.plan = plan;
    }

    /**
     * Creates a network whose first host has an engine drawn from the seed.
     *
     * @param seed the seed that decides everything
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
     * @param seed the seed that decides everything
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
     * @param address the source address of its connections; several hosts may have the same
     * @return a new host
     */
    public SimHost host(InetAddress address) {
        return new SimHost(kernel, faults, address, engine());
    }

    /**
     * Adds a host with its own engine and faults. Its plan applies to the calls and the readiness on this host. Faults between
     * the hosts, and jumps of the clock, follow only the network's plan.
     *
     * @param address the source address of its connections; several hosts may have the same
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
     * Returns the seed that decides everything.
     *
     * @return the seed
     */
    public long seed() {
        return seed;
    }

    /**
     * Returns a source of randomness that depends on the seed alone, for TLS on this network. It is predictable: never use it on a
     * real network.
     *
     * {@snippet :
     * TlsServer tls = TlsServer.builder().certificate(chain, key).secureRandom(network.secureRandom()).build();
     * }
     *
     * <p>With settings that were made for this run, the same seed then gives the same run, at the same times and with records of the
     * same lengths. What is sent is the same byte for byte, too, if the certificate has an Ed25519 key, except for session tickets,
     * which contain the real time. This is not from the seed:
     * <ul>
     * <li>The JDK draws the randomness of ECDSA and RSA signatures from its own source. An ECDSA signature varies in length by a few
     * bytes, and so may the run.
     * <li>Certificates are checked against the real time. Those of a test should be valid for long.
     * <li>A client forgets the sessions that it could resume when the JVM's memory is scarce. A run that must not depend on that
     * makes new settings for each connection.
     * </ul>
     *
     * @return the source, always the same object
     */
    public SecureRandom secureRandom() {
        SecureRandom random = secureRandom;
        if (random == null) {
            random = new SimSecureRandom(new SimRandom(seed, SECURE_STREAM));
            secureRandom = random;
        }
        return random;
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
     * Returns the faults that have affected the connections from or to an address. A test can use it to find out whether the
     * network or the server ended a connection. The recorded faults are {@link Fault#RESET}, {@link Fault#STALL},
     * {@link Fault#CLOG}, {@link Fault#ACCEPT_ABORTED}, {@link Fault#CONNECT_REFUSED}, {@link Fault#CONNECT_UNREACHABLE},
     * {@link Fault#CONNECT_IGNORED}, {@link Fault#WATCH_REFUSED}, and {@link Fault#INTERRUPTED} if it interrupted the receipt of
     * an urgent byte.
     *
     * @param address a client's own address, or the address it has connected to
     * @return a copy; empty if there were none
     */
    public Set<Fault> faultsOf(InetSocketAddress address) {
        EnumSet<Fault> hit = EnumSet.noneOf(Fault.class);
        hit.addAll(kernel.faultsOf(address));
        return Collections.unmodifiableSet(hit);
    }

    /**
     * Returns whether the peer of an address closed its socket before it had read all bytes sent from that address, including
     * bytes that had not arrived yet. The kernel then resets the connection, so this explains a reset.
     *
     * @param address a client's own address, or the address it has connected to
     * @return whether a close left bytes from that address unread
     */
    public boolean leftUnread(InetSocketAddress address) {
        return kernel.leftUnread(address);
    }

    /** Stops all faults, for the end of a run. Traffic that was stalled, clogged or withheld resumes. */
    public void stopFaults() {
        faults.stop();
        otherFaults.forEach(FaultInjector::stop);
        kernel.tcp.unclogAll();
    }

    /**
     * Sets the receiver of the trace, which has one line for each event. Without a receiver no text is produced, which is faster.
     * What a server on this network logs, at all levels, is a part of the trace, and goes nowhere else.
     *
     * @param trace the receiver; null for none
     */
    public void trace(@Nullable SimTrace trace) {
        kernel.tracer = trace;
    }

    /**
     * Sets the buffer sizes of TCP sockets that are opened from now on. By default, they are drawn from the seed (1 to 64 KiB).
     *
     * @param sendBytes the largest number of unacknowledged bytes; 0 to draw it from the seed
     * @param receiveBytes the largest number of unread bytes; 0 to draw it from the seed
     */
    public void buffers(int sendBytes, int receiveBytes) {
        kernel.tcp.buffers(sendBytes, receiveBytes);
    }

    /**
     * Advances the simulated time. Turns the attached loops in rounds, each in a random order, and moves the clock to the next
     * event or deadline when they have nothing to do. A loop that has polled a poller or a proactor and found nothing sleeps,
     * like a thread that waits in the kernel. It is turned again when an event concerns what it polled, when it is woken up, and
     * at its deadline. A loop that polls nothing is turned in every round.
     *
     * @param duration the simulated time
     * @throws IOException if a loop fails
     * @throws IllegalStateException if called during a loop's turn
     */
    public void run(Duration duration) throws IOException {
        long end = startRun(duration);
        while (kernel.now() < end && kernel.step(end)) {
            // each step is a round of the loops, or a move of the clock
        }
    }

    /** Prepares a run of the loops. Returns the time at which it ends. */
    private long startRun(Duration duration) {
        if (kernel.scheduler.isTurning()) {
            throw new IllegalStateException("the network is already running: run must not be called on the turn of a loop");
        }
        kernel.scheduler.wakeAll(); // since the last run, the caller may have changed anything about a server
        return Math.addExact(kernel.now(), duration.toNanos());
    }

    /**
     * Advances the simulated time like {@link #run}, until a condition holds. The condition is checked after each step.
     *
     * @param condition the condition
     * @param limit the greatest simulated time to wait
     * @return whether the condition holds
     * @throws IOException if a loop fails
     * @throws IllegalStateException if called during a loop's turn
     */
    public boolean runUntil(BooleanSupplier condition, Duration limit) throws IOException {
        long end = startRun(limit);
        while (!condition.getAsBoolean()) {
            if (kernel.now() >= end || !kernel.step(end)) {
                return condition.getAsBoolean();
            }
        }
        return true;
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
