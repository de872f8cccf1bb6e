package io.trivet.linux;

import static io.trivet.linux.UringConnections.CANCELLING_INPUT;
import static io.trivet.linux.UringConnections.CANCELLING_WRITABLE;
import static io.trivet.linux.UringConnections.POLLING_INPUT;
import static io.trivet.linux.UringConnections.POLLING_URGENT;
import static io.trivet.linux.UringConnections.POLLING_WRITABLE;
import static io.trivet.linux.UringConnections.RECEIVING;
import static io.trivet.linux.UringConnections.SENDING;

import io.trivet.net.Addresses;
import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.util.BitSet;

/**
 * Restarts the operations that were in flight on a former ring. If it is unknown what an operation has received or sent, fails
 * the connection instead, because a restart could lose or repeat bytes.
 */
final class UringRestart {
    private final UringOperations operations;
    private final UringConnections connections;
    private final UringAccepts accepts;
    private final UringSends sends;

    UringRestart(UringOperations operations, UringAccepts accepts, UringSends sends) {
        this.operations = operations;
        this.connections = operations.connections;
        this.accepts = accepts;
        this.sends = sends;
    }

    /** Queues the operations for a restart. Returns the slots for which it is unknown what was received or sent. */
    BitSet restart(UringHandover left) {
        operations.resetInFlight(left.completingCount());
        accepts.restart(left);
        BitSet doubtful = new BitSet();
        for (int slot = 0; slot < connections.count(); slot++) {
            if (connections.descriptor(slot) >= 0) {
                doubtful.set(slot, abandon(slot, left));
            }
        }
        return doubtful;
    }

    /**
     * Clears the flags of a slot's operations on a former ring. Returns whether it is unknown what they have received or sent.
     */
    private boolean abandon(int slot, UringHandover left) {
        boolean doubtful = connections.is(slot, SENDING) && !left.completes(UringOperations.SEND, slot)
                && !left.completes(UringOperations.SILENT_SEND, slot);
        if (connections.is(slot, RECEIVING) && !left.completes(UringOperations.RECEIVE, slot)) {
            connections.clear(slot, RECEIVING | CANCELLING_INPUT);
            doubtful |= left.hasLostCompletions();
        }
        if (connections.is(slot, POLLING_INPUT) && !left.completes(UringOperations.POLL_INPUT, slot)) {
            connections.clear(slot, POLLING_INPUT | POLLING_URGENT | CANCELLING_INPUT);
        }
        if (!left.completes(UringOperations.POLL_WRITABLE, slot)) {
            connections.clear(slot, POLLING_WRITABLE | CANCELLING_WRITABLE);
        }
        operations.queueChange(slot);
        return doubtful;
    }

    /** Fails the connections in the given slots. Called after the known completions of the former ring were delivered. */
    int fail(BitSet doubtful, Completions completions) {
        int delivered = 0;
        for (int slot = doubtful.nextSetBit(0); slot >= 0; slot = doubtful.nextSetBit(slot + 1)) {
            delivered += operations.fail(slot, new NetworkException("io_uring_enter",
                    "stream " + Addresses.toString(connections.remote(slot)), ErrorCode.OTHER,
                    "the thread that polled has ended with more completions than its ring has room for"), completions);
            if (connections.is(slot, SENDING)) {
                delivered += sends.lost(slot, completions);
            }
        }
        return delivered;
    }
}
