package io.trivet.sim.kernel;

/** Statistics about the scripts run so far, as text. */
interface Statistics {
    /** Counts a difference. */
    void countDifference();

    /** Returns the number of differences. */
    long differences();

    /** Returns a summary of one line. */
    String summary();

    /** Returns all counters, one per line. */
    String table();
}
