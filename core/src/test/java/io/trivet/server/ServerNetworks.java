package io.trivet.server;

import io.trivet.contract.Engine;
import io.trivet.linux.CrampedRing;
import io.trivet.net.Network;
import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimNetwork;
import io.trivet.sim.TortureNetwork;
import io.trivet.tls.TlsEngineKind;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.condition.OS;

/**
 * The networks on which the server's tests run: every engine, simulated networks, and engines behind a torture network, which injects
 * faults by a seed. A new network is one more entry. {@code -Dtrivet.networks=nio} selects those whose names contain that text.
 */
final class ServerNetworks {
    /** Two constant seeds, and one that is new in every run. {@code -Dtrivet.torture.seed=…} repeats the latter. */
    private static final List<Long> SEEDS = List.of(1L, 20_260_117L, Long.getLong("trivet.torture.seed", System.nanoTime()));

    private static final int BUFFER_BYTES = 512 << 10;

    /** If not null, all tests run over TLS: {@code -Dtrivet.tls=openssl} or {@code jdk}. Those that need plaintext then fail. */
    private static final @Nullable TlsEngineKind TLS_ENGINE = Optional.ofNullable(System.getProperty("trivet.tls"))
            .map(name -> TlsEngineKind.valueOf(name.toUpperCase(Locale.ROOT))).orElse(null);

    /** Without the faults that would make outcomes of tests undefined. {@code EchoUnderTortureTest} covers those. */
    private static final FaultPlan PLAN = TortureNetwork.defaults()
            .with(Fault.READY_SPURIOUS, 0) // a spurious write can still transfer bytes, so a test could not tell whether the socket is full
            .with(Fault.ACCEPT_WOULD_BLOCK, 0) // a connection not accepted before the listener closes is reset
            .with(Fault.ACCEPT_NO_DESCRIPTOR, 0); // the retry waits, and in most tests time does not pass by itself; AdmissionTest covers it

    /** All networks, in the order of the runs: the engines, then each real one under torture, the first of them with two seeds. */
    static final List<Kind> ALL = Stream.of(
            Stream.of(new Kind("uring", () -> Network.named("uring")), new Kind("uring, cramped", CrampedRing::network)),
            Engine.REAL.stream().map(engine -> new Kind(engine.name(), engine.opener())),
            Stream.of(SimEngine.EPOLL, SimEngine.URING).map(engine -> new Kind("sim " + engine, () -> simulated(engine))),
            IntStream.rangeClosed(0, Engine.REAL.size()).mapToObj(i -> tortured(
                    Engine.REAL.get(i % Engine.REAL.size()), SEEDS.get((i + i / Engine.REAL.size()) % SEEDS.size()))))
            .flatMap(Function.identity())
            .toList();

    /** The networks on which selected tests also run over Unix domain sockets: the engines, a simulated network, and torture. */
    static final List<Kind> UNIX = ALL.stream()
            .filter(kind -> !kind.unix() && !kind.name().contains("cramped") && !kind.name().equals("sim epoll")
                    && (!kind.name().contains("torture") || kind.name().startsWith("epoll")))
            .map(kind -> new Kind(kind.name() + " over Unix sockets", kind.opener(), true, null)).toList();

    /** The networks on which most tests also run over TLS, with both engines: some engines, a simulated network, and torture. */
    static final List<Kind> TLS = Stream.of(secured("uring", TlsEngineKind.OPENSSL), secured("epoll", TlsEngineKind.JDK),
            secured("sim uring", TlsEngineKind.JDK), secured("epoll under torture", TlsEngineKind.OPENSSL))
            .flatMap(Function.identity()).toList();

    private static Stream<Kind> secured(String name, TlsEngineKind engine) {
        List<Kind> named = ALL.stream()
                .filter(kind -> kind.tls() == null && !kind.unix() && (kind.name() + ",").startsWith(name + ","))
                .toList();
        if (named.isEmpty() && OS.LINUX.isCurrentOs()) { // a kind that was renamed would run no test
            throw new IllegalStateException("there is no network named " + name);
        }
        return named.stream().limit(1).map(kind -> new Kind(kind.name() + " over TLS, " + engine, kind.opener(), false, engine));
    }

    private ServerNetworks() {}

    /** Opens a simulated network with socket buffers as large as the kernel's can grow, because some tests rely on that. */
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
     * @param name the display name of a run
     * @param opener opens a network for one test; throws {@link io.trivet.net.UnavailableException} if it is not available here
     * @param unix whether the test's servers listen at Unix domain sockets
     * @param tls the engine with which they use TLS; null: plaintext
     */
    record Kind(String name, Supplier<Network> opener, boolean unix, @Nullable TlsEngineKind tls) {
        Kind(String name, Supplier<Network> opener) {
            this(name, opener, Boolean.getBoolean("trivet.unix"), TLS_ENGINE);
        }
    }
}
