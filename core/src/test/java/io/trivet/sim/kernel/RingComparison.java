package io.trivet.sim.kernel;

import io.trivet.net.Network;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Runs scripts on io_uring and on the simulated completion view, and compares the completions. */
final class RingComparison {
    /** A difference is reported only if it recurs this many times; otherwise the kernel itself is nondeterministic. */
    private static final int CONFIRMATIONS = 2;

    private final Network ring = Network.named("uring");
    private final LoopbackAddresses addresses = new LoopbackAddresses();
    private final RingStatistics statistics;

    RingComparison(RingStatistics statistics) {
        this.statistics = statistics;
    }

    /** Compares the script of a seed; returns the first difference, or null. */
    @Nullable
    RingDifference compare(long seed) throws IOException {
        return compare(RingScript.of(seed), statistics);
    }

    private @Nullable RingDifference compare(RingScript script, RingStatistics statistics) throws IOException {
        List<RingOutcome> first = run(ring, addresses.next(), script, new RingKernelSettler());
        List<RingOutcome> simulated = simulate(script);
        boolean[] nondeterministic = new boolean[first.size()];
        int index = -1;
        for (int i = 0; i <= CONFIRMATIONS && (i == 0 || index >= 0); i++) {
            List<RingOutcome> again = run(ring, addresses.next(), script, new RingKernelSettler());
            for (int step = 0; step < nondeterministic.length; step++) {
                nondeterministic[step] |= !matches(first.get(step), again.get(step));
            }
            index = firstDifference(first, simulated, nondeterministic);
        }
        statistics.count(script, first, simulated, nondeterministic);
        return index < 0 ? null : new RingDifference(script, index, first, simulated);
    }

    private static List<RingOutcome> simulate(RingScript script) throws IOException {
        SimNetwork network = SimNetwork.of(script.seed(), FaultPlan.none(), SimEngine.URING);
        network.buffers(SimulatedEngine.SEND_BYTES, SimulatedEngine.RECEIVE_BYTES);
        return run(network, SimulatedEngine.HOST, script, RingSettler.SIMULATED);
    }

    private static List<RingOutcome> run(Network network, InetAddress host, RingScript script, RingSettler settler)
            throws IOException {
        try (RingScriptRunner runner = new RingScriptRunner(network, host, settler)) {
            return runner.run(script.steps());
        }
    }

    /** Shrinks the script as long as a difference remains. */
    RingDifference shrink(RingDifference found) throws IOException {
        RingDifference best = found;
        for (int length = best.script().steps().size() / 2; length >= 1; length = length == 1 ? 0 : length / 2) {
            for (int from = 0; from < best.script().steps().size();) {
                List<RingStep> fewer = new ArrayList<>(best.script().steps());
                fewer.subList(from, Math.min(from + length, fewer.size())).clear();
                RingDifference smaller = compare(best.script().with(fewer), new RingStatistics());
                if (smaller == null) {
                    from += length;
                } else {
                    best = smaller;
                }
            }
        }
        return best;
    }

    static boolean matches(RingOutcome one, RingOutcome other) {
        if (!one.result().equals(other.result()) || one.ends().size() != other.ends().size()) {
            return false;
        }
        for (int i = 0; i < one.ends().size(); i++) {
            RingOutcome.End end = one.ends().get(i);
            RingOutcome.End same = other.ends().get(i);
            boolean matching = (end == null || same == null) ? Objects.equals(end, same) : end.matches(same);
            if (!matching) {
                return false;
            }
        }
        return true;
    }

    private static int firstDifference(List<RingOutcome> real, List<RingOutcome> simulated, boolean[] nondeterministic) {
        for (int i = 0; i < nondeterministic.length; i++) {
            if (!nondeterministic[i] && !matches(real.get(i), simulated.get(i))) {
                return i;
            }
        }
        return -1;
    }
}
