package io.trivet.sim.kernel;

import java.util.List;

/**
 * What is done through the completion view, step after step: the same for the same seed.
 *
 * @param seed what it was drawn from
 * @param buffersFill whether some of it sends more than fits
 * @param steps the operations
 */
record RingScript(long seed, boolean buffersFill, List<RingStep> steps) {
    /** One script in so many fills buffers. */
    private static final int FILLING_ONE_IN = 4;

    static RingScript of(long seed) {
        boolean fills = Math.floorMod(seed, FILLING_ONE_IN) == 0;
        return new RingScript(seed, fills, new RingAuthor(seed, fills).write());
    }

    RingScript with(List<RingStep> others) {
        return new RingScript(seed, buffersFill, List.copyOf(others));
    }
}
