package io.trivet.server;

import io.trivet.observe.ConnectionState;
import io.trivet.observe.LoopEvent;

/**
 * The policy {@link Overflow#DROP_OLDEST}: drops the oldest messages of a full queue, and notifies the handler. One thread.
 *
 * <p>While a handler is being notified, drops caused by its own messages are not notified at once: a handler that answers each
 * notification would be called forever. These drops are added up until something else is dropped or the queue is empty.
 */
final class DropOldest {
    private final TurnClock clock;
    private final Counters counters;
    private final Mailbox mailbox;
    private final Callbacks callbacks;
    private boolean notifying;

    DropOldest(TurnClock clock, Counters counters, Mailbox mailbox, Callbacks callbacks) {
        this.clock = clock;
        this.counters = counters;
        this.mailbox = mailbox;
        this.callbacks = callbacks;
    }

    /**
     * Drops the oldest messages until one of that length fits, or nothing is left that may be dropped.
     *
     * @return true if a message was dropped
     */
    boolean makeRoom(ConnectionRecord connection, int length) {
        SendQueue queue = connection.sendQueue();
        int queueBytesMax = connection.profile().limits().queueBytesMax();
        if (queue == null || length > queueBytesMax) {
            return false;
        }
        int messages = 0;
        long bytes = 0;
        while (connection.queuedBytes() + (long) length > queueBytesMax) {
            int dropped = queue.dropOldest(clock.now(), connection.transfers() != null);
            if (dropped < 0) {
                break;
            }
            connection.release(1, dropped);
            messages++;
            bytes += dropped;
        }
        if (messages > 0) {
            dropped(connection, new DroppedMessages(messages, bytes));
        }
        return messages > 0;
    }

    private void dropped(ConnectionRecord connection, DroppedMessages dropped) {
        counters.add(Counters.DROPPED, dropped.messages());
        counters.trace.event(LoopEvent.DROPPED, connection.handle, dropped.messages());
        FlightEvents.dropped(counters.trace.id(connection.handle), dropped.messages(), dropped.bytes());
        // Kept here, and not in the task: if the connection ends first, the handler is notified before.
        connection.pendingDrops(dropped.and(connection.pendingDrops()));
        if (!notifying && connection.state() != ConnectionState.CONNECTING) {
            mailbox.runLater(() -> notifyPending(connection)); // the handler is in the middle of a send
        }
    }

    /** Notifies the handler of drops of which it has not been notified, if there are any. */
    void notifyPending(ConnectionRecord connection) {
        DroppedMessages pending = connection.pendingDrops();
        connection.pendingDrops(null);
        if (pending != null && connection.mayNotifyDrops()) {
            notifying = true;
            try {
                callbacks.dropped(connection, pending);
            } finally {
                notifying = false;
            }
        }
    }
}
