package io.trivet.server;

import io.trivet.net.Completions;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.LoopEvent;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Routes each completion of the proactor to the part that handles it, as the state of the connection requires. A completion for a
 * closed connection is dropped. One thread.
 */
final class Dispatcher implements Completions {
    private final TurnClock clock;
    private final Counters counters;
    private final ConnectionTable table;
    private final ConnectionSource source;
    private final Delivery delivery;
    private final Lingering lingering;
    private final Sender sender;
    private final Lifecycle lifecycle;
    private final ConnectAttempts connectAttempts;
    private final CloseRequests closeRequests;
    private final Callbacks callbacks;
    private final Log log;

    Dispatcher(TurnClock clock, Counters counters, ConnectionTable table, ConnectionSource source, Delivery delivery,
            Lingering lingering, Sender sender, Lifecycle lifecycle, ConnectAttempts connectAttempts,
            CloseRequests closeRequests, Callbacks callbacks, Log log) {
        this.clock = clock;
        this.counters = counters;
        this.table = table;
        this.source = source;
        this.delivery = delivery;
        this.lingering = lingering;
        this.sender = sender;
        this.lifecycle = lifecycle;
        this.connectAttempts = connectAttempts;
        this.closeRequests = closeRequests;
        this.callbacks = callbacks;
        this.log = log;
    }

    @Override
    public void accepted(long token, TcpStream stream) {
        counters.add(Counters.ACCEPTED, 1);
        counters.trace.event(LoopEvent.ACCEPTED, -1, token);
        if (!source.accepted((int) token, stream)) {
            counters.add(Counters.REFUSED, 1);
        }
    }

    @Override
    public void acceptFailed(long token, IOException failure) {
        counters.add(Counters.ACCEPT_FAILURES, 1);
        source.acceptFailed(failure);
    }

    @Override
    public void connected(long handle) {
        ConnectionRecord connection = table.get(handle);
        if (connection != null) {
            lifecycle.connected(connection);
        } else {
            connectAttempts.connected(handle);
        }
    }

    @Override
    public void received(long handle, ByteBuffer memory, int from, int to) {
        ConnectionRecord connection = table.get(handle);
        if (connection == null) {
            return;
        }
        connection.active(clock.now());
        if (connection.profile().limitsReadIdle()) {
            connection.receivedNanos(clock.now());
        }
        connection.bytesIn += to - from;
        counters.add(Counters.BYTES_IN, to - from);
        counters.trace.event(LoopEvent.RECEIVED, handle, to - from);
        switch (connection.state()) {
            case OPEN, DRAINING -> {
                if (connection.wantsInput()) { // a draining connection delivers nothing, but may relay
                    delivery.received(connection, memory, from, to);
                }
            }
            case LINGERING -> lingering.received(connection, to - from);
            case CONNECTING -> receivedBeforeOpen(connection, memory, from, to);
            case INPUT_ENDED, CLOSED -> {
                // Nothing is received.
            }
        }
    }

    private void receivedBeforeOpen(ConnectionRecord connection, ByteBuffer memory, int from, int to) {
        int next = lifecycle.received(connection, memory, from, to);
        if (next != ProxyHeaders.NOT_OPEN && next < to && connection.wantsInput()) { // a handler may have ended it in onOpen
            delivery.received(connection, memory, next, to);
        }
    }

    @Override
    public void urgent(long handle, byte b) {
        ConnectionRecord connection = table.get(handle);
        if (connection == null) {
            return;
        }
        connection.active(clock.now()); // in every state, as with other bytes
        counters.trace.event(LoopEvent.URGENT, handle, b & 0xff);
        if (connection.state() == ConnectionState.OPEN) {
            callbacks.urgent(connection, b);
            sender.flush(connection);
        }
    }

    @Override
    public void inputEnded(long handle) {
        ConnectionRecord connection = table.get(handle);
        if (connection == null) {
            return;
        }
        connection.clear(ConnectionRecord.RECEIVING);
        connection.set(ConnectionRecord.INPUT_ENDED);
        counters.trace.event(LoopEvent.INPUT_ENDED, handle, 0);
        switch (connection.state()) {
            case OPEN, DRAINING -> {
                if (connection.wantsInput()) { // a draining connection finds the flag when its queue is empty
                    delivery.inputEnded(connection);
                }
            }
            case LINGERING -> lingering.inputEnded(connection);
            case CONNECTING -> lifecycle.inputEndedBeforeOpen(connection);
            case INPUT_ENDED, CLOSED -> {
                // Nothing follows.
            }
        }
    }

    @Override
    public void inputTruncated(long handle, IOException failure) {
        ConnectionRecord connection = table.get(handle);
        if (connection != null) {
            connection.set(ConnectionRecord.INPUT_TRUNCATED);
            inputEnded(handle);
        }
    }

    @Override
    public void sent(long handle, long bytes) {
        ConnectionRecord connection = table.get(handle);
        if (connection != null) {
            if (connection.state() == ConnectionState.CONNECTING) {
                lifecycle.writableBeforeOpen(connection);
            } else {
                sender.completed(connection, bytes);
            }
        }
    }

    @Override
    public void failed(long handle, IOException failure) {
        ConnectionRecord connection = table.get(handle);
        if (connection != null) {
            closeRequests.fail(connection, failure);
        } else {
            connectAttempts.failed(handle, failure);
        }
    }

    @Override
    public void spinning(long handle, String description) {
        ConnectionRecord connection = table.get(handle);
        if (connection != null) {
            log.spinning(connection, description);
            closeRequests.close(connection, CloseReason.SPINNING);
        } else {
            connectAttempts.failed(handle, new IOException("the loop spins on " + description));
        }
    }

    @Override
    public void closed(long handle) {
        lifecycle.released(handle);
    }
}
