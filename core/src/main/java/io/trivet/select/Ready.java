package io.trivet.select;

import java.util.List;

/**
 * What {@link Select#select} found: the three lists that come back. They hold the caller's own objects, in the caller's order, as
 * often as the caller named them; they cannot be changed.
 *
 * @param readable a read or an accept will not block: data, the end of input, a waiting connection, or an error that the next call
 *     tells
 * @param writable a write will not block: room in the send buffer, a connect that has finished, or an error
 * @param exceptional urgent data has arrived; nothing else, above all no errors
 * @param <S> what the lists hold
 */
public record Ready<S>(List<S> readable, List<S> writable, List<S> exceptional) {
    /**
     * Whether the time was over before anything was ready.
     *
     * @return true when all three lists are empty
     */
    public boolean isEmpty() {
        return readable.isEmpty() && writable.isEmpty() && exceptional.isEmpty();
    }
}
