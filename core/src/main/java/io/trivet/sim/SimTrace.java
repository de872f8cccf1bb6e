package io.trivet.sim;

/** Receives the events of a {@link SimNetwork} as readable lines. */
@FunctionalInterface
public interface SimTrace {
    /**
     * Called for each event.
     *
     * @param elapsedNanos the time since the network was created
     * @param event one line that names a subject and what happened; identical in every run of the same seed
     */
    void event(long elapsedNanos, String event);
}
