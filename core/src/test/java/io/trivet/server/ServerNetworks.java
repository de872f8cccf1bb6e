package io.trivet.server;

import io.trivet.contract.Engine;
import io.trivet.linux.CrampedRing;
import io.trivet.net.Network;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.Torture;
import io.trivet.sim.Torture.Fault;
import io.trivet.sim.TortureNetwork;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Where the tests of the server run: on every engine, and on some that misbehave as a kernel may, by a seed. A network more is an entry
 * more. {@code -Dtrivet.networks=nio} runs only those whose names contain that.
 */
final class ServerNetworks {
    /** Two that are always the same, and one that is new in every run; {@code -Dtrivet.torture.seed=…} repeats it. */
    private static final List<Long> SEEDS = List.of(1L, 20_260_117L, Long.getLong("trivet.torture.seed", System.nanoTime()));

    private static final int BUFFER_BYTES = 512 << 10;

    /** Faults after which no test could say what must be; {@code EchoUnderTortureTest} has them. */
    private static final Torture PLAN = Torture.defaults()
            .with(Fault.SPURIOUS_WRITE, 0) // the kernel may still take a little when it is tried without a reason: is the socket full?
            .with(Fault.ACCEPT_WOULD_BLOCK, 0) // who is not accepted before the listener closes is reset
            .with(Fault.ACCEPT_FAILURE, 0); // it is waited for, and in most tests no time passes by itself: AdmissionTest lets it fail

    /** All of them, in the order in which a test runs on them: each engine, then each under torture, the best with two seeds. */
    static final List<Kind> ALL = Stream.of(
            Stream.of(new Kind("uring", () -> Network.named("uring")), new Kind("uring, cramped", CrampedRing::network)),
            Engine.REAL.stream().map(engine -> new Kind(engine.name(), engine.opener())),
            Stream.of(SimEngine.EPOLL, SimEngine.URING).map(engine -> new Kind("sim " + engine, () -> simulated(engine))),
            IntStream.rangeClosed(0, Engine.REAL.size()).mapToObj(i -> tortured(
                    Engine.REAL.get(i % Engine.REAL.size()), SEEDS.get((i + i / Engine.REAL.size()) % SEEDS.size()))))
            .flatMap(Function.identity())
            .filter(kind -> kind.name().contains(System.getProperty("trivet.networks", "")))
            .toList();

    private ServerNetworks() {}

    /** With buffers as large as a kernel's become, on which some tests rely. */
    private static SimNetwork simulated(SimEngine engine) {
        SimNetwork network = SimNetwork.of(SEEDS.getFirst(), FaultPlan.none(), engine);
        network.buffers(BUFFER_BYTES, BUFFER_BYTES);
        return network;
    }

    private static Kind tortured(Engine engine, long seed) {
        return new Kind(engine.name() + " under torture, seed " + seed,
                () -> TortureNetwork.of(engine.opener().get(), seed, PLAN));
    }

    /**
     * A kind of network.
     *
     * @param name what a run is called
     * @param opener gives a network to one test; throws {@link io.trivet.net.UnavailableException} where there is none
     */
    record Kind(String name, Supplier<Network> opener) {}
}
