package io.trivet.sim.kernel;

import java.util.List;

/**
 * A step that gave one thing on the kernel and another on the simulated network.
 *
 * @param script the script
 * @param engine the kernel's engine
 * @param index the step
 * @param real what the kernel answered, step by step
 * @param simulated what the simulation answered
 */
record Difference(Script script, String engine, int index, List<Answer> real, List<Answer> simulated) {
    /** The story up to the difference, both answers, and how to see it again. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("script ").append(script.seed()).append(" on ").append(engine)
                .append(": they differ at step ").append(index).append('\n');
        for (int i = 0; i < index; i++) {
            text.append(String.format("%4d  %-26s %s%n", i, script.steps().get(i), real.get(i)));
        }
        return text.append(String.format("%4d  %s%n", index, script.steps().get(index)))
                .append("      kernel:     ").append(real.get(index)).append('\n')
                .append("      simulation: ").append(simulated.get(index)).append('\n')
                .append("again: ").append(command()).append('\n')
                .toString();
    }

    private String command() {
        return "build/kernel-scripts --engine " + engine + " --scripts " + script.seed();
    }
}
