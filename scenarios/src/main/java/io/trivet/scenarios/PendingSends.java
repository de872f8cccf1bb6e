package io.trivet.scenarios;

/** Counts the pending sends of a loop. While these hold all buffers of a ring, nothing can be received. */
final class PendingSends {
    private final RunContext context;
    private int count;
    private long lastNanos;

    PendingSends(RunContext context) {
        this.context = context;
    }

    void started(ObservedSocket socket, long bytes) {
        socket.pendingBytes = bytes;
        count++;
    }

    /** Removes the pending send of a connection, if there is one. */
    void completed(ObservedSocket socket) {
        if (socket.hasPendingSend()) {
            count--;
            lastNanos = context.now();
            socket.pendingBytes = 0;
        }
    }

    /** Returns when a send was pending last; the current time if one is. */
    long lastNanos() {
        return count > 0 ? context.now() : lastNanos;
    }
}
