package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A message in its frame that many connections share. It is counted once in the server's {@link Budget}, until the last of them
 * has sent or dropped it. Any thread.
 */
final class SharedMessage {
    private final Budget budget;
    private final SharedBuffers buffers;
    private final ByteBuffer framed;
    private final AtomicInteger holders = new AtomicInteger(1);

    /**
     * Creates a message and counts it. The caller is its first holder.
     *
     * @param buffers gets the memory back after the last holder
     * @param framed the message in its frame; must not change afterwards
     */
    SharedMessage(Budget budget, SharedBuffers buffers, ByteBuffer framed) {
        this.budget = budget;
        this.buffers = buffers;
        this.framed = framed;
        budget.addShared(framed.capacity());
    }

    int length() {
        return framed.remaining();
    }

    /** Returns a view of the bytes for a single holder. */
    ByteBuffer view() {
        return framed.duplicate();
    }

    /** Adds a holder. The caller must be one already. */
    void retain() {
        holders.incrementAndGet();
    }

    /** Returns how many hold it: the broadcast itself, until every loop has it, and each connection. At least 1. */
    int holders() {
        return Math.max(1, holders.get());
    }

    void release() {
        if (holders.decrementAndGet() == 0) {
            budget.addShared(-framed.capacity());
            buffers.release(framed);
        }
    }
}
