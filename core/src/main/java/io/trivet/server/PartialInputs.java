package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Holds the input of one loop's connections that cannot be delivered yet, and accounts for it in the server's budget: so one
 * bound covers all peers that send slowly. One thread.
 */
@SuppressWarnings("ReferenceEquality") // this very object
final class PartialInputs {
    private final BufferPool pool;
    private final Budget budget;
    private final TurnClock clock;
    private final CloseRequests closeRequests;
    /** The input that is being delivered. Its memory stays until the handler has returned, whatever the handler does. */
    private @Nullable PartialInput inDelivery;

    PartialInputs(BufferPool pool, Budget budget, TurnClock clock, CloseRequests closeRequests) {
        this.pool = pool;
        this.budget = budget;
        this.clock = clock;
        this.closeRequests = closeRequests;
    }

    /** Appends a copy of received bytes to a connection's partial input. */
    void add(ConnectionRecord connection, ByteBuffer bytes, int from, int to) {
        PartialInput input = connection.partialInput();
        if (input == null) {
            input = new PartialInput(pool, to - from, clock.now());
            connection.partialInput(input);
        }
        input.add(bytes, from, to);
        account(connection, input);
    }

    /** Updates the budget to the current length of the input. If the budget is exceeded, closes the connection. */
    void account(ConnectionRecord connection, PartialInput input) {
        int more = input.bytes() - input.budgetBytes;
        input.budgetBytes += more;
        if (!budget.reserve(more) && more > 0) {
            closeRequests.close(connection, CloseReason.BUDGET_EXCEEDED);
            drop(connection); // at once, so that the next connections of this turn find room in the budget
        }
    }

    /** Drops a connection's partial input, if there is any. */
    void drop(ConnectionRecord connection) {
        PartialInput input = connection.partialInput();
        if (input != null) {
            connection.partialInput(null);
            budget.release(input.budgetBytes);
            if (input != inDelivery) {
                input.release();
            }
        }
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
        if (connection.partialInput() == input) {
            return true;
        }
        input.release();
        return false;
    }
}
