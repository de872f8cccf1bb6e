package io.trivet.sim.kernel;

import java.util.List;

/**
 * A sequence of operations; the same seed yields the same script.
 *
 * @param seed the seed it was generated from
 * @param buffersFill whether sends are long and buffers small, so that the kernel's memory accounting decides what fits
 * @param steps the operations
 */
record Script(long seed, boolean buffersFill, List<Step> steps) {
    /** One script in this many fills buffers. */
    static final int FILLING_ONE_IN = 4;

    /** Generates the script of a seed; {@code forNio} omits the operations that java.nio does not support. */
    static Script of(long seed, boolean forNio) {
        boolean buffersFill = !forNio && Math.floorMod(seed, FILLING_ONE_IN) == 0;
        return new Script(seed, buffersFill, new ScriptGenerator(seed, buffersFill, forNio).generate());
    }

    Script with(List<Step> others) {
        return new Script(seed, buffersFill, List.copyOf(others));
    }
}
