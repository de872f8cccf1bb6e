package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import io.trivet.observe.CloseReason;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Sends streamed messages: reads a piece when the socket has room, or lets the kernel send from a file. Notifies their listeners.
 * {@link Sender} decides whose turn it is. One thread.
 *
 * <p>A connection has at most one piece in memory, which counts in its queue and in the server's budget while the socket refuses
 * it. Each byte that the peer accepts restarts the write timeout, which does not run while the source has nothing.
 */
final class Transfers {
    /** Maximum number of bytes of a piece. */
    static final int PIECE_BYTES_MAX = 64 * 1024;

    private final Proactor proactor;
    private final TurnClock clock;
    private final Counters counters;
    private final BudgetGuard budgetGuard;
    private final SendQueues queues;
    private final CloseRequests closeRequests;
    private final Callbacks callbacks;
    private final ByteBuffer[] parts = new ByteBuffer[1];

    Transfers(Proactor proactor, TurnClock clock, Counters counters, BudgetGuard budgetGuard, SendQueues queues,
            CloseRequests closeRequests, Callbacks callbacks) {
        this.proactor = proactor;
        this.clock = clock;
        this.counters = counters;
        this.budgetGuard = budgetGuard;
        this.queues = queues;
        this.closeRequests = closeRequests;
        this.callbacks = callbacks;
    }

    /** Adds a transfer after everything that waits. Messages that are queued from now on follow it. */
    void add(ConnectionRecord connection, Transfer transfer) {
        SendQueue before = connection.sendQueue();
        SendQueue behind = queues.create(before == null ? clock.now() : before.sinceNanos());
        if (before != null) {
            behind.progressNanos = before.progressNanos;
            behind.isBehindUnsent = before.isBehindUnsent;
        }
        transfer.before(before == null || before.isEmpty() ? null : before);
        if (before != null && before.isEmpty()) {
            queues.recycle(before);
        }
        connection.sendQueue(behind);
        TransferQueue all = connection.transfers();
        if (all == null) {
            all = new TransferQueue();
            connection.transfers(all);
        }
        all.add(transfer);
    }

    /** Returns true if nothing can be sent to a connection until the source of a transfer has more. */
    static boolean awaitsSource(ConnectionRecord connection) {
        Transfer first = SendQueues.firstTransfer(connection);
        return first != null && first.awaitsSource;
    }

    /**
     * Lets a transfer continue whose source had nothing.
     *
     * @return false if there is none
     */
    boolean resume(ConnectionRecord connection) {
        Transfer first = SendQueues.firstTransfer(connection);
        if (first == null || !first.awaitsSource) {
            return false;
        }
        first.awaitsSource = false;
        progressed(connection);
        return true;
    }

    /**
     * Sends from the first transfer until it has ended, the socket is full, the source has nothing, or enough bytes were sent.
     *
     * @param transfer the first transfer; nothing waits before it
     * @param bytesMax the number of bytes after which to stop; one piece may exceed it
     * @return the number of bytes that were sent
     */
    long send(ConnectionRecord connection, Transfer transfer, long bytesMax) {
        long sum = 0;
        while (sum < bytesMax && canContinue(connection, transfer)) {
            if (transfer.left() == 0) {
                end(connection, transfer);
                return sum;
            }
            try {
                long sent = transfer.isRead ? sendPiece(connection, transfer)
                        : sendFromSource(connection, transfer, bytesMax - sum);
                if (sent > 0) {
                    sent(connection, transfer, sent);
                    sum += sent;
                }
            } catch (IOException e) {
                transfer.fail(e);
                closeRequests.fail(connection, e);
            }
        }
        ByteBuffer piece = transfer.piece();
        if (piece != null && !piece.hasRemaining()) {
            queues.releasePiece(connection, transfer);
        } else if (piece != null) {
            budgetGuard.enforce(connection);
        }
        return sum;
    }

    private static boolean canContinue(ConnectionRecord connection, Transfer transfer) {
        return !connection.isClosed() && !transfer.hasEnded() && !transfer.awaitsSource
                && !connection.is(ConnectionRecord.AWAITS_WRITABLE);
    }

    private long sendFromSource(ConnectionRecord connection, Transfer transfer, long bytesMax) throws IOException {
        long offered = Math.min(Math.min(transfer.left(), bytesMax), transfer.source.available());
        if (offered == 0) {
            transfer.awaitsSource = true;
            return 0;
        }
        long taken = transfer.source.sendTo(proactor, connection.handle, transfer.sent(), offered);
        if (taken == SendableFile.UNSUPPORTED) {
            transfer.isRead = true;
        } else if (taken == SendableFile.ENDED) {
            sourceEnded(connection, transfer);
        } else if (taken < offered) {
            awaitWritable(connection);
        }
        return taken;
    }

    private long sendPiece(ConnectionRecord connection, Transfer transfer) throws IOException {
        ByteBuffer piece = transfer.piece();
        if (piece == null) {
            piece = queues.acquirePiece(connection, transfer, (int) Math.min(transfer.left(), pieceBytesMax(connection)));
        }
        if (!piece.hasRemaining() && !read(connection, transfer, piece)) {
            return 0;
        }
        parts[0] = piece;
        int offered = piece.remaining();
        long taken = proactor.sendNow(connection.handle, parts, 0, 1);
        if (taken < offered) {
            awaitWritable(connection);
        }
        return taken;
    }

    /**
     * Sends bytes of the first transfer that its source has not passed on. If they are its last ones, ends it.
     *
     * @param bytes direct; the position advances over the bytes that were sent
     */
    void sendNow(ConnectionRecord connection, Transfer transfer, ByteBuffer bytes) {
        if (connection.isClosed() || connection.is(ConnectionRecord.AWAITS_WRITABLE)) {
            return;
        }
        parts[0] = bytes;
        int offered = bytes.remaining();
        try {
            long taken = proactor.sendNow(connection.handle, parts, 0, 1);
            if (taken < offered) {
                awaitWritable(connection);
            }
            if (taken > 0) {
                sent(connection, transfer, taken);
            }
        } catch (IOException e) {
            transfer.fail(e);
            closeRequests.fail(connection, e);
            return;
        }
        if (transfer.left() == 0) {
            end(connection, transfer);
        }
    }

    private static int pieceBytesMax(ConnectionRecord connection) {
        Limits limits = connection.profile().limits();
        int bytesMax = Math.min(limits.queueBytesMax() / 4, limits.queueHighBytes() / 2); // so one piece does not pause reading
        return Math.clamp(Math.min(bytesMax, limits.queueBudgetBytes() / 8), 1, PIECE_BYTES_MAX);
    }

    /** Reads the next piece. Returns false if there is none. */
    private boolean read(ConnectionRecord connection, Transfer transfer, ByteBuffer piece) {
        int room = (int) Math.min(transfer.left(), transfer.pieceBytes());
        piece.clear().limit(room);
        int read;
        try {
            read = callbacks.read(transfer, piece);
            if (read > room || piece.position() != Math.max(0, read)) {
                throw new IOException("the source of a transfer returned " + read + " and has put " + piece.position()
                        + " bytes into a buffer with room for " + room);
            }
        } catch (IOException e) {
            if (!connection.isClosed()) {
                piece.position(0).limit(0);
            }
            cut(connection, transfer, e);
            return false;
        }
        if (connection.isClosed()) { // by the source itself; the piece may have been released for the budget
            return false;
        }
        piece.flip();
        if (read < 0) {
            sourceEnded(connection, transfer);
        }
        transfer.awaitsSource = read == 0;
        return read > 0;
    }

    private void awaitWritable(ConnectionRecord connection) {
        connection.set(ConnectionRecord.AWAITS_WRITABLE);
        SendQueue behind = connection.sendQueue();
        if (behind != null) {
            behind.isBehindUnsent = proactor.unsentBytes(connection.handle) > 0;
        }
    }

    private void sent(ConnectionRecord connection, Transfer transfer, long bytes) {
        transfer.sent(bytes);
        connection.bytesOut += bytes;
        connection.active(clock.now());
        counters.add(Counters.BYTES_OUT, bytes);
        progressed(connection);
    }

    private void progressed(ConnectionRecord connection) {
        SendQueue behind = connection.sendQueue();
        if (behind != null) {
            behind.progressNanos = clock.now();
        }
    }

    // ---- the end

    private void sourceEnded(ConnectionRecord connection, Transfer transfer) {
        if (transfer.endsWithSource()) {
            end(connection, transfer);
        } else {
            cut(connection, transfer, new EOFException("the source of a transfer has ended after " + transfer.sent() + " of "
                    + (transfer.sent() + transfer.left()) + " bytes"));
        }
    }

    /** Resets the connection because the source has failed: what the peer has received must not look complete. */
    private void cut(ConnectionRecord connection, Transfer transfer, IOException failure) {
        transfer.fail(failure);
        connection.set(ConnectionRecord.RESET_ON_CLOSE);
        closeRequests.failTransfer(connection, failure);
    }

    private static void removeFirst(ConnectionRecord connection) {
        TransferQueue all = connection.transfers();
        if (all != null) {
            all.removeFirst();
            if (all.isEmpty()) {
                connection.transfers(null);
            }
        }
    }

    /** Ends a transfer of which all bytes were sent. */
    void end(ConnectionRecord connection, Transfer transfer) {
        transfer.end();
        queues.releasePiece(connection, transfer);
        removeFirst(connection);
        connection.release(1, transfer.reserved());
        callbacks.transferred(connection, transfer, null);
    }

    /** Ends all transfers of a closed connection. */
    void drop(ConnectionRecord connection) {
        Error thrown = null;
        for (Transfer transfer = SendQueues.firstTransfer(connection); transfer != null; transfer = SendQueues
                .firstTransfer(connection)) {
            queues.dropMemory(connection, transfer);
            removeFirst(connection);
            connection.releaseDropped(1, transfer.reserved());
            try {
                callbacks.transferred(connection, transfer, failure(connection, transfer));
            } catch (Error e) { // thrown by one listener; the other listeners are notified all the same
                thrown = thrown == null ? e : thrown;
            }
        }
        if (thrown != null) {
            throw thrown;
        }
    }

    /** Ends a transfer that was accepted by another thread and has reached the loop after the connection was closed. */
    void dropLate(ConnectionRecord connection, Transfer transfer) {
        queues.dropMemory(connection, transfer);
        connection.releaseDropped(1, transfer.reserved());
        callbacks.transferred(connection, transfer, failure(connection, transfer));
    }

    private static IOException failure(ConnectionRecord connection, Transfer transfer) {
        @Nullable IOException own = transfer.failure();
        CloseReason reason = connection.finishReason();
        return own != null ? own
                : new IOException("the connection was closed before the transfer was complete: " + reason.description(),
                        connection.failure());
    }
}
