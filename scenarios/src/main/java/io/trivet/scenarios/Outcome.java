package io.trivet.scenarios;

import org.jspecify.annotations.Nullable;

/**
 * The outcome of a run.
 *
 * @param scenario the scenario
 * @param failure the first failed check; null if all passed
 * @param simulatedNanos the simulated time that passed
 * @param operations the number of calls on simulated sockets, and of completions
 * @param connections the number of connections that were established
 * @param tally how often each event has occurred
 */
public record Outcome(Scenario scenario, @Nullable CheckFailure failure, long simulatedNanos, long operations, long connections,
        Tally tally) {
    /**
     * Returns the verdict.
     *
     * @return passed, or the verdict of the broken rule
     */
    public Verdict verdict() {
        return failure == null ? Verdict.PASSED : failure.rule().verdict();
    }
}
