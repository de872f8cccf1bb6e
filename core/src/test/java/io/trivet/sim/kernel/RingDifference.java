package io.trivet.sim.kernel;

import java.util.List;

/**
 * A step whose outcome on io_uring differs from that in the simulation.
 *
 * @param script the script
 * @param index the index of the step
 * @param real the outcome of each step on io_uring
 * @param simulated the outcome of each step in the simulation
 */
record RingDifference(RingScript script, int index, List<RingOutcome> real, List<RingOutcome> simulated) {
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("script ").append(script.seed()).append(" on uring: outcomes differ at step ")
                .append(index).append('\n');
        for (int i = 0; i < index; i++) {
            text.append(String.format("%4d  %-26s %s%n", i, script.steps().get(i), real.get(i)));
        }
        return text.append(String.format("%4d  %s%n", index, script.steps().get(index)))
                .append("      kernel:     ").append(real.get(index)).append('\n')
                .append("      simulation: ").append(simulated.get(index)).append('\n')
                .append("reproduce: build/kernel-scripts --engine uring --scripts ").append(script.seed()).append('\n')
                .toString();
    }
}
