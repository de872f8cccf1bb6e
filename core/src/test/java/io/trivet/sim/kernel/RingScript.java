package io.trivet.sim.kernel;

import java.util.List;

/**
 * A sequence of operations on the completion view; the same seed yields the same script.
 *
 * @param seed the seed it was generated from
 * @param buffersFill whether some sends exceed what fits
 * @param steps the operations
 */
record RingScript(long seed, boolean buffersFill, List<RingStep> steps) {
    /** One script in this many fills buffers. */
    private static final int FILLING_ONE_IN = 4;

    static RingScript of(long seed) {
        boolean buffersFill = Math.floorMod(seed, FILLING_ONE_IN) == 0;
        return new RingScript(seed, buffersFill, new RingScriptGenerator(seed, buffersFill).generate());
    }

    RingScript with(List<RingStep> others) {
        return new RingScript(seed, buffersFill, List.copyOf(others));
    }
}
