package io.trivet.sim.kernel;

import io.trivet.sim.KernelAccounting;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Waits after each step until everything sent has arrived, so that readiness can be compared. */
@FunctionalInterface
interface Settler {
    /**
     * Waits for a short time.
     *
     * @param slots the socket of each slot, or null
     * @return false if something is still in flight after the longest wait
     */
    boolean settle(@Nullable TrackedSocket[] slots) throws IOException;

    /**
     * Reads the kernel's memory accounting of each stream.
     *
     * @param slots the socket of each slot, or null
     * @return a new array with an element per slot, null where there is no open stream; an empty array if accounting is not read
     */
    default KernelAccounting.@Nullable Accounts[] accounts(@Nullable TrackedSocket[] slots) {
        return new KernelAccounting.Accounts[0];
    }

    /**
     * Checks whether anything has arrived since the last call.
     *
     * @param slots the socket of each slot, or null
     * @return true if what was polled in the meantime must be polled again
     */
    default boolean hasProgressed(@Nullable TrackedSocket[] slots) {
        return false;
    }
}
