package io.trivet.sim.kernel;

import io.trivet.sim.KernelAccounting;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** How a network comes to rest after a step: what was sent has to arrive before anybody is asked what is ready. */
@FunctionalInterface
interface Settling {
    /**
     * Waits, not long.
     *
     * @param held what stands in the places; null: nothing
     * @return false: something is still on its way, and will not come by waiting
     */
    boolean settle(@Nullable Held[] held) throws IOException;

    /**
     * What the kernel's records of each stream say, by place; null: nobody can be asked.
     *
     * @param held as before
     * @return an array of its own; empty: they are not asked for
     */
    default KernelAccounting.@Nullable Accounts[] accounts(@Nullable Held[] held) {
        return new KernelAccounting.Accounts[0];
    }

    /**
     * Looks whether anything has arrived since.
     *
     * @param held as before
     * @return true: what was asked meanwhile is to be asked anew
     */
    default boolean hasMoved(@Nullable Held[] held) {
        return false;
    }
}
