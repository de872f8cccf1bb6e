package io.trivet.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bounds the memory that all connections of a server hold together. It counts the buffers of queues and of undelivered input with
 * their capacity, and messages on their way from other threads. Any thread.
 *
 * <p>{@link #add(long)} always succeeds. If the budget is then exceeded, {@link BudgetGuard} closes connections.
 */
final class Budget {
    /** A loop whose connections hold memory. */
    interface Holder {
        /** Returns the bytes that the connections of this loop hold. Any thread. */
        long heldBytes();

        /** Requests that this loop soon closes the connections that hold the most. Any thread. */
        void askToRelease();
    }

    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong sharedBytes = new AtomicLong();
    /** The loops. Not changed after the first one turns. */
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
        long before = bytes.get();
        while (more <= bytesMax - before) { // never added and taken back: meanwhile a loop would find the budget exceeded
            if (bytes.compareAndSet(before, before + more)) {
                return true;
            }
            before = bytes.get();
        }
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

    /**
     * Returns true if the bound is exceeded by more than an eighth. Up to there, only the loop that holds the most releases
     * memory.
     */
    boolean isFarExceeded() {
        return bytes.get() > bytesMax + bytesMax / 8;
    }

    /** Returns the loop whose connections hold the most; on a tie, the first. There must be at least one loop. */
    Holder greediest() {
        Holder greediest = holders.getFirst();
        for (Holder holder : holders) {
            greediest = holder.heldBytes() > greediest.heldBytes() ? holder : greediest;
        }
        return greediest;
    }
}
