package io.trivet.contract;

import io.trivet.net.Network;
import io.trivet.net.UnavailableException;
import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.TortureNetwork;
import java.util.List;
import java.util.function.Supplier;

/**
 * An engine under test, or a variant of it.
 *
 * @param name the name of the engine, as in the table of {@code docs/engines.md}
 * @param variant how it differs from the engine of that name, as a suffix of its title; empty for the engine itself
 * @param opener opens a network for one test; throws {@link UnavailableException} if the engine is not available here
 */
public record Engine(String name, String variant, Supplier<Network> opener) {
    private static final long SEED = 1;

    /** The engines of the table. A new engine is one more line. */
    public static final List<Engine> ALL = List.of(
            named("epoll"),
            named("poll"),
            named("select"),
            named("nio"),
            simulated("sim", "", SimEngine.EPOLL));

    /** The engines with sockets of the operating system. */
    public static final List<Engine> REAL = ALL.subList(0, 4);

    /** The simulated network in the modes of the other engines. It must behave like them in every case. Not in the table. */
    static final List<Engine> SIMULATED = List.of(
            simulated("poll", " simulated", SimEngine.POLL),
            simulated("select", " simulated", SimEngine.SELECT));

    /** An engine behind the torture network without faults. No test may see a difference. Not in the table. */
    static final Engine PASS_THROUGH = tortured("epoll", " passed through", FaultPlan.none());

    /**
     * An engine whose calls transfer fewer bytes than possible, or report that they would block although they would not. The lists that
     * select returns must not depend on that. Not in the table.
     */
    static final Engine TORTURED = tortured("poll", " tortured", TortureNetwork.defaults()
            .with(Fault.ACCEPT_WOULD_BLOCK, 0.02)
            .with(Fault.CONNECT_LATE, 0.02)
            .with(Fault.ACCEPT_NO_DESCRIPTOR, 0)
            .with(Fault.READY_SPURIOUS, 0)
            .with(Fault.READY_LATE, 0)
            .with(Fault.READY_FEWER, 0));

    private static final String ON_VIRTUAL_THREAD = " on a virtual thread";

    /** Engines whose tests run on virtual threads, which wait in another way. Not in the table. */
    static final List<Engine> ON_VIRTUAL_THREADS = List.of(
            new Engine("epoll", ON_VIRTUAL_THREAD, () -> Network.named("epoll")),
            new Engine("poll", ON_VIRTUAL_THREAD, () -> Network.named("poll")),
            new Engine("select", ON_VIRTUAL_THREAD, () -> Network.named("select")),
            new Engine("nio", ON_VIRTUAL_THREAD, () -> Network.named("nio")));

    private static Engine named(String name) {
        return new Engine(name, "", () -> Network.named(name));
    }

    private static Engine tortured(String name, String variant, FaultPlan plan) {
        return new Engine(name, variant, () -> TortureNetwork.of(Network.named(name), SEED, plan));
    }

    private static Engine simulated(String name, String variant, SimEngine engine) {
        return new Engine(name, variant, () -> SimNetwork.of(SEED, FaultPlan.none(), engine));
    }

    /** Returns the display name of a test run on this engine. */
    String title() {
        return name + variant;
    }

    /** Returns whether a test runs on a virtual thread. */
    boolean isOnVirtualThread() {
        return variant.equals(ON_VIRTUAL_THREAD);
    }

    /** Returns whether the network is simulated: it has one thread, and no access to programs, files and signals of the machine. */
    boolean isSimulated() {
        return opener.get() instanceof SimNetwork;
    }

    /** Returns why the engine is not available here, or an empty string if it is. */
    String unavailableReason() {
        try {
            return opener.get().name().isEmpty() ? "it has no name" : "";
        } catch (UnavailableException e) {
            return e.reason();
        }
    }
}
