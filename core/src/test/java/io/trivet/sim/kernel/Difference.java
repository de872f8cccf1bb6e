package io.trivet.sim.kernel;

import java.util.List;

/**
 * A step whose outcome on the kernel differs from that on the simulated network.
 *
 * @param script the script
 * @param engine the kernel's engine
 * @param index the index of the step
 * @param real the outcome of each step on the kernel
 * @param simulated the outcome of each step in the simulation
 */
record Difference(Script script, String engine, int index, List<Outcome> real, List<Outcome> simulated) {
    /** Describes the steps up to the difference, both outcomes, and the command that reproduces it. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("script ").append(script.seed()).append(" on ").append(engine)
                .append(": outcomes differ at step ").append(index).append('\n');
        for (int i = 0; i < index; i++) {
            text.append(String.format("%4d  %-26s %s%n", i, script.steps().get(i), real.get(i)));
        }
        return text.append(String.format("%4d  %s%n", index, script.steps().get(index)))
                .append("      kernel:     ").append(real.get(index)).append('\n')
                .append("      simulation: ").append(simulated.get(index)).append('\n')
                .append("reproduce: ").append(command()).append('\n')
                .toString();
    }

    private String command() {
        return "build/kernel-scripts --engine " + engine + " --scripts " + script.seed();
    }
}
