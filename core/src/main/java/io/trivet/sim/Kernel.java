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
    final Agenda agenda = new Agenda();
    /** Of the net between the hosts, and of the first host. */
    final Faults faults;
    final Rota rota;
    final SimRandom sizes;
    final Tcp tcp;
    Bookkeeping bookkeeping = new Bookkeeping();
    final Udp udp;
    @Nullable SimTrace trace;

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
        faults = new Faults(seed, plan);
        rota = new Rota(clock, new SimRandom(seed, ORDERS));
        sizes = new SimRandom(seed, SIZES);
        tcp = new Tcp(this, new SimRandom(seed, PORTS));
        udp = new Udp(this);
        Clogs.begin(this);
    }

    long now() {
        return clock.elapsedNanos();
    }

    /** Something has happened that a loop may have to know. */
    void progress() {
        progress++;
    }

    boolean isTraced() {
        return trace != null;
    }

    /** Tells the listener; ask {@link #isTraced} first, since the line costs something. */
    void tell(String event) {
        Objects.requireNonNull(trace).event(now(), event);
    }

    /** Tells the listener of a fault that concerns something. */
    void tell(Fault fault, Object subject) {
        if (trace != null) {
            trace.event(now(), "fault " + fault + ": " + subject);
        }
    }

    /** A fault has struck one connection: tells the listener, and remembers it by the addresses of both ends. */
    void strikes(Fault fault, TcpEnd end) {
        tell(fault, end);
        notes(fault, end);
    }

    /** Remembers it, and tells nobody. */
    void notes(Fault fault, TcpEnd end) {
        struck.computeIfAbsent(end.local, _ -> EnumSet.noneOf(Fault.class)).add(fault);
        struck.computeIfAbsent(end.remote, _ -> EnumSet.noneOf(Fault.class)).add(fault);
    }

    /** What has struck connections from or to an address. */
    Set<Fault> struck(InetSocketAddress address) {
        return struck.getOrDefault(address, Set.of());
    }

    /** One end was closed while bytes lay there that nobody had read, or they came after that: its peer is reset. */
    void leavesUnread(TcpEnd end) {
        unread.add(end.remote);
    }

    boolean hasLeftUnread(InetSocketAddress peer) {
        return unread.contains(peer);
    }

    void attach(Loop loop) {
        rota.add(loop);
        progress++;
    }

    long rounds() {
        return rounds;
    }

    /** Lets everything happen that is due by now. */
    void happen() {
        Agenda.Event event = agenda.takeDue(now());
        while (event != null) {
            event.happen();
            event = agenda.takeDue(now());
        }
    }

    /**
     * Goes on by one step: turns the loops once and, if none had anything to do, moves the clock to what comes next.
     *
     * @param limitNanos how far the clock may be moved
     * @return false: nothing more happens before the limit, where the clock now stands
     */
    boolean step(long limitNanos) throws IOException {
        happen();
        if (turnLoops()) {
            clock.moveTo(now() + roundNanos());
            return true;
        }
        long next = Math.min(agenda.next(), rota.nextDeadline());
        if (next > limitNanos || next == Agenda.NEVER) {
            if (limitNanos != Agenda.NEVER) {
                clock.moveTo(limitNanos);
                happen();
            }
            return false;
        }
        clock.moveTo(Math.max(next, now() + ROUND_NANOS)); // a deadline that is over, and nothing is done, must not stop the clock
        happen();
        return true;
    }

    private long roundNanos() {
        if (faults.happens(Fault.CLOCK_JUMP)) {
            long jump = faults.random(Fault.CLOCK_JUMP).between(1_000_000, 10_000_000_000L);
            tell(Fault.CLOCK_JUMP, jump + " ns");
            return ROUND_NANOS + jump;
        }
        return ROUND_NANOS;
    }

    /** One round of the loops; whether anything was done, or may have become possible. */
    private boolean turnLoops() throws IOException {
        if (rota.isTurning() || rota.isEmpty()) {
            return false;
        }
        rounds++;
        long before = progress;
        return rota.turn() > 0 || progress != before;
    }
}
