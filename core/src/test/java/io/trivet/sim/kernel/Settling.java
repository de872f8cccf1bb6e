package io.trivet.sim.kernel;

import java.io.IOException;

/** How a network comes to rest after a step: what was sent has to arrive before anybody is asked what is ready. */
@FunctionalInterface
interface Settling {
    /**
     * Waits, not long.
     *
     * @param held what stands in the places; null: nothing
     * @return false: something is still on its way, and will not come by waiting
     */
    boolean settle(@org.jspecify.annotations.Nullable Held[] held) throws IOException;

    /**
     * Looks whether anything has arrived since.
     *
     * @param held as before
     * @return true: what was asked meanwhile is to be asked anew
     */
    default boolean hasMoved(@org.jspecify.annotations.Nullable Held[] held) {
        return false;
    }
}
