package io.trivet.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bounds the memory that all connections of a server hold together: buffers of queues and of undelivered input, counted with their
 * capacity; messages on their way from other threads. Any thread.
 *
 * <p>Adding always succeeds. The loop that then finds the budget exceeded closes connections: see {@link BudgetGuard}.
 */
final class Budget {
    /** A loop, as the budget sees it. */
    interface Holder {
        /** Returns the bytes that the connections of this loop hold. Any thread. */
        long heldBytes();

        /** Makes this loop close connections, soon. Any thread. */
        void askToRelease();
    }

    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong sharedBytes = new AtomicLong();
    /** Complete before the first loop turns. */
    private final List<Holder> holders = new ArrayList<>();

    Budget(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Adds a loop. All are added before the first one turns. */
    void add(Holder holder) {
        holders.add(holder);
    }

    /** Adds bytes, even if the sum then exceeds the bound. */
    void add(long more) {
        bytes.addAndGet(more);
    }

    /**
     * Adds bytes, unless the sum would exceed the bound.
     *
     * @return false if nothing was added
     */
    boolean reserve(long more) {
        if (bytes.addAndGet(more) <= bytesMax) {
            return true;
        }
        bytes.addAndGet(-more);
        return false;
    }

    void release(long less) {
        bytes.addAndGet(-less);
    }

    /** Adds the bytes of a message that many connections share. */
    void addShared(long more) {
        bytes.addAndGet(more);
        sharedBytes.addAndGet(more);
    }

    long bytes() {
        return bytes.get();
    }

    long bytesMax() {
        return bytesMax;
    }

    /** Returns the bytes of shared messages. They are counted once, however many connections hold them. */
    long sharedBytes() {
        return sharedBytes.get();
    }

    boolean isExceeded() {
        return bytes.get() > bytesMax;
    }

    /** Returns true if the bound is exceeded by more than an eighth. Until then a loop may leave it to another to release memory. */
    boolean isFarExceeded() {
        return bytes.get() > bytesMax + bytesMax / 8;
    }

    /** Returns the loop whose connections hold most; of several, the first. There must be one. */
    Holder greediest() {
        Holder greediest = holders.getFirst();
        for (Holder holder : holders) {
            greediest = holder.heldBytes() > greediest.heldBytes() ? holder : greediest;
        }
        return greediest;
    }
}
