package io.trivet.scenarios;

/**
 * A reaction of one server's application.
 *
 * @param reaction what it does
 * @param oneIn of so many clients it does it to one
 * @param size the bytes of each message
 * @param nanos for what is done later
 */
record Habit(Reaction reaction, int oneIn, int size, long nanos) {
    boolean concerns(Peer peer) {
        return peer.plan.number() % oneIn == 0;
    }

    @Override
    public String toString() {
        return Words.of(reaction) + (oneIn == 1 ? "" : " (one in " + oneIn + ")");
    }
}
