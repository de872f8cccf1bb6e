package io.trivet.sim;

import io.trivet.net.Loop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The state that all hosts of a simulated network share: the clock, the future events, the faults, TCP, UDP, and the attached
 * loops.
 */
final class Kernel {
    /**
     * The simulated duration of one round of the loops. Because of it, a loop that spins uses up simulated time, and the run
     * ends.
     */
    static final long ROUND_NANOS = 1_000;

    private static final long CLOCK_STREAM = 0x636c6f636bL; // "clock"
    private static final long ORDER_STREAM = 0x6f72646572L; // "order"
    private static final long SIZE_STREAM = 0x73697a65L; // "size"
    private static final long PORT_STREAM = 0x706f7274L; // "port"
    private static final long LATENCY_NANOS_MIN = 1_000;
    private static final long LATENCY_NANOS_MAX = 100_000_000;
    private static final long JUMP_NANOS_MIN = 1_000_000;
    private static final long JUMP_NANOS_MAX = 10_000_000_000L;

    final long seed;
    final SimClock clock;
    final EventQueue events = new EventQueue();
    /** The faults of the first host and of the network between the hosts. */
    final FaultInjector faults;
    final LoopScheduler scheduler;
    /** The random stream for sizes of buffers. */
    final SimRandom sizes;
    final TcpStack tcp;
    BufferAccounting accounting = new BufferAccounting();
    final UdpStack udp;
    @Nullable SimTrace tracer;

    /** The faults that have affected connections, by the address of either end. Never iterated over. */
    private final Map<InetSocketAddress, Set<Fault>> faultsByAddress = new HashMap<>();
    /** The addresses whose peers have closed without reading everything. Never iterated over. */
    private final Set<InetSocketAddress> unread = new HashSet<>();
    private long progress;
    private long rounds;

    Kernel(long seed, FaultPlan plan) {
        this.seed = seed;
        SimRandom random = new SimRandom(seed, CLOCK_STREAM);
        long origin = switch (random.below(3)) {
            case 0 -> 0;
            case 1 -> random.next();
            default -> Long.MAX_VALUE - random.between(1, 20_000_000_000L); // it wraps around within seconds
        };
        clock = new SimClock(origin);
        faults = new FaultInjector(seed, plan);
        scheduler = new LoopScheduler(clock, new SimRandom(seed, ORDER_STREAM));
        sizes = new SimRandom(seed, SIZE_STREAM);
        tcp = new TcpStack(this, new SimRandom(seed, PORT_STREAM));
        udp = new UdpStack(this);
        LinkClogger.start(this);
    }

    long now() {
        return clock.elapsedNanos();
    }

    /**
     * Records that something has happened that may concern a loop. Another round then follows before the clock moves to the next
     * event.
     */
    void progress() {
        progress++;
    }

    // Tracing.

    boolean isTraced() {
        return tracer != null;
    }

    /** Passes a line to the trace. Check {@link #isTraced} first, because building the line costs time. */
    void trace(String event) {
        Objects.requireNonNull(tracer).event(now(), event);
    }

    /** Traces a fault and the object it has affected, if there is a tracer. */
    void trace(Fault fault, Object subject) {
        if (tracer != null) {
            tracer.event(now(), "fault " + fault + ": " + subject);
        }
    }

    /** Traces a fault that has affected a connection, and records it for the addresses of both ends. */
    void recordFault(Fault fault, TcpEndpoint end) {
        trace(fault, end);
        noteFault(fault, end);
    }

    /** Records a fault without tracing it. */
    void noteFault(Fault fault, TcpEndpoint end) {
        faultsByAddress.computeIfAbsent(end.local, _ -> EnumSet.noneOf(Fault.class)).add(fault);
        faultsByAddress.computeIfAbsent(end.remote, _ -> EnumSet.noneOf(Fault.class)).add(fault);
    }

    /** Returns the faults that have affected connections from or to an address. */
    Set<Fault> faultsOf(InetSocketAddress address) {
        return faultsByAddress.getOrDefault(address, Set.of());
    }

    /** Records that an end was closed before it had read all bytes sent to it. The kernel then resets its peer. */
    void noteUnread(TcpEndpoint end) {
        unread.add(end.remote);
    }

    boolean leftUnread(InetSocketAddress peer) {
        return unread.contains(peer);
    }

    // Time.

    void attach(Loop loop) {
        scheduler.add(loop);
        progress++;
    }

    long rounds() {
        return rounds;
    }

    /** Draws the latency of one packet; 0 without the fault. */
    long drawLatency() {
        return faults.happens(Fault.LATENCY) ? faults.random(Fault.LATENCY).between(LATENCY_NANOS_MIN, LATENCY_NANOS_MAX) : 0;
    }

    /** Fires all events that are due. */
    void runDueEvents() {
        EventQueue.Event event = events.pollDue(now());
        while (event != null) {
            event.fire();
            event = events.pollDue(now());
        }
    }

    /**
     * Advances by one step: turns the loops once and, if none had anything to do, moves the clock to the next event or deadline.
     *
     * @param limitNanos the latest time to which the clock may be moved
     * @return false if nothing more happens before the limit; the clock is then at the limit
     */
    boolean step(long limitNanos) throws IOException {
        runDueEvents();
        if (turnLoops()) {
            clock.moveTo(now() + drawRoundNanos());
            return true;
        }
        long next = Math.min(events.next(), scheduler.nextDeadline());
        if (next > limitNanos || next == EventQueue.NEVER) {
            if (limitNanos != EventQueue.NEVER) {
                clock.moveTo(limitNanos);
                runDueEvents();
            }
            return false;
        }
        clock.moveTo(Math.max(next, now() + ROUND_NANOS)); // an expired deadline that a loop ignores must not stop the clock
        runDueEvents();
        return true;
    }

    private long drawRoundNanos() {
        if (faults.happens(Fault.CLOCK_JUMP)) {
            long jump = faults.random(Fault.CLOCK_JUMP).between(JUMP_NANOS_MIN, JUMP_NANOS_MAX);
            trace(Fault.CLOCK_JUMP, jump + " ns");
            return ROUND_NANOS + jump;
        }
        return ROUND_NANOS;
    }

    /** Runs one round of the loops. Returns whether a loop has done something, or may be able to in the next round. */
    private boolean turnLoops() throws IOException {
        if (scheduler.isTurning() || scheduler.isEmpty()) {
            return false;
        }
        rounds++;
        long before = progress;
        return scheduler.turn() > 0 || progress != before;
    }
}
