package io.trivet.server;

import java.util.ArrayDeque;

/**
 * Creates and releases the send queues of one loop's connections, and releases what they occupy in the server's budget. Small
 * queues are reused: in a broadcast every connection's message waits until the end of the turn, and no garbage is made. One
 * thread.
 */
final class SendQueues {
    private static final int SPARE_MAX = 1024;

    private final BufferPool pool;
    private final Budget budget;
    private final TurnClock clock;
    private final ArrayDeque<SendQueue> spare = new ArrayDeque<>();

    SendQueues(BufferPool pool, Budget budget, TurnClock clock) {
        this.pool = pool;
        this.budget = budget;
        this.clock = clock;
    }

    /** Returns the queue of a connection, which is created if there is none. */
    SendQueue of(ConnectionRecord connection) {
        SendQueue queue = connection.sendQueue();
        if (queue == null) {
            queue = create(clock.now());
            connection.sendQueue(queue);
        }
        return queue;
    }

    /** Creates an empty queue whose messages wait since that time. */
    SendQueue create(long sinceNanos) {
        SendQueue reused = spare.pollLast();
        return reused == null ? new SendQueue(pool, sinceNanos) : reused.reuse(sinceNanos);
    }

    /** Puts a queue that was pending before the messages that were queued meanwhile. */
    void putBack(ConnectionRecord connection, SendQueue older) {
        SendQueue newer = connection.sendQueue();
        if (newer != null) {
            older.add(newer);
            recycle(newer);
        }
        connection.sendQueue(older);
    }

    /** Drops what a connection's queue contains, and releases its room in the connection and in the budget. */
    void dropWaiting(ConnectionRecord connection) {
        SendQueue queue = connection.sendQueue();
        if (queue != null) {
            connection.sendQueue(null);
            drop(connection, queue);
        }
    }

    /**
     * Drops what a queue that was taken from a connection contains, and releases its room in the connection and in the budget.
     */
    void drop(ConnectionRecord connection, SendQueue queue) {
        budget.release(queue.bytes());
        connection.release(queue.messages(), queue.bytes());
        recycle(queue);
    }

    /** Clears a queue that no connection uses any more, and keeps it for reuse. */
    void recycle(SendQueue queue) {
        queue.clear();
        if (spare.size() < SPARE_MAX && queue.isSmall()) {
            spare.addLast(queue);
        }
    }
}
