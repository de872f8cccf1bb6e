package io.trivet.select;

import java.util.List;

/**
 * The result of {@link Select#select}: the three lists of what is ready. Each holds the caller's own objects in the caller's order. An
 * object that the caller listed several times is returned as often. The lists are unmodifiable, and no longer than those of the call.
 *
 * @param readable a read or an accept will not block: there is data, the end of input, a pending connection, or an error that the next
 *     call reports
 * @param writable a write will not block: there is room in the send buffer, a connect has finished, or an error is pending
 * @param exceptional urgent data has arrived; errors never appear here
 * @param <S> the type of the listed objects
 */
public record Ready<S>(List<S> readable, List<S> writable, List<S> exceptional) {
    /**
     * Returns whether the timeout expired before anything was ready.
     *
     * @return true if all three lists are empty
     */
    public boolean isEmpty() {
        return readable.isEmpty() && writable.isEmpty() && exceptional.isEmpty();
    }
}
