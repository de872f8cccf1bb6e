package io.trivet.sim;

/** Receives what happens on a {@link SimNetwork}, as a readable timeline. */
@FunctionalInterface
public interface SimTrace {
    /**
     * Called for each event.
     *
     * @param elapsedNanos the time since the network was created
     * @param event one line that names a subject and what happened; the same in every run of the same seed
     */
    void event(long elapsedNanos, String event);
}
