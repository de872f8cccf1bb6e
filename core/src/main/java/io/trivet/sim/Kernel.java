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

/** What all hosts of a simulated network have in common: the time, what is to happen, the faults, who listens, and whose turn it is. */
final class Kernel {
    /** What a round of the loops costs, so that a loop that spins uses up its time instead of the machine's. */
    static final long ROUND_NANOS = 1_000;

    private static final long ORIGINS = 0x636c6f636bL; // "clock"
    private static final long ORDERS = 0x6f72646572L; // "order"
    private static final long SIZES = 0x73697a65L; // "size"
    private static final long PORTS = 0x706f7274L; // "port"

    final long seed;
    final SimClock clock;
    final EventQueue events = new EventQueue();
    /** Of the net between the hosts, and of the first host. */
    final FaultInjector faults;
    final LoopScheduler scheduler;
    final SimRandom sizes;
    final TcpStack tcp;
    BufferAccounting accounting = new BufferAccounting();
    final UdpStack udp;
    @Nullable SimTrace tracer;

    /** Looked up, never gone through. */
    private final Map<InetSocketAddress, Set<Fault>> struck = new HashMap<>();
    /** Whose peers have left bytes unread that they had sent. Looked up, never gone through. */
    private final Set<InetSocketAddress> unread = new HashSet<>();
    private long progress;
    private long rounds;

    Kernel(long seed, FaultPlan plan) {
        this.seed = seed;
        SimRandom origins = new SimRandom(seed, ORIGINS);
        long origin = switch (origins.below(3)) {
            case 0 -> 0;
            case 1 -> origins.next();
            default -> Long.MAX_VALUE - origins.between(1, 20_000_000_000L); // it wraps around within seconds
        };
        clock = new SimClock(origin);
        faults = new FaultInjector(seed, plan);
        scheduler = new LoopScheduler(clock, new SimRandom(seed, ORDERS));
        sizes = new SimRandom(seed, SIZES);
        tcp = new TcpStack(this, new SimRandom(seed, PORTS));
        udp = new UdpStack(this);
        LinkClogger.begin(this);
    }

    long now() {
        return clock.elapsedNanos();
    }

    /** Something has happened that a loop may have to know. */
    void progress() {
        progress++;
    }

    boolean isTraced() {
        return tracer != null;
    }

    /** Tells the listener; ask {@link #isTraced} first, since the line costs something. */
    void trace(String event) {
        Objects.requireNonNull(tracer).event(now(), event);
    }

    /** Tells the listener of a fault that concerns something. */
    void trace(Fault fault, Object subject) {
        if (tracer != null) {
            tracer.event(now(), "fault " + fault + ": " + subject);
        }
    }

    /** A fault has struck one connection: tells the listener, and remembers it by the addresses of both ends. */
    void recordFault(Fault fault, TcpEndpoint end) {
        trace(fault, end);
        noteFault(fault, end);
    }

    /** Remembers it, and tells nobody. */
    void noteFault(Fault fault, TcpEndpoint end) {
        struck.computeIfAbsent(end.local, _ -> EnumSet.noneOf(Fault.class)).add(fault);
        struck.computeIfAbsent(end.remote, _ -> EnumSet.noneOf(Fault.class)).add(fault);
    }

    /** What has struck connections from or to an address. */
    Set<Fault> faultsOf(InetSocketAddress address) {
        return struck.getOrDefault(address, Set.of());
    }

    /** One end was closed while bytes lay there that nobody had read, or they came after that: its peer is reset. */
    void noteUnread(TcpEndpoint end) {
        unread.add(end.remote);
    }

    boolean leftUnread(InetSocketAddress peer) {
        return unread.contains(peer);
    }

    void attach(Loop loop) {
        scheduler.add(loop);
        progress++;
    }

    long rounds() {
        return rounds;
    }

    /** Lets everything happen that is due by now. */
    void runDueEvents() {
        EventQueue.Event event = events.pollDue(now());
        while (event != null) {
            event.fire();
            event = events.pollDue(now());
        }
    }

    /**
     * Goes on by one step: turns the loops once and, if none had anything to do, moves the clock to what comes next.
     *
     * @param limitNanos how far the clock may be moved
     * @return false: nothing more happens before the limit, where the clock now stands
     */
    boolean step(long limitNanos) throws IOException {
        runDueEvents();
        if (turnLoops()) {
            clock.moveTo(now() + roundNanos());
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
        clock.moveTo(Math.max(next, now() + ROUND_NANOS)); // a deadline that is over, and nothing is done, must not stop the clock
        runDueEvents();
        return true;
    }

    private long roundNanos() {
        if (faults.happens(Fault.CLOCK_JUMP)) {
            long jump = faults.random(Fault.CLOCK_JUMP).between(1_000_000, 10_000_000_000L);
            trace(Fault.CLOCK_JUMP, jump + " ns");
            return ROUND_NANOS + jump;
        }
        return ROUND_NANOS;
    }

    /** One round of the loops; whether anything was done, or may have become possible. */
    private boolean turnLoops() throws IOException {
        if (scheduler.isTurning() || scheduler.isEmpty()) {
            return false;
        }
        rounds++;
        long before = progress;
        return scheduler.turn() > 0 || progress != before;
    }
}
