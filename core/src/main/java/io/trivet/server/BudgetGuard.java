package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the connections of one loop within the server's {@link Budget}. If the budget is exceeded, closes the connections that
 * hold the most, and releases their memory at once. So the excess of one connection does not close others. If the JVM refuses
 * direct memory, closes the connection that holds the most. Loop thread, except {@link #heldBytes} and {@link #askToRelease}.
 */
final class BudgetGuard implements Budget.Holder {
    private final Budget budget;
    private final BufferPool pool;
    private final Proactor proactor;
    private final Mailbox mailbox;
    private final Counters counters;
    private final ConnectionTable table;
    private final SendQueues queues;
    private final PartialInputs partialInputs;
    private final CloseRequests closeRequests;
    private final Log log;
    private final AtomicBoolean asked = new AtomicBoolean();
    /** The closed connections for which the proactor keeps bytes. It releases them when their close is completed. */
    private final List<ConnectionRecord> leaving = new ArrayList<>();

    BudgetGuard(Budget budget, BufferPool pool, Proactor proactor, Mailbox mailbox, Counters counters, ConnectionTable table,
            SendQueues queues, PartialInputs partialInputs, CloseRequests closeRequests, Log log) {
        this.budget = budget;
        this.pool = pool;
        this.proactor = proactor;
        this.mailbox = mailbox;
        this.counters = counters;
        this.table = table;
        this.queues = queues;
        this.partialInputs = partialInputs;
        this.closeRequests = closeRequests;
        this.log = log;
    }

    @Override
    public long heldBytes() {
        return counters.value(Counters.SEND_MEMORY) + counters.value(Counters.INPUT_MEMORY)
                + counters.value(Counters.SESSION_MEMORY) + counters.value(Counters.PROACTOR_MEMORY);
    }

    @Override
    public void askToRelease() {
        if (asked.compareAndSet(false, true)) {
            mailbox.runAlways(() -> { // one at a time: see asked
                asked.set(false);
                enforce(null);
            });
        }
    }

    /** Updates the count of the proactor's unsent bytes in the budget. Called whenever these may have changed. */
    void countUnsent() {
        if (updateUnsent() > 0) {
            enforce(null);
        }
    }

    /** Returns how many more unsent bytes are counted now. */
    private long updateUnsent() {
        long now = proactor.keptBytes();
        if (!leaving.isEmpty()) {
            leaving.removeIf(connection -> keptBytes(connection) == 0);
            now -= leaving.stream().mapToLong(this::keptBytes).sum();
        }
        long added = now - counters.value(Counters.PROACTOR_MEMORY);
        if (added != 0) {
            budget.add(added);
            counters.add(Counters.PROACTOR_MEMORY, added);
        }
        return added;
    }

    /**
     * Closes connections until the budget is no longer exceeded. Called after memory was added.
     *
     * @param adding the connection to which memory was added, which may not be in the table yet; null: unknown
     */
    @SuppressWarnings("ReferenceEquality") // this very loop
    void enforce(@Nullable ConnectionRecord adding) {
        updateUnsent(); // a release subtracts what is kept, which must have been added before
        if (pool.takeRefusal()) {
            log.memoryRefused(DirectMemory.limitBytes());
            release(greediest(adding));
        }
        if (!budget.isExceeded()) {
            return;
        }
        Budget.Holder greediest = budget.greediest();
        if (greediest != this && !budget.isFarExceeded()) {
            greediest.askToRelease();
            return;
        }
        while (budget.bytes() - leavingBytes() > budget.bytesMax()) {
            ConnectionRecord next = greediest(adding);
            if (next == null) {
                return; // the rest is on its way between threads
            }
            log.budgetExceeded(next, budget.bytesMax());
            release(next);
        }
    }

    /** Closes a connection whose input needs a buffer that is larger than one may be. */
    void refuse(ConnectionRecord connection) {
        log.bufferRefused(connection, pool.bufferBytesMax());
        release(connection);
    }

    /** Returns the bytes that no further close would release earlier: those of connections that are closed already. */
    private long leavingBytes() {
        long ofSessions = counters.value(Counters.SESSION_MEMORY);
        if (ofSessions > 0) {
            for (int i = 0; i < table.slots(); i++) {
                ConnectionRecord connection = table.at(i); // only those that are not closed
                ofSessions -= connection == null ? 0 : connection.sessionBytes();
            }
        }
        return partialInputs.leavingBytes() + Math.max(0, ofSessions);
    }

    private @Nullable ConnectionRecord greediest(@Nullable ConnectionRecord adding) {
        ConnectionRecord greediest = adding == null || adding.isClosed() ? null : adding;
        long most = greediest == null ? 1 : Math.max(1, heldBytes(greediest));
        int slots = table.slots();
        ConnectionRecord[] withoutHandle = table.withoutHandle();
        for (int i = 0; i < slots + withoutHandle.length; i++) {
            ConnectionRecord connection = i < slots ? table.at(i) : withoutHandle[i - slots];
            if (connection != null && !connection.isClosed()) {
                long held = heldBytes(connection);
                if (held > most || (held == most && adding == null)) { // on a tie: `adding`, if there is one; otherwise the last
                    most = held;
                    greediest = connection;
                }
            }
        }
        return greediest == null || heldBytes(greediest) == 0 ? null : greediest;
    }

    private long heldBytes(ConnectionRecord connection) {
        SendQueue queue = connection.sendQueue();
        TransferQueue transfers = connection.transfers();
        PartialInput input = connection.partialInput();
        return (queue == null ? 0 : queue.heldBytes()) + (transfers == null ? 0 : transfers.heldBytes())
                + (input == null ? 0 : input.heldBytes())
                + connection.sessionBytes() + keptBytes(connection);
    }

    private long keptBytes(ConnectionRecord connection) {
        return connection.handle < 0 ? 0 : proactor.keptBytes(connection.handle);
    }

    private void release(@Nullable ConnectionRecord connection) {
        if (connection != null) {
            closeRequests.close(connection, CloseReason.BUDGET_EXCEEDED);
            long kept = keptBytes(connection);
            if (kept > 0) {
                leaving.add(connection);
                counters.add(Counters.PROACTOR_MEMORY, -kept);
                budget.release(kept);
            }
            queues.dropWaiting(connection);
            partialInputs.drop(connection);
            connection.dropReceivedBySession();
        }
    }
}
