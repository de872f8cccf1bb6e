package io.trivet.sim;

/** Listens to what happens on a {@link SimNetwork}, for a timeline that can be read. */
@FunctionalInterface
public interface SimTrace {
    /**
     * Something has happened.
     *
     * @param elapsedNanos when, since the network began
     * @param event one line: who, what; the same in every run of the same seed
     */
    void event(long elapsedNanos, String event);
}
