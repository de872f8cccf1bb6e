package io.trivet.scenarios;

/**
 * A reaction of one server's application.
 *
 * @param reaction what it does
 * @param oneIn the reaction applies to one in this number of clients
 * @param size the bytes of each message that it sends
 * @param nanos the delay or timeout, for reactions that have one
 */
record ReactionPlan(Reaction reaction, int oneIn, int size, long nanos) {
    boolean appliesTo(Client client) {
        return client.plan.number() % oneIn == 0;
    }

    @Override
    public String toString() {
        return ReportText.words(reaction) + (oneIn == 1 ? "" : " (one in " + oneIn + ")");
    }
}
