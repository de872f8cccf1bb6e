package io.trivet.sim.kernel;

import java.util.List;

/**
 * What is done, step after step: a plain value, the same for the same seed.
 *
 * @param seed what it was drawn from
 * @param buffersFill whether sends are long and buffers small, so that the kernel's own bookkeeping decides what fits
 * @param steps the operations
 */
record Script(long seed, boolean buffersFill, List<Step> steps) {
    /** One script in so many fills buffers. */
    static final int FILLING_ONE_IN = 4;

    /** The script of a seed; without what java.nio cannot do, if so wished. */
    static Script of(long seed, boolean forNio) {
        boolean buffersFill = !forNio && Math.floorMod(seed, FILLING_ONE_IN) == 0;
        return new Script(seed, buffersFill, new Author(seed, buffersFill, forNio).write());
    }

    Script with(List<Step> others) {
        return new Script(seed, buffersFill, List.copyOf(others));
    }
}
