package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.util.ArrayDeque;

/**
 * Decides when the proactor receives for a connection, and which connections continue a delivery later. Reading is paused by the
 * application, by a queue that is high, by a relay whose target is full, and by messages that a delivery has left over. One
 * thread.
 */
final class ReadGate {
    private final Proactor proactor;
    private final TurnClock clock;
    private final ConnectionDeadlines deadlines;
    private final CloseRequests closeRequests;
    /** Connections whose delivery was cut short, and continues after the other connections. */
    private final ArrayDeque<ConnectionRecord> pending = new ArrayDeque<>();

    ReadGate(Proactor proactor, TurnClock clock, ConnectionDeadlines deadlines, CloseRequests closeRequests) {
        this.proactor = proactor;
        this.clock = clock;
        this.deadlines = deadlines;
        this.closeRequests = closeRequests;
    }

    /** Pauses reading: sets one of the flags of {@link ConnectionRecord#PAUSED}. */
    void pause(ConnectionRecord connection, int flag) {
        connection.set(flag);
        update(connection);
    }

    /** Clears a flag that {@link #pause} has set. If no other pauses the connection, reading continues. */
    void resume(ConnectionRecord connection, int flag) {
        if (!connection.is(flag)) {
            return;
        }
        connection.clear(flag);
        if (!connection.isPaused() && connection.wantsInput()) {
            if (connection.state() == ConnectionState.OPEN) { // of a connection that drains, the same deadline ends the drain
                deadlines.startFirstMessage(connection); // the peer is not to blame for the pause
            }
            if (connection.profile().limitsReadIdle()) {
                deadlines.startReadIdle(connection);
            }
            PartialInput input = connection.partialInput();
            if (input != null) {
                input.beganNanos = clock.now();
            }
            if (input != null || connection.partBytesLeft() == 0 || connection.is(ConnectionRecord.END_OF_INPUT_PENDING)) {
                deliverLater(connection); // not at once: the caller may be deep in a callback
            }
            update(connection);
        }
    }

    /** Queues a connection whose delivery continues after the other connections. */
    void deliverLater(ConnectionRecord connection) {
        if (!connection.is(ConnectionRecord.DELIVERY_PENDING)) {
            connection.set(ConnectionRecord.DELIVERY_PENDING);
            pending.addLast(connection);
            update(connection);
        }
    }

    /** Returns the number of connections that are queued for a delivery. */
    int pendingCount() {
        return pending.size();
    }

    /** Removes and returns the first connection that is queued for a delivery. There must be one. */
    ConnectionRecord takePending() {
        ConnectionRecord connection = pending.removeFirst();
        connection.clear(ConnectionRecord.DELIVERY_PENDING);
        return connection;
    }

    /**
     * Starts or stops receiving, as the connection's state requires: it receives while input can be delivered or relayed, and while it
     * lingers, when input is dropped.
     */
    void update(ConnectionRecord connection) {
        boolean wanted = switch (connection.state()) {
            case OPEN, DRAINING -> connection.wantsInput() && connection.mayDeliver()
                    && !connection.is(ConnectionRecord.INPUT_ENDED);
            case LINGERING -> !connection.is(ConnectionRecord.INPUT_ENDED);
            case CONNECTING, INPUT_ENDED, CLOSED -> false;
        };
        if (wanted == connection.is(ConnectionRecord.RECEIVING) || connection.handle < 0 || connection.isClosed()) {
            return;
        }
        try {
            if (wanted) {
                connection.set(ConnectionRecord.RECEIVING);
                proactor.receive(connection.handle);
            } else {
                connection.clear(ConnectionRecord.RECEIVING);
                proactor.stopReceiving(connection.handle);
            }
        } catch (IOException e) {
            closeRequests.fail(connection, e);
        }
    }
}
