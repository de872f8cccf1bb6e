package io.trivet.server;

import java.util.concurrent.atomic.AtomicLong;

/** Bounds the bytes that wait in all connections of a server together. Any thread. */
final class Budget {
    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();

    Budget(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /**
     * Adds bytes, even if the sum then exceeds the bound.
     *
     * @return false if the sum now exceeds the bound: the caller must release what it added
     */
    boolean reserve(long more) {
        return bytes.addAndGet(more) <= bytesMax;
    }

    void release(long less) {
        if (less != 0) {
            bytes.addAndGet(-less);
        }
    }

    long bytes() {
        return bytes.get();
    }

    long bytesMax() {
        return bytesMax;
    }
}
