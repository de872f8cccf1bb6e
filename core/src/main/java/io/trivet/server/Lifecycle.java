package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.net.Proactor;
import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.LoopEvent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How the connections of a loop begin and end: the state diagram of {@link Connection}, and the draining of all of them. One
 * thread.
 */
final class Lifecycle {
    private final Proactor proactor;
    private final TurnClock clock;
    private final Mailbox mailbox;
    private final Counters counters;
    private final ConnectionTable table;
    private final ConnectionSource source;
    private final ConnectionDeadlines deadlines;
    private final CloseRequests closeRequests;
    private final Handshakes handshakes;
    private final ProxyHeaders proxyHeaders;
    private final PartialInputs partialInputs;
    private final ReadGate gate;
    private final Lingering lingering;
    private final Sender sender;
    private final DropOldest dropOldest;
    private final Callbacks callbacks;
    private final TimerQueue timers;
    private final Log log;

    private boolean draining;
    private long drainDeadlineNanos = Loop.NO_DEADLINE;

    Lifecycle(Proactor proactor, TurnClock clock, Mailbox mailbox, Counters counters, ConnectionTable table,
            ConnectionSource source,
            ConnectionDeadlines deadlines, CloseRequests closeRequests, Handshakes handshakes, PartialInputs partialInputs,
            ReadGate gate, Lingering lingering, Sender sender,
            DropOldest dropOldest, Callbacks callbacks, TimerQueue timers, Log log) {
        this.proactor = proactor;
        this.clock = clock;
        this.mailbox = mailbox;
        this.counters = counters;
        this.table = table;
        this.source = source;
        this.deadlines = deadlines;
        this.closeRequests = closeRequests;
        this.handshakes = handshakes;
        proxyHeaders = new ProxyHeaders(proactor, deadlines, source, counters, closeRequests, log);
        this.partialInputs = partialInputs;
        this.gate = gate;
        this.lingering = lingering;
        this.sender = sender;
        this.dropOldest = dropOldest;
        this.callbacks = callbacks;
        this.timers = timers;
        this.log = log;
    }

    // ---- the beginning

    /**
     * Takes over an accepted connection, which the table {@linkplain ConnectionTable#expect expects}.
     *
     * @param connection its record
     * @param stream its socket; closed if it cannot be used
     * @param remote the peer's address, or null if the acceptor has not read it
     * @param isProxy true if it starts with a header of the PROXY protocol
     */
    void adopt(ConnectionRecord connection, TcpStream stream, @Nullable InetSocketAddress remote, boolean isProxy) {
        try {
            connection.handle = proactor.adopt(stream);
        } catch (IOException e) { // the peer has already reset it, or the kernel has no memory for another one
            log.adoptFailed(e);
            closeQuietly(stream);
            table.uncount();
            source.gone(isProxy ? null : remote);
            return;
        }
        enter(connection);
        if (isProxy) {
            proxyHeaders.await(connection);
        } else if (Handshakes.isDue(connection)) {
            handshakes.start(connection);
        } else {
            open(connection);
        }
    }

    /**
     * A connection that is not open yet has received bytes: those of a header of the PROXY protocol. Opens it when that is complete.
     *
     * @return the index of the first byte after the header; {@link ProxyHeaders#NOT_OPEN}: the connection is not open
     */
    int received(ConnectionRecord connection, ByteBuffer memory, int from, int to) {
        int next = proxyHeaders.received(connection, memory, from, to);
        if (next != ProxyHeaders.NOT_OPEN) {
            connected(connection);
            if (connection.is(ConnectionRecord.HANDSHAKING) && next < to && !connection.isClosed()) {
                handshakes.received(connection, memory, next, to);
                return ProxyHeaders.NOT_OPEN;
            }
        }
        return next;
    }

    /** The input of a connection that is not open yet has ended. */
    void inputEndedBeforeOpen(ConnectionRecord connection) {
        proxyHeaders.inputEnded(connection);
    }

    /** The socket of a connection that is not open yet has room. */
    void writableBeforeOpen(ConnectionRecord connection) {
        if (connection.proxyHeader() != null && !connection.is(ConnectionRecord.ACCEPTED)) {
            connected(connection);
        }
    }

    /**
     * Starts to connect. The table {@linkplain ConnectionTable#expect expects} the connection; messages sent meanwhile wait in
     * its queue.
     */
    void connect(ConnectionRecord connection, InetSocketAddress address, Duration timeout) {
        if (!mayConnect(connection)) {
            return;
        }
        try {
            connection.handle = proactor.connect(address, connection.profile().localAddress());
        } catch (IOException e) {
            closeRequests.fail(connection, e);
            return;
        }
        enter(connection);
        deadlines.stateEndsIn(connection, timeout);
    }

    /** Returns true if a connect may start. Otherwise the connection is closed. */
    boolean mayConnect(ConnectionRecord connection) {
        if (draining || mailbox.isStopped()) {
            closeRequests.close(connection, CloseReason.SERVER_CLOSED);
        }
        return !connection.isClosed();
    }

    /** Called when a connect by name has succeeded. The connection has a handle now. */
    void connectedByName(ConnectionRecord connection) {
        enter(connection);
        connected(connection);
    }

    /** A connect has succeeded, the header of a proxy is complete, or a TLS handshake. */
    void connected(ConnectionRecord connection) {
        if (!connection.is(ConnectionRecord.HANDSHAKING) && !proxyHeaders.send(connection)) {
            return;
        }
        if (Handshakes.isDue(connection)) {
            handshakes.start(connection);
            return;
        }
        connection.clear(ConnectionRecord.HANDSHAKING);
        connection.stateDeadlineNanos(Loop.NO_DEADLINE);
        if (connection.is(ConnectionRecord.STARTING_TLS)) {
            secured(connection);
        } else {
            open(connection);
        }
    }

    /** A connection that was open in plaintext has TLS now. What was accepted meanwhile is sent. */
    private void secured(ConnectionRecord connection) {
        connection.state(ConnectionState.OPEN);
        connection.active(clock.now());
        connection.clear(ConnectionRecord.PLAINTEXT_SENT);
        startProgress(connection);
        gate.resume(connection, ConnectionRecord.STARTING_TLS);
        callbacks.secured(connection);
        begin(connection);
    }

    private void enter(ConnectionRecord connection) {
        table.put(connection);
        connection.active(clock.now());
    }

    private void open(ConnectionRecord connection) {
        connection.state(ConnectionState.OPEN);
        connection.active(clock.now());
        counters.trace.event(LoopEvent.OPENED, connection.handle, 0);
        FlightEvents.opened(counters.trace.id(connection.handle), proactor, connection.handle);
        startProgress(connection);
        deadlines.startFirstMessage(connection);
        deadlines.startIdle(connection);
        deadlines.startReadIdle(connection);
        try {
            if (connection.profile().urgent()) {
                proactor.watchUrgent(connection.handle);
            }
        } catch (IOException e) {
            closeRequests.fail(connection, e);
            return;
        }
        callbacks.open(connection);
        dropOldest.notifyPending(connection); // drops from before it was connected
        begin(connection);
    }

    private void startProgress(ConnectionRecord connection) {
        SendQueue waiting = connection.sendQueue();
        if (waiting != null) {
            waiting.progressNanos = clock.now(); // until now there was no peer that could have accepted it
        }
    }

    /** Starts to receive and to send, or to finish, if that was requested meanwhile. */
    private void begin(ConnectionRecord connection) {
        CloseReason reason = connection.closeReason(); // set if it was finished before it was connected
        if (isDrainOver()) {
            closeRequests.close(connection, CloseReason.SERVER_CLOSED);
        } else if (reason != null || draining) {
            finishUnlessSession(connection, reason == null ? CloseReason.DRAINED : reason);
        }
        gate.update(connection);
        sender.flush(connection);
    }

    /** Called when a connection has got other limits: starts the deadlines again, and compares the queue with its new marks. */
    void limitsChanged(ConnectionRecord connection) {
        if (connection.isClosed()) {
            return;
        }
        if (connection.state() == ConnectionState.OPEN) {
            deadlines.startFirstMessage(connection);
            if (connection.receivedNanos() == Loop.NO_DEADLINE || !connection.profile().limitsReadIdle()) {
                deadlines.startReadIdle(connection);
            }
        }
        deadlines.atLatest(connection, clock.now()); // finds out which deadline is the next one
        connection.markHighAt(connection.profile().limits().queueHighBytes());
        sender.flushLater(connection);
    }

    // ---- the end

    /**
     * Accepts and delivers no further messages. The connection is closed when everything was sent, its input was relayed if it has
     * a relay, and the peer has finished too.
     */
    void finish(ConnectionRecord connection, CloseReason reason) {
        switch (connection.state()) {
            case CONNECTING -> {
                boolean isBeingAccepted = connection.is(ConnectionRecord.ACCEPTED) && connection.is(ConnectionRecord.HANDSHAKING);
                if (reason == CloseReason.DRAINED && isBeingAccepted) { // it ends in order after its handshake, as one from the backlog does
                    deadlines.handshakeEndsWithin(connection, connection.profile().limits().lingerTimeout(),
                            handshakes.waitedNanos(connection));
                    return;
                }
                connection.refuseMessages();
                if (connection.queuedMessages() == 0) {
                    closeRequests.close(connection, reason);
                } else if (connection.closeReason() == null) {
                    connection.closeReason(reason); // it drains as soon as it is connected
                }
            }
            case OPEN, INPUT_ENDED -> {
                boolean both = reason == CloseReason.FINISHED && connection.is(ConnectionRecord.INPUT_ENDED)
                        && !connection.is(ConnectionRecord.INPUT_TRUNCATED);
                connection.closeReason(both ? CloseReason.PEER_FINISHED : reason);
                connection.state(ConnectionState.DRAINING);
                connection.stateDeadlineNanos(Loop.NO_DEADLINE);
                if (connection.inputSink() == null) { // otherwise the relay continues
                    partialInputs.drop(connection);
                }
                gate.update(connection);
                sender.flushLater(connection);
            }
            case DRAINING, LINGERING, CLOSED -> {
                // It is ending already.
            }
        }
    }

    /** Accepts no further messages, and sends our FIN when everything was sent. Input is still delivered. */
    void finishOutput(ConnectionRecord connection) {
        switch (connection.state()) {
            case CONNECTING, OPEN -> {
                connection.refuseMessages();
                sender.flushLater(connection);
            }
            case INPUT_ENDED -> finish(connection, CloseReason.FINISHED);
            case DRAINING, LINGERING, CLOSED -> {
                // It is ending already.
            }
        }
    }

    /** Completes the requests to end connections after sending, and returns how many there were. */
    int startEnds() {
        int done = 0;
        for (ConnectionRecord connection = closeRequests.takeEnd(); connection != null; connection = closeRequests.takeEnd()) {
            cutRelay(connection);
            partialInputs.drop(connection);
            timers.dropAll(connection);
            if (connection.state() == ConnectionState.DRAINING) { // otherwise everything was sent meanwhile
                lingering.startDeadline(connection);
                sender.flushLater(connection);
            }
            gate.update(connection);
            done++;
        }
        return done;
    }

    /** Releases the connections that were closed in this turn, and notifies their handlers. Returns how many there were. */
    int completeCloses() {
        int done = 0;
        for (ConnectionRecord connection = closeRequests.takeClose(); connection != null; connection = closeRequests
                .takeClose()) {
            completeClose(connection);
            done++;
        }
        return done;
    }

    private void completeClose(ConnectionRecord connection) {
        if (connection.cachedAddress() == null && connection.handle >= 0) {
            connection.cachedAddress(proactor.remoteAddress(connection.handle)); // before the socket is closed
        }
        connection.tlsInfo(handshakes.info(connection));
        connection.cancelConnect();
        boolean isCut = connection.endsWithReset() || handshakes.closeCuts(connection);
        cutRelay(connection);
        partialInputs.drop(connection);
        timers.dropAll(connection);
        try {
            sender.dropUnlessPending(connection);
        } finally { // an Error of a transfer's listener stops the loop, and the handler is notified all the same
            release(connection, isCut);
        }
    }

    private void release(ConnectionRecord connection, boolean isCut) {
        if (connection.handle >= 0) {
            deadlines.remove(connection);
            if (isCut) {
                proactor.reset(connection.handle);
            } else {
                proactor.close(connection.handle);
            }
        }
        log.closed(connection, isCut);
        Profile profile = connection.profile();
        if (profile.pausesWhenHigh() && connection.closeReason() == CloseReason.QUEUE_FULL) {
            log.queueFull(connection, profile.limits().queueBytesMax());
        }
        recordEnd(connection, isCut);
        table.uncount();
        InetSocketAddress remote = connection.cachedAddress();
        if (connection.is(ConnectionRecord.ACCEPTED) && remote != null) {
            source.gone(connection.proxyHeader() == null ? remote : null);
        }
        try {
            dropOldest.notifyPending(connection);
        } finally {
            connection.set(ConnectionRecord.CLOSE_NOTIFIED);
            callbacks.closed(connection, connection.finishReason());
        }
    }

    private void recordEnd(ConnectionRecord connection, boolean isCut) {
        CloseReason reason = connection.finishReason();
        counters.addClosed(reason);
        counters.trace.closed(connection.handle, connection.cachedAddress(), reason, connection.failure(), isCut,
                connection.bytesIn, connection.bytesOut);
        counters.trace.event(LoopEvent.CLOSED, connection.handle, 0);
        FlightEvents.closed(counters.trace.id(connection.handle), connection.cachedAddress(), reason, isCut, connection.bytesIn,
                connection.bytesOut);
    }

    private static void cutRelay(ConnectionRecord connection) {
        InputSink sink = connection.inputSink();
        if (sink != null) {
            sink.cut();
        }
    }

    /** The proactor has released a closed connection. Releases the memory of its pending send. */
    void released(long handle) {
        ConnectionRecord connection = table.remove(handle);
        if (connection != null) {
            sender.drop(connection);
        }
    }

    void closeAll() {
        table.forEach(connection -> closeRequests.close(connection, CloseReason.SERVER_CLOSED));
    }

    // ---- draining

    /**
     * Starts to drain: no connection accepts or delivers a further message.
     *
     * @param deadlineNanos the time until which each peer can read the messages that are queued for it
     */
    void drain(long deadlineNanos) {
        draining = true;
        drainDeadlineNanos = deadlineNanos;
        table.forEach(connection -> finishUnlessSession(connection, CloseReason.DRAINED));
    }

    /** Finishes a connection. If the reason is a drain, an open session ends it, when it has answered what it has received. */
    private void finishUnlessSession(ConnectionRecord connection, CloseReason reason) {
        boolean isOpen = connection.state() == ConnectionState.OPEN || connection.state() == ConnectionState.INPUT_ENDED;
        if (reason != CloseReason.DRAINED || !isOpen || !callbacks.drain(connection)) {
            finish(connection, reason);
        }
    }

    /** Returns when the draining must be over, or {@link Loop#NO_DEADLINE}. */
    long drainDeadline() {
        return drainDeadlineNanos;
    }

    /** Closes all connections if the time to drain is over. Returns 1 if it did, otherwise 0. */
    int closeOverdueDrain(long nowNanos) {
        if (!Deadline.isOver(drainDeadlineNanos, nowNanos)) {
            return 0;
        }
        drainDeadlineNanos = Loop.NO_DEADLINE;
        closeAll();
        return 1;
    }

    private boolean isDrainOver() {
        return draining && drainDeadlineNanos == Loop.NO_DEADLINE;
    }

    /** Returns true if the loop has drained: no connection is left or can come, or the time is over. */
    boolean hasDrained() {
        return draining && source.hasEnded() // in this order: the source hands over its last connection before it ends
                && (table.load() == 0 || isDrainOver()); // connections still on their way are closed when the loop ends
    }

    // ---- sockets

    /** Closes a socket that is not used. Ignores errors. */
    static void closeQuietly(TcpStream stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // The socket is closed in any case.
        }
    }
}
