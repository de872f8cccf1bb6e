package io.trivet.sim.kernel;

import java.util.List;

/**
 * A step of which the ring told one thing and the simulation another.
 *
 * @param script the script
 * @param index the step
 * @param real what the ring told, step by step
 * @param simulated what the simulation told
 */
record RingDifference(RingScript script, int index, List<RingAnswer> real, List<RingAnswer> simulated) {
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("script ").append(script.seed()).append(" on uring: they differ at step ")
                .append(index).append('\n');
        for (int i = 0; i < index; i++) {
            text.append(String.format("%4d  %-26s %s%n", i, script.steps().get(i), real.get(i)));
        }
        return text.append(String.format("%4d  %s%n", index, script.steps().get(index)))
                .append("      kernel:     ").append(real.get(index)).append('\n')
                .append("      simulation: ").append(simulated.get(index)).append('\n')
                .append("again: build/kernel-scripts --engine uring --scripts ").append(script.seed()).append('\n')
                .toString();
    }
}
