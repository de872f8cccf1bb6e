package io.trivet.server;

import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The transfers of one connection, in order. Each holds the messages that precede it. The messages after the last transfer are in
 * the connection's {@link SendQueue}, which therefore exists as long as this queue. One thread.
 */
final class TransferQueue {
    private final ArrayDeque<Transfer> transfers = new ArrayDeque<>(2);

    void add(Transfer transfer) {
        transfers.addLast(transfer);
    }

    @Nullable
    Transfer first() {
        return transfers.peekFirst();
    }

    void removeFirst() {
        transfers.removeFirst();
    }

    boolean isEmpty() {
        return transfers.isEmpty();
    }

    void forEach(Consumer<Transfer> consumer) {
        transfers.forEach(consumer);
    }

    /** Returns the memory that the transfers and the messages before them take, in bytes. */
    long heldBytes() {
        long bytes = 0;
        for (Transfer transfer : transfers) {
            bytes += transfer.heldBytes();
        }
        return bytes;
    }
}
