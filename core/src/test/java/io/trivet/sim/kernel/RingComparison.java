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

/** Performs scripts through a ring of the kernel and through the simulated completion view, and compares what was told. */
final class RingComparison {
    /** A difference counts when it comes back: what comes only now and then is the kernel's. */
    private static final int WITNESSES = 2;

    private final Network ring = Network.named("uring");
    private final Hosts hosts = new Hosts();
    private final RingTally tally;

    RingComparison(RingTally tally) {
        this.tally = tally;
    }

    /** The script of a seed: the first difference, or null. */
    @Nullable
    RingDifference compare(long seed) throws IOException {
        return compare(RingScript.of(seed), tally);
    }

    private @Nullable RingDifference compare(RingScript script, RingTally counted) throws IOException {
        List<RingAnswer> first = perform(ring, hosts.next(), script, new RingKernelSettling());
        List<RingAnswer> simulated = simulate(script);
        boolean[] open = new boolean[first.size()];
        int index = -1;
        for (int i = 0; i <= WITNESSES && (i == 0 || index >= 0); i++) {
            List<RingAnswer> again = perform(ring, hosts.next(), script, new RingKernelSettling());
            for (int step = 0; step < open.length; step++) {
                open[step] |= !agree(first.get(step), again.get(step));
            }
            index = firstDifference(first, simulated, open);
        }
        counted.count(script, first, simulated, open);
        return index < 0 ? null : new RingDifference(script, index, first, simulated);
    }

    private static List<RingAnswer> simulate(RingScript script) throws IOException {
        SimNetwork network = SimNetwork.of(script.seed(), FaultPlan.none(), SimEngine.URING);
        network.buffers(SimulatedEngine.SEND_BYTES, SimulatedEngine.RECEIVE_BYTES);
        return perform(network, SimulatedEngine.HOST, script, RingSettling.SIMULATED);
    }

    private static List<RingAnswer> perform(Network network, InetAddress host, RingScript script, RingSettling settling)
            throws IOException {
        try (RingActor actor = new RingActor(network, host, settling)) {
            return actor.perform(script.steps());
        }
    }

    /** The same script with fewer steps, and still a difference. */
    RingDifference shrink(RingDifference found) throws IOException {
        RingDifference best = found;
        for (int run = best.script().steps().size() / 2; run >= 1; run = run == 1 ? 0 : run / 2) {
            for (int from = 0; from < best.script().steps().size();) {
                List<RingStep> fewer = new ArrayList<>(best.script().steps());
                fewer.subList(from, Math.min(from + run, fewer.size())).clear();
                RingDifference smaller = compare(best.script().with(fewer), new RingTally());
                if (smaller == null) {
                    from += run;
                } else {
                    best = smaller;
                }
            }
        }
        return best;
    }

    static boolean agree(RingAnswer one, RingAnswer other) {
        if (!one.result().equals(other.result()) || one.ends().size() != other.ends().size()) {
            return false;
        }
        for (int i = 0; i < one.ends().size(); i++) {
            RingAnswer.End end = one.ends().get(i);
            RingAnswer.End same = other.ends().get(i);
            boolean agrees = (end == null || same == null) ? Objects.equals(end, same) : end.saysTheSame(same);
            if (!agrees) {
                return false;
            }
        }
        return true;
    }

    private static int firstDifference(List<RingAnswer> real, List<RingAnswer> simulated, boolean[] open) {
        for (int i = 0; i < open.length; i++) {
            if (!open[i] && !agree(real.get(i), simulated.get(i))) {
                return i;
            }
        }
        return -1;
    }
}
