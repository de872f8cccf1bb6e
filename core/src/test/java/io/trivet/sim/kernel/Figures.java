package io.trivet.sim.kernel;

/** What scripts have been through, for people. */
interface Figures {
    /** A difference was found. */
    void found();

    /** How many differences were found. */
    long differences();

    /** One line. */
    String summary();

    /** Everything, one line each. */
    String table();
}
