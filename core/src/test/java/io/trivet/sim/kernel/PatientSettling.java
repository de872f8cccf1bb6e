package io.trivet.sim.kernel;

import org.jspecify.annotations.Nullable;

/**
 * Where nobody can be asked what has arrived, somebody else is let run for a moment. What does not fill buffers has arrived then: hardly ever
 * it has not, and then the script gives something else the second time.
 */
final class PatientSettling implements Settling {
    private static final int YIELDS = 2;

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // no more than a chance for others is wanted
    public boolean settle(@Nullable Held[] held) {
        for (int i = 0; i < YIELDS; i++) {
            Thread.yield();
        }
        for (Held one : held) {
            if (one != null) {
                one.arrived = one.sent;
            }
        }
        return true;
    }
}
