package io.trivet.sim.kernel;

import org.jspecify.annotations.Nullable;

/**
 * For networks that cannot report what has arrived: yields the processor a few times. As long as buffers do not fill, everything has arrived
 * afterwards. In the rare case that it has not, the script's second run differs and the step is not compared.
 */
final class YieldingSettler implements Settler {
    private static final int YIELDS = 2;

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // giving other threads a chance to run is all that is needed
    public boolean settle(@Nullable TrackedSocket[] slots) {
        for (int i = 0; i < YIELDS; i++) {
            Thread.yield();
        }
        for (TrackedSocket tracked : slots) {
            if (tracked != null) {
                tracked.arrived = tracked.sent;
            }
        }
        return true;
    }
}
