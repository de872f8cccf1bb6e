package io.trivet.server;

import java.util.ArrayDeque;

/**
 * Creates and releases the send queues of one loop's connections. Queues are reused, so a broadcast creates no garbage, although
 * it queues a message for every connection until the end of the turn. One thread.
 */
final class SendQueues {
    private static final int SPARE_MAX = 1024;

    private final BufferPool pool;
    private final TurnClock clock;
    private final ArrayDeque<SendQueue> spare = new ArrayDeque<>();

    SendQueues(BufferPool pool, TurnClock clock) {
        this.pool = pool;
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

    /** Puts back a queue whose send is no longer pending, ahead of the messages that were queued since. */
    void putBack(ConnectionRecord connection, SendQueue older) {
        SendQueue newer = connection.sendQueue();
        if (newer != null) {
            older.add(newer);
            recycle(newer);
        }
        connection.sendQueue(older);
    }

    /** Drops the messages in a connection's queue, and releases their room in the connection. */
    void dropWaiting(ConnectionRecord connection) {
        SendQueue queue = connection.sendQueue();
        if (queue != null) {
            connection.sendQueue(null);
            drop(connection, queue);
        }
    }

    /** Drops the messages of a queue that was removed from its connection, and releases their room in the connection. */
    void drop(ConnectionRecord connection, SendQueue queue) {
        connection.releaseDropped(queue.messages(), queue.bytes());
        recycle(queue);
    }

    /** Clears a queue that no connection uses any more, and keeps it for reuse. */
    void recycle(SendQueue queue) {
        queue.clear();
        if (spare.size() < SPARE_MAX) {
            spare.addLast(queue);
        }
    }
}
