package io.trivet.contract;

import io.trivet.net.Network;
import io.trivet.net.UnavailableException;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.Torture;
import io.trivet.sim.Torture.Fault;
import io.trivet.sim.TortureNetwork;
import java.util.List;
import java.util.function.Supplier;

/**
 * An engine under test.
 *
 * @param name its name in the table
 * @param variant what tells it from the engine itself, behind which decorator it stands; empty: it is the engine itself
 * @param opener gives a network to one test; throws {@link UnavailableException} where there is none
 */
public record Engine(String name, String variant, Supplier<Network> opener) {
    private static final long SEED = 1;

    /** All of them: an engine more is a line more. */
    public static final List<Engine> ALL = List.of(
            named("epoll"),
            named("poll"),
            named("select"),
            named("nio"),
            simulated("sim", "", SimEngine.EPOLL));

    /** Those that have the machine's own sockets. */
    public static final List<Engine> REAL = ALL.subList(0, 4);

    /** The simulated network where it answers like the other engines: it must be that engine, in every case. The table leaves it out. */
    static final List<Engine> SIMULATED = List.of(
            simulated("poll", " simulated", SimEngine.POLL),
            simulated("select", " simulated", SimEngine.SELECT));

    /** A decorator that does nothing: it must be the engine itself, in every case. No test may notice. The table leaves it out. */
    static final Engine DISGUISED = tortured("epoll", " in disguise", Torture.none());

    /** Calls that give little, take little, and would block although something was ready: no list that select answers depends on it. */
    static final Engine RELUCTANT = tortured("poll", " under torture", Torture.defaults()
            .with(Fault.ACCEPT_WOULD_BLOCK, 0.02)
            .with(Fault.LATE_CONNECT, 0.02)
            .with(Fault.ACCEPT_FAILURE, 0)
            .with(Fault.SPURIOUS_READ, 0)
            .with(Fault.SPURIOUS_WRITE, 0)
            .with(Fault.LATE_EVENT, 0)
            .with(Fault.FEWER_EVENTS, 0));

    private static Engine named(String name) {
        return new Engine(name, "", () -> Network.named(name));
    }

    private static Engine tortured(String name, String variant, Torture plan) {
        return new Engine(name, variant, () -> TortureNetwork.of(Network.named(name), SEED, plan));
    }

    private static Engine simulated(String name, String variant, SimEngine engine) {
        return new Engine(name, variant, () -> SimNetwork.of(SEED, FaultPlan.none(), engine));
    }

    /** What a run is called. */
    String title() {
        return name + variant;
    }

    /** Whether it stands on the simulated network, which has one thread and nothing of the machine's. */
    boolean isSimulated() {
        return opener.get() instanceof SimNetwork;
    }

    /** Why the engine cannot be had here; empty when it can. */
    String obstacle() {
        try {
            return opener.get().name().isEmpty() ? "it has no name" : "";
        } catch (UnavailableException e) {
            return e.reason();
        }
    }
}
