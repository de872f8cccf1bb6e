package io.trivet.server;

import java.util.concurrent.atomic.AtomicLong;

/** A bound for what waits in all connections of a server together. Any thread. */
final class Budget {
    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();

    Budget(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Takes so much; false: now it is more than the bound, and whoever took it must give way. */
    boolean take(long more) {
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
