package io.trivet.scenarios;

import org.jspecify.annotations.Nullable;

/**
 * How a run of a world went.
 *
 * @param world the world
 * @param finding what the judges found; null: nothing
 * @param simulatedNanos the time that passed in it
 * @param operations how many calls on simulated sockets there were, and completions
 * @param connections how many connections came about
 * @param tally what has happened in it, and how often
 */
public record Outcome(World world, @Nullable Finding finding, long simulatedNanos, long operations, long connections,
        Tally tally) {
    /**
     * The verdict.
     *
     * @return right, or what the finding makes it
     */
    public Verdict verdict() {
        return finding == null ? Verdict.RIGHT : finding.rule().verdict();
    }
}
