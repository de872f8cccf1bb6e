package io.trivet.scenarios;

import io.trivet.server.Limits;
import java.io.IOException;

/**
 * A small run of its own, on a network without faults and with a clock that only the trial moves. So its outcome is known exactly,
 * to the byte and the nanosecond, and any difference is a failure. What happens in it is drawn.
 */
interface Trial {
    /** The default limits, with a budget that fits into a small heap, so that a seed means the same everywhere. */
    Limits LIMITS = Limits.defaults().withQueueBudgetBytes(64L << 20);

    /**
     * Runs the trial.
     *
     * @param run the network, the random numbers, and where failures are reported
     */
    void run(TrialRun run) throws IOException;
}
