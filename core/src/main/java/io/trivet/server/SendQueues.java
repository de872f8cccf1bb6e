package io.trivet.server;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Creates and releases the send queues of one loop's connections. Queues are reused, so a broadcast creates no garbage, although
 * it queues a message for every connection until the end of the turn. One thread.
 */
final class SendQueues {
    /** Maximum number of unused queues, of some 350 bytes each, with one empty lane: as many connections get a broadcast without garbage. */
    private static final int SPARE_MAX = 16 * 1024;

    private final BufferPool pool;
    private final TurnClock clock;
    private final Lane empty;
    private final ArrayDeque<SendQueue> spare = new ArrayDeque<>();

    SendQueues(BufferPool pool, TurnClock clock) {
        this.pool = pool;
        this.clock = clock;
        empty = new Lane(pool);
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
        return reused == null ? new SendQueue(pool, empty, sinceNanos) : reused.reuse(sinceNanos);
    }

    /** Returns the first streamed message that has not been sent, or null. */
    static @Nullable Transfer firstTransfer(ConnectionRecord connection) {
        TransferQueue transfers = connection.transfers();
        return transfers == null ? null : transfers.first();
    }

    /** Puts back the rest of a queue, ahead of what was queued since. */
    void putBack(ConnectionRecord connection, SendQueue older) {
        Transfer transfer = firstTransfer(connection);
        if (transfer != null) {
            SendQueue newer = transfer.before();
            if (newer != null) {
                older.add(newer);
                recycle(newer);
            }
            transfer.before(older);
            return;
        }
        SendQueue newer = connection.sendQueue();
        if (newer != null) {
            older.add(newer);
            recycle(newer);
        }
        connection.sendQueue(older);
    }

    /**
     * Drops the messages in a connection's queue, and what is in memory of its transfers, and releases their room in the
     * connection. The transfers themselves stay.
     */
    void dropWaiting(ConnectionRecord connection) {
        TransferQueue transfers = connection.transfers();
        if (transfers != null) {
            transfers.forEach(transfer -> dropMemory(connection, transfer));
        }
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

    /** Drops what is in memory of a transfer: its piece, and the messages before it. */
    void dropMemory(ConnectionRecord connection, Transfer transfer) {
        SendQueue before = transfer.before();
        if (before != null) {
            transfer.before(null);
            drop(connection, before);
        }
        releasePiece(connection, transfer);
    }

    /** Gives a transfer an empty buffer for its next piece. */
    ByteBuffer acquirePiece(ConnectionRecord connection, Transfer transfer, int bytes) {
        ByteBuffer piece = pool.acquire(bytes, BufferPool.Use.SEND).limit(0);
        transfer.piece(piece, bytes);
        connection.hold(bytes, connection.profile().limits().queueHighBytes());
        return piece;
    }

    /** Releases the buffer of a transfer's piece, if it has one. */
    void releasePiece(ConnectionRecord connection, Transfer transfer) {
        ByteBuffer piece = transfer.piece();
        if (piece != null) {
            connection.release(0, transfer.pieceBytes());
            transfer.piece(null, 0);
            if (transfer.isMessage()) {
                pool.countHeap(-piece.capacity());
            } else {
                pool.release(piece, BufferPool.Use.SEND);
            }
        }
    }

    /** Recycles the queue of a connection if nothing is left in it: an empty queue counts as waiting for the peer. */
    void recycleIfEmpty(ConnectionRecord connection) {
        SendQueue queue = connection.sendQueue();
        if (queue != null && queue.isEmpty() && connection.transfers() == null) { // behind transfers there is always a queue
            connection.sendQueue(null);
            recycle(queue);
        }
    }

    /** Clears a queue that no connection uses any more, and keeps it for reuse. */
    void recycle(SendQueue queue) {
        queue.clear();
        if (spare.size() < SPARE_MAX) {
            spare.addLast(queue);
        }
    }
}
