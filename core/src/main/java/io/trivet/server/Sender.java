package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.LoopEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Sends: the replies of a delivery, and the queues of connections. Keeps what the socket refuses, handles completed sends,
 * maintains the write deadline, and notifies handlers of drained queues. One thread.
 *
 * <p>Room in a connection's queue is reserved when a message is accepted for sending, and released here when it was sent. The
 * server's budget counts the buffers of a {@link SendQueue}.
 */
final class Sender {
    /**
     * Maximum number of bytes that one flush sends from a queue. It is checked before each gathering send, so the last one may
     * exceed it.
     */
    static final int BYTES_PER_FLUSH_MAX = 1 << 20;
    /** What a transfer counts at least: a listener that starts the next one each time must not hold the loop. */
    private static final int TRANSFER_BYTES_MIN = 1024;
    private static final int PARTS_MAX = 64;

    private final Proactor proactor;
    private final TurnClock clock;
    private final Counters counters;
    private final BudgetGuard budgetGuard;
    private final SendQueues queues;
    private final PendingSends pendingSends;
    private final ReplyBatch batch;
    private final ReadGate gate;
    private final Lingering lingering;
    private final DropOldest dropOldest;
    private final ConnectionDeadlines deadlines;
    private final CloseRequests closeRequests;
    private final Callbacks callbacks;
    private final Transfers transfers;
    private final ByteBuffer[] parts = new ByteBuffer[PARTS_MAX];
    /** Connections to be flushed at the end of this turn. */
    private final ArrayDeque<ConnectionRecord> flushes = new ArrayDeque<>();

    Sender(Proactor proactor, TurnClock clock, Counters counters, BudgetGuard budgetGuard, SendQueues queues,
            PendingSends pendingSends,
            ReplyBatch batch, ReadGate gate, Lingering lingering, DropOldest dropOldest, ConnectionDeadlines deadlines,
            CloseRequests closeRequests, Callbacks callbacks, Transfers transfers) {
        this.proactor = proactor;
        this.clock = clock;
        this.counters = counters;
        this.budgetGuard = budgetGuard;
        this.queues = queues;
        this.pendingSends = pendingSends;
        this.batch = batch;
        this.gate = gate;
        this.lingering = lingering;
        this.dropOldest = dropOldest;
        this.deadlines = deadlines;
        this.closeRequests = closeRequests;
        this.callbacks = callbacks;
        this.transfers = transfers;
    }

    // ---- flushing

    boolean hasWork() {
        return !flushes.isEmpty();
    }

    /** Queues a connection for a flush at the end of this turn. */
    void flushLater(ConnectionRecord connection) {
        if (!connection.is(ConnectionRecord.FLUSH_PENDING)) {
            connection.set(ConnectionRecord.FLUSH_PENDING);
            flushes.addLast(connection);
        }
    }

    /** Flushes the queued connections, and returns how many there were. */
    int flushPending() {
        int count = flushes.size();
        for (int i = 0; i < count; i++) {
            ConnectionRecord connection = flushes.removeFirst();
            connection.clear(ConnectionRecord.FLUSH_PENDING);
            flush(connection);
        }
        return count;
    }

    /** Sends as much of the queue as the socket accepts, then acts on the new level of the queue. */
    void flush(ConnectionRecord connection) {
        if (connection.isClosed() || connection.state() == ConnectionState.CONNECTING) {
            return;
        }
        SendQueue queue = connection.sendQueue();
        if (queue != null && pendingSends.get(connection) == null
                && !connection.is(ConnectionRecord.AWAITS_WRITABLE | ConnectionRecord.PLAINTEXT_SENT)) {
            if (connection.transfers() == null || sendTransfers(connection)) {
                sendWaiting(connection);
            }
        }
        if (!connection.isClosed()) {
            checkMarks(connection);
        }
        if (connection.profile().dropsOldest() && connection.queuedMessages() == 0) {
            dropOldest.notifyPending(connection);
        }
        // Reserved messages of other threads may still be on their way here; the output ends behind them.
        // Until the handshake of startTls is over, an end of the output would be in plaintext.
        // A connection that its handler has just reset must not look complete to the peer.
        if (!connection.isClosed() && connection.awaitsEndOfOutput() && !connection.is(ConnectionRecord.STARTING_TLS)
                && connection.queuedMessages() == 0 && !batch.collectsFor(connection)
                && pendingSends.get(connection) == null && !awaitsUnsentBytes(connection)) {
            lingering.endOutput(connection);
        }
    }

    /**
     * If the proactor has accepted bytes that it has not yet sent, waits for them, within the write deadline. Ending the output
     * before would cut them off.
     *
     * @return false if there is nothing to wait for
     */
    private boolean awaitsUnsentBytes(ConnectionRecord connection) {
        if (connection.is(ConnectionRecord.OUTPUT_ENDED) || proactor.unsentBytes(connection.handle) == 0) {
            return false;
        }
        pending(connection, pendingSends.create().ofUnsentBytes(clock.now()));
        return true;
    }

    private void checkMarks(ConnectionRecord connection) {
        if (!connection.hasReachedHigh()) {
            return;
        }
        if (connection.clearHighAt(connection.profile().lowBytes())) {
            if (connection.is(ConnectionRecord.PAUSED_BY_QUEUE)) { // otherwise the socket has accepted everything at once
                counters.trace.event(LoopEvent.QUEUE_LOW, connection.handle, connection.queuedBytes());
            }
            gate.resume(connection, ConnectionRecord.PAUSED_BY_QUEUE);
            if (connection.takesMessages() || connection.hasSession()) { // a session that waits to send learns that it cannot
                callbacks.drained(connection);
            }
        } else if (connection.profile().pausesWhenHigh() && !connection.is(ConnectionRecord.PAUSED_BY_QUEUE)) {
            counters.trace.event(LoopEvent.QUEUE_HIGH, connection.handle, connection.queuedBytes());
            FlightEvents.queueHigh(counters.trace.id(connection.handle), connection.queuedBytes());
            gate.pause(connection, ConnectionRecord.PAUSED_BY_QUEUE);
        }
    }

    // ---- replies

    /** Sends the replies that were collected for a connection, and queues what the socket refuses. */
    void sendReplies(ConnectionRecord connection) {
        if (batch.isEmpty()) {
            return;
        }
        int bytes = batch.bytes();
        long taken = 0;
        ByteBuffer[] from = batch.parts();
        if (!connection.isClosed() && pendingSends.get(connection) == null && !connection.is(ConnectionRecord.AWAITS_WRITABLE)) {
            try {
                taken = send(connection, from, batch.partCount(), bytes);
            } catch (IOException e) {
                closeRequests.fail(connection, e);
            }
        }
        if (connection.isClosed()) {
            connection.releaseDropped(batch.messages(), bytes);
        } else if (taken == Proactor.PENDING) {
            pending(connection, pendingSends.create().ofBatch(batch, clock.now()));
        } else if (taken == bytes) {
            sent(connection, batch.messages(), taken);
        } else {
            connection.set(ConnectionRecord.AWAITS_WRITABLE);
            SendQueue rest = queues.of(connection);
            int completed = batch.spill(taken, rest.ordinary(), clock.now());
            rest.isBehindUnsent = proactor.unsentBytes(connection.handle) > 0;
            sent(connection, completed, taken);
            refused(connection, rest);
            queued(connection);
        }
        batch.clear();
    }

    /** Moves the collected replies to the queue, before another message is put there: they come first. */
    void queueReplies(ConnectionRecord connection) {
        if (batch.collectsFor(connection) && !batch.isEmpty()) {
            batch.parts(); // sets the positions from which spill copies
            batch.spill(0, queues.of(connection).ordinary(), clock.now());
            batch.clear();
            queued(connection);
        }
    }

    // ---- queues

    /**
     * Called after messages were put into a connection's queue. Enforces the budget, which may close the connection; otherwise
     * starts the write deadline and requests a flush.
     */
    void queued(ConnectionRecord connection) {
        budgetGuard.enforce(connection);
        if (connection.isClosed()) {
            return;
        }
        guardWrite(connection);
        flushLater(connection);
    }

    private void sendWaiting(ConnectionRecord connection) {
        SendQueue queue = connection.sendQueue();
        if (queue != null) {
            connection.sendQueue(null); // further messages are not added to a pending queue
            sendQueue(connection, queue);
        }
    }

    private void sendQueue(ConnectionRecord connection, SendQueue queue) {
        long sum = 0;
        while (!queue.isEmpty() && sum < BYTES_PER_FLUSH_MAX && !connection.is(ConnectionRecord.AWAITS_WRITABLE)) {
            int count = queue.parts(parts);
            long offered = 0;
            for (int i = 0; i < count; i++) {
                offered += parts[i].remaining();
            }
            long taken;
            try {
                // With raw framing, an empty message has no bytes that a buffer could hold: there may be none.
                taken = offered == 0 ? 0 : send(connection, parts, count, offered);
            } catch (IOException e) {
                queues.putBack(connection, queue);
                closeRequests.fail(connection, e);
                return;
            }
            if (taken == Proactor.PENDING) {
                pending(connection, pendingSends.create().ofQueue(queue, offered, clock.now()));
                return;
            }
            sentFromQueue(connection, queue, taken);
            sum += taken;
            if (taken < offered) {
                connection.set(ConnectionRecord.AWAITS_WRITABLE);
                queue.isBehindUnsent = proactor.unsentBytes(connection.handle) > 0;
                refused(connection, queue);
            }
        }
        if (queue.isEmpty()) {
            queues.recycle(queue);
        } else {
            queues.putBack(connection, queue);
            guardWrite(connection);
            if (!connection.is(ConnectionRecord.AWAITS_WRITABLE)) {
                flushLater(connection); // the other connections first
            }
        }
    }

    /**
     * Sends. A pending message cannot be dropped. With {@link Overflow#DROP_OLDEST} at most half of the cap is therefore pending,
     * so a message of up to half the cap always fits.
     */
    private long send(ConnectionRecord connection, ByteBuffer[] from, int count, long bytes) throws IOException {
        Profile profile = connection.profile();
        return profile.dropsOldest() && bytes > profile.limits().queueBytesMax() / 2
                ? proactor.sendNow(connection.handle, from, 0, count)
                : proactor.send(connection.handle, from, 0, count);
    }

    // ---- transfers

    /** Queues a transfer behind everything that was accepted before it. */
    void queueTransfer(ConnectionRecord connection, Transfer transfer) {
        queueReplies(connection);
        transfers.add(connection, transfer);
        queued(connection);
    }

    /** Ends a transfer that has reached the loop after its connection was closed. */
    void dropLateTransfer(ConnectionRecord connection, Transfer transfer) {
        transfers.dropLate(connection, transfer);
    }

    /** Continues a transfer whose source had nothing. */
    void continueTransfer(ConnectionRecord connection) {
        if (transfers.resume(connection)) {
            guardWrite(connection);
            flushLater(connection);
        }
    }

    /**
     * Sends transfers, and the messages before them, as far as the socket accepts them.
     *
     * @return true if all were sent, and the messages behind them may follow
     */
    private boolean sendTransfers(ConnectionRecord connection) {
        long left = BYTES_PER_FLUSH_MAX;
        for (Transfer next = SendQueues.firstTransfer(connection); next != null; next = SendQueues.firstTransfer(connection)) {
            SendQueue before = next.before();
            if (before != null) {
                next.before(null);
                takeProgress(connection, before);
                sendQueue(connection, before);
                shareProgress(connection, next.before());
            } else if (left > 0) {
                left -= Math.max(TRANSFER_BYTES_MIN, transfers.send(connection, next, left));
            } else {
                flushLater(connection); // the other connections first
                break;
            }
            if (connection.isClosed() || connection.is(ConnectionRecord.AWAITS_WRITABLE | ConnectionRecord.PLAINTEXT_SENT)
                    || next.before() != null || next.awaitsSource) {
                break;
            }
        }
        guardWrite(connection);
        return connection.transfers() == null && !connection.isClosed()
                && !connection.is(ConnectionRecord.AWAITS_WRITABLE | ConnectionRecord.PLAINTEXT_SENT);
    }

    /** Messages before a transfer may have waited for an earlier one: the peer has made progress meanwhile. */
    private static void takeProgress(ConnectionRecord connection, SendQueue before) {
        SendQueue behind = connection.sendQueue();
        if (behind != null) {
            before.progressNanos = behind.progressNanos;
        }
    }

    /**
     * Transfers the progress of messages before a transfer to the queue behind it, which stands for all that waits.
     *
     * @param before what is left of these messages; null if the peer has accepted the last of them now, or a send of them is pending
     */
    private void shareProgress(ConnectionRecord connection, @Nullable SendQueue before) {
        SendQueue behind = connection.sendQueue();
        if (behind == null) {
            return;
        }
        if (before != null) {
            behind.progressNanos = before.progressNanos;
            behind.isBehindUnsent = before.isBehindUnsent;
        } else if (pendingSends.get(connection) == null) {
            behind.progressNanos = clock.now();
        }
    }

    // ---- completions

    private void pending(ConnectionRecord connection, PendingSend send) {
        pendingSends.put(connection, send);
        connection.set(ConnectionRecord.AWAITS_WRITABLE);
        guardWrite(connection);
    }

    /**
     * Continues after a completion: the socket has room again, or a pending send has completed.
     *
     * @param bytes the number of bytes of a pending send that the socket accepted: if not all, it is full
     */
    void completed(ConnectionRecord connection, long bytes) {
        PendingSend pending = pendingSends.get(connection);
        boolean wasRefused = pending == null || (pending.queue() != null && pending.queue().timesFull > 0);
        boolean isFull = pending != null && bytes < pending.bytes();
        if (pending == null) {
            counters.trace.event(LoopEvent.WRITABLE, connection.handle, 0);
        }
        if (pending != null) {
            pendingSends.remove(connection);
            if (pending.queue() != null) {
                completedQueue(connection, pending.queue(), bytes);
            } else if (isFull) {
                completedPartOfBatch(connection, pending, bytes);
            } else {
                sent(connection, pending.messages(), bytes);
            }
            recycle(pending);
        }
        SendQueue waiting = connection.sendQueue();
        boolean wasBehindUnsent = waiting != null && waiting.isBehindUnsent;
        if (bytes > 0 || wasBehindUnsent || (pending != null && !isFull)) {
            connection.active(clock.now());
            if (waiting != null) {
                waiting.progressNanos = clock.now(); // the peer has accepted the bytes before them
                waiting.isBehindUnsent = false;
            }
        }
        if (isFull) {
            guardWrite(connection);
        } else {
            connection.clear(ConnectionRecord.AWAITS_WRITABLE);
        }
        flush(connection);
        if (wasRefused && !connection.isClosed() && !connection.is(ConnectionRecord.AWAITS_WRITABLE)) {
            counters.trace.event(LoopEvent.SOCKET_DRAINED, connection.handle, connection.queuedBytes());
        }
    }

    private void completedQueue(ConnectionRecord connection, SendQueue queue, long bytes) {
        sentFromQueue(connection, queue, bytes);
        if (queue.isEmpty()) {
            queues.recycle(queue);
        } else {
            queues.putBack(connection, queue);
        }
    }

    private void completedPartOfBatch(ConnectionRecord connection, PendingSend pending, long bytes) {
        SendQueue rest = queues.create(pending.sinceNanos());
        int completed = pending.spill(bytes, rest.ordinary());
        sent(connection, completed, bytes);
        queues.putBack(connection, rest);
        queued(connection);
    }

    private void sentFromQueue(ConnectionRecord connection, SendQueue queue, long bytes) {
        int completed = queue.sent(bytes, clock.now());
        sent(connection, completed, bytes);
    }

    /** Accounts for messages and bytes that the kernel has accepted. */
    private void sent(ConnectionRecord connection, int messages, long bytes) {
        connection.release(messages, bytes);
        connection.bytesOut += bytes;
        if (bytes > 0) { // an attempt to send is no activity
            connection.active(clock.now());
            counters.trace.event(LoopEvent.SENT, connection.handle, bytes);
        }
        counters.add(Counters.BYTES_OUT, bytes);
    }

    /** The socket has refused bytes of a queue: its buffer is full. */
    private void refused(ConnectionRecord connection, SendQueue queue) {
        queue.timesFull++;
        counters.trace.event(LoopEvent.SOCKET_FULL, connection.handle, connection.queuedBytes());
    }

    private void guardWrite(ConnectionRecord connection) {
        if (pendingSends.isWaiting(connection)) {
            deadlines.startWrite(connection, pendingSends.progressNanos(connection));
        }
    }

    // ---- urgent data, and the end

    /** Sends TCP's urgent byte, ahead of everything that waits. If it cannot be sent now, it is not sent at all. */
    void sendUrgent(ConnectionRecord connection, byte b) {
        boolean canSend = switch (connection.state()) {
            case OPEN, INPUT_ENDED, DRAINING -> !connection.is(ConnectionRecord.OUTPUT_ENDED);
            case CONNECTING, LINGERING, CLOSED -> false;
        };
        if (!canSend) {
            return;
        }
        try {
            proactor.sendUrgent(connection.handle, b);
        } catch (IOException e) {
            closeRequests.fail(connection, e);
        }
    }

    /**
     * Drops everything that waits for a closed connection. The memory of a pending send stays until the proactor has released the
     * handle.
     */
    void dropUnlessPending(ConnectionRecord connection) {
        if (connection.transfers() != null) {
            transfers.drop(connection);
        }
        if (pendingSends.get(connection) == null) {
            queues.dropWaiting(connection);
        }
    }

    /** Drops everything that waits for a closed connection whose handle the proactor has released. */
    void drop(ConnectionRecord connection) {
        queues.dropWaiting(connection);
        PendingSend pending = pendingSends.get(connection);
        if (pending != null) {
            pendingSends.remove(connection);
            if (pending.queue() != null) {
                queues.drop(connection, pending.queue());
            } else {
                connection.releaseDropped(pending.messages(), pending.bytes());
            }
            recycle(pending);
        }
    }

    private void recycle(PendingSend completed) {
        StagingBuffer staging = completed.staging();
        if (staging != null) {
            batch.release(staging);
        }
        pendingSends.recycle(completed);
    }
}
