package io.trivet.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Holds input of one loop's connections that cannot be delivered yet. The buffers count against the server's budget, so one bound
 * covers all peers that send slowly. One thread.
 */
@SuppressWarnings("ReferenceEquality") // this very object
final class PartialInputs {
    private final BufferPool pool;
    private final TurnClock clock;
    /** The input that is being delivered. Its memory stays until the handler has returned, whatever the handler does. */
    private @Nullable PartialInput inDelivery;
    /** The memory of that input, in bytes, if it was dropped meanwhile. */
    private int leavingBytes;

    PartialInputs(BufferPool pool, TurnClock clock) {
        this.pool = pool;
        this.clock = clock;
    }

    /**
     * Appends a copy of received bytes to a connection's partial input.
     *
     * @return false if a single buffer would take too much of the budget. Then nothing was added
     */
    boolean add(ConnectionRecord connection, ByteBuffer bytes, int from, int to) {
        PartialInput input = connection.partialInput();
        if ((input == null ? to - from : input.capacityFor(to - from)) > pool.bufferBytesMax()) {
            return false;
        }
        if (input == null) {
            input = new PartialInput(pool, to - from, clock.now());
            connection.partialInput(input);
        }
        input.add(bytes, from, to);
        return true;
    }

    /** Drops a connection's partial input, if there is any. */
    void drop(ConnectionRecord connection) {
        PartialInput input = connection.partialInput();
        if (input != null) {
            connection.partialInput(null);
            if (input == inDelivery) {
                leavingBytes = input.heldBytes();
            } else {
                input.release();
            }
        }
    }

    /** Returns the memory that is released when the handler returns: that of an input that was dropped while it is delivered. */
    int leavingBytes() {
        return leavingBytes;
    }

    /** Keeps the memory of an input until {@link #endDelivery}. */
    void beginDelivery(PartialInput input) {
        inDelivery = input;
    }

    /**
     * Ends the delivery of a connection's input.
     *
     * @return false if the input was dropped meanwhile: then its memory has now been released
     */
    boolean endDelivery(ConnectionRecord connection, PartialInput input) {
        inDelivery = null;
        leavingBytes = 0;
        if (connection.partialInput() == input) {
            return true;
        }
        input.release();
        return false;
    }
}
