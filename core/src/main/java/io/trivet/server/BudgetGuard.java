package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the connections of one loop within the server's {@link Budget}: if it is exceeded, closes those that hold most, and
 * releases what they hold at once. So a healthy peer does not pay for one that hoards. The same happens if the JVM refuses direct
 * memory. Loop thread, except {@link #heldBytes} and {@link #askToRelease}.
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
    /** The bytes that the proactor keeps, as they were last counted in the budget. */
    private long unsentBytes;

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
        return counters.value(Counters.SEND_MEMORY) + counters.value(Counters.INPUT_MEMORY);
    }

    @Override
    public void askToRelease() {
        if (asked.compareAndSet(false, true)) {
            mailbox.run(() -> {
                asked.set(false);
                enforce(null);
            });
        }
    }

    /** Counts what the proactor keeps for connections, whenever that may have changed. */
    void countUnsent() {
        long now = proactor.keptBytes();
        if (now != unsentBytes) {
            budget.add(now - unsentBytes);
            boolean more = now > unsentBytes;
            unsentBytes = now;
            if (more) {
                enforce(null);
            }
        }
    }

    /**
     * Closes connections until the budget is not exceeded. To be called after more was added.
     *
     * @param adding the connection that holds more now; it may not be in the table yet. Null: any
     */
    @SuppressWarnings("ReferenceEquality") // this very loop
    void enforce(@Nullable ConnectionRecord adding) {
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
        long unsent = 0; // released when the connection is closed, at the end of the turn
        while (budget.bytes() - unsent > budget.bytesMax()) {
            ConnectionRecord next = greediest(adding);
            if (next == null) {
                return; // what is left is on its way, or cannot be released before the proactor has
            }
            unsent += keptBytes(next);
            release(next);
        }
    }

    private @Nullable ConnectionRecord greediest(@Nullable ConnectionRecord adding) {
        ConnectionRecord greediest = adding == null || adding.isClosed() ? null : adding;
        long most = greediest == null ? 1 : Math.max(1, heldBytes(greediest));
        int slots = table.slots();
        for (int slot = 0; slot < slots; slot++) {
            ConnectionRecord connection = table.at(slot);
            if (connection != null) {
                long held = heldBytes(connection);
                if (held > most || (held == most && adding == null)) { // of several, the one that asks for more, or the last
                    most = held;
                    greediest = connection;
                }
            }
        }
        return greediest == null || heldBytes(greediest) == 0 ? null : greediest;
    }

    private long heldBytes(ConnectionRecord connection) {
        SendQueue queue = connection.sendQueue();
        PartialInput input = connection.partialInput();
        return (queue == null ? 0 : queue.heldBytes()) + (input == null ? 0 : input.heldBytes())
                + keptBytes(connection);
    }

    private long keptBytes(ConnectionRecord connection) {
        return connection.handle < 0 ? 0 : proactor.keptBytes(connection.handle);
    }

    private void release(@Nullable ConnectionRecord connection) {
        if (connection != null) {
            closeRequests.close(connection, CloseReason.BUDGET_EXCEEDED);
            queues.dropWaiting(connection);
            partialInputs.drop(connection);
        }
    }
}
