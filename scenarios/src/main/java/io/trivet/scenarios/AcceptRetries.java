package io.trivet.scenarios;

import java.io.IOException;

/** Checks that a server waits after a failed accept. The next accept would fail as well, so the loop would spin. */
final class AcceptRetries {
    /** Maximum number of accepts that may fail within {@link #ACCEPT_FAILURES_NANOS}. */
    private static final int ACCEPT_FAILURES_MAX = 4;

    private static final long ACCEPT_FAILURES_NANOS = 10_000_000;

    private final RunContext context;
    private final int failuresMax;
    private int failures;
    private long sinceNanos;

    /**
     * Creates a check.
     *
     * @param ports the number of ports that accept, each of which tries again
     */
    AcceptRetries(RunContext context, int ports) {
        this.context = context;
        failuresMax = ACCEPT_FAILURES_MAX * ports;
    }

    /** Counts a failed accept. */
    void failed(IOException failure) {
        context.tally.add("limit", Limit.DESCRIPTORS);
        if (context.now() - sinceNanos >= ACCEPT_FAILURES_NANOS) {
            sinceNanos = context.now();
            failures = 0;
        }
        if (++failures > failuresMax) {
            context.failures.report(Rule.SPIN, "accepting has failed " + failures + " times within "
                    + ReportText.duration(ACCEPT_FAILURES_NANOS) + " and is retried at once: " + failure.getMessage());
        }
    }
}
