package io.trivet.server;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Interest;
import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ReadState;
import io.trivet.tls.TlsInfo;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Connection} asks of its loop: the few calls behind its public methods. A call that changes something runs on the
 * loop thread, at once or as a task. Any thread.
 */
final class ConnectionCalls {
    private final int loopIndex;
    private final Proactor proactor;
    private final TurnClock clock;
    private final Mailbox mailbox;
    private final Admission admission;
    private final TransferAdmission transferAdmission;
    private final Sender sender;
    private final BudgetGuard budgetGuard;
    private final ReadGate gate;
    private final Lifecycle lifecycle;
    private final Delivery delivery;
    private final Relays relays;
    private final CloseRequests closeRequests;
    private final TimerQueue timers;
    private final PendingSends pendingSends;
    private final Callbacks callbacks;
    private final Handshakes handshakes;
    private final StartTls startTls;

    ConnectionCalls(int loopIndex, Proactor proactor, TurnClock clock, Mailbox mailbox, Admission admission,
            TransferAdmission transferAdmission, Sender sender,
            BudgetGuard budgetGuard, ReadGate gate, Lifecycle lifecycle, Delivery delivery, Relays relays,
            CloseRequests closeRequests, TimerQueue timers,
            PendingSends pendingSends, Callbacks callbacks, Handshakes handshakes,
            StartTls startTls) {
        this.loopIndex = loopIndex;
        this.proactor = proactor;
        this.clock = clock;
        this.mailbox = mailbox;
        this.admission = admission;
        this.transferAdmission = transferAdmission;
        this.sender = sender;
        this.budgetGuard = budgetGuard;
        this.gate = gate;
        this.lifecycle = lifecycle;
        this.delivery = delivery;
        this.relays = relays;
        this.closeRequests = closeRequests;
        this.timers = timers;
        this.pendingSends = pendingSends;
        this.callbacks = callbacks;
        this.handshakes = handshakes;
        this.startTls = startTls;
    }

    int loopIndex() {
        return loopIndex;
    }

    // ---- sending

    /** Accepts a message, or closes the connection if the queue is full. */
    SendResult send(ConnectionRecord connection, ByteBuffer message, boolean urgentLane) {
        return closeIfFull(connection, admission.put(connection, message, urgentLane, true));
    }

    /** Accepts a text, or closes the connection if the queue is full. */
    SendResult send(ConnectionRecord connection, String message) {
        return closeIfFull(connection, admission.put(connection, message));
    }

    /** Accepts a message if it fits. */
    SendResult offer(ConnectionRecord connection, ByteBuffer message) {
        return admission.put(connection, message, false, false);
    }

    /** Accepts a transfer, or closes the connection if the queue is full. */
    SendResult send(ConnectionRecord connection, Transfer transfer) {
        return closeIfFull(connection, transferAdmission.put(connection, transfer));
    }

    /** Accepts a message with a listener, or closes the connection if the queue is full. */
    SendResult send(ConnectionRecord connection, ByteBuffer message, Transfer.Completion completion) {
        return closeIfFull(connection, transferAdmission.putMessage(connection, message, completion));
    }

    void continueTransfer(ConnectionRecord connection) {
        mailbox.run(() -> sender.continueTransfer(connection));
    }

    private SendResult closeIfFull(ConnectionRecord connection, SendResult result) {
        if (result == SendResult.FULL) {
            close(connection, CloseReason.QUEUE_FULL);
        }
        return result;
    }

    void sendUrgent(ConnectionRecord connection, byte b) {
        mailbox.run(() -> sender.sendUrgent(connection, b));
    }

    // ---- reading, ending

    void pauseReading(ConnectionRecord connection) {
        mailbox.run(() -> gate.pause(connection, ConnectionRecord.PAUSED_BY_APPLICATION));
    }

    void resumeReading(ConnectionRecord connection) {
        mailbox.run(() -> gate.resume(connection, ConnectionRecord.PAUSED_BY_APPLICATION));
    }

    void finishOutput(ConnectionRecord connection) {
        mailbox.run(() -> lifecycle.finishOutput(connection));
    }

    void finish(ConnectionRecord connection) {
        mailbox.run(() -> lifecycle.finish(connection, CloseReason.FINISHED));
    }

    void close(ConnectionRecord connection, CloseReason reason) {
        mailbox.run(() -> closeRequests.close(connection, reason));
    }

    void reset(ConnectionRecord connection) {
        mailbox.run(() -> {
            connection.set(ConnectionRecord.RESET_ON_CLOSE);
            closeRequests.close(connection, CloseReason.CLOSED);
        });
    }

    // ---- changing the protocol

    /**
     * Checks that the caller is on the thread of the loop.
     *
     * @throws IllegalStateException it is not
     */
    void checkOwnThread(String method) {
        if (!mailbox.isOwnThread()) {
            throw new IllegalStateException(
                    method + " must be called on the thread of the connection's loop: from a callback, or by connection.execute");
        }
    }

    void framingChanged(ConnectionRecord connection) {
        delivery.framingChanged(connection);
    }

    /**
     * Changes a connection to TLS.
     *
     * @param change gives it a profile with TLS
     * @throws IllegalStateException that is not possible now
     */
    void startTls(ConnectionRecord connection, Runnable change) {
        startTls.check(connection);
        if (!connection.isClosed()) {
            change.run();
            startTls.begin(connection);
        }
    }

    /**
     * Delivers the next bytes in parts.
     *
     * @throws IllegalStateException no message of the connection is being delivered, or parts are expected already
     */
    void receiveParts(ConnectionRecord connection, long bytes) {
        delivery.receiveParts(connection, bytes);
    }

    /** Relays the input of a connection to another one of this loop, or closes that one if its queue is full. */
    SendResult relay(ConnectionRecord source, ConnectionRecord target, long count, Transfer.Completion completion) {
        return closeIfFull(target, relays.start(source, target, count, completion));
    }

    /** Runs a change of a connection's limits on the loop thread, and applies the new ones to what is going on. */
    void changeLimits(ConnectionRecord connection, Runnable change) {
        mailbox.run(() -> {
            change.run();
            lifecycle.limitsChanged(connection);
        });
    }

    // ---- sessions

    /** Returns what passes messages between the loop and a session, in one direction. */
    MessageHandover newHandover() {
        return admission.newHandover();
    }

    /** Closes connections if the budget is exceeded: a session has got a message. Loop thread. */
    void enforceBudget(ConnectionRecord connection) {
        budgetGuard.enforce(connection);
    }

    /** Accepts a message of a session: see {@link Admission#putFromSession}. */
    SendResult sendFromSession(ConnectionRecord connection, ByteBuffer message, MessageHandover outbox, Runnable task) {
        return admission.putFromSession(connection, message, outbox, task);
    }

    /** Sends what a session has accepted. Loop thread. */
    void arriveFromSession(ConnectionRecord connection, MessageHandover outbox) {
        admission.arrive(connection, outbox);
    }

    /**
     * Changes a connection to TLS for its session, which waits, after everything that the session has sent. A connection that is
     * ending stays as it is. One whose peer has ended its output fails.
     *
     * @param answer sends the last message in plaintext
     * @param change gives it a profile with TLS
     * @param refused gets the reason if that is not possible
     */
    void startTlsForSession(ConnectionRecord connection, MessageHandover outbox, Runnable answer, Runnable change,
            Consumer<RuntimeException> refused) {
        mailbox.runAlways(() -> {
            admission.arrive(connection, outbox);
            try {
                switch (connection.state()) {
                    case OPEN -> {
                        startTls.check(connection);
                        answer.run();
                        startTls(connection, change);
                    }
                    case INPUT_ENDED -> startTls.failEnded(connection);
                    case CONNECTING, DRAINING, LINGERING, CLOSED -> {
                        // The session learns that it is closed.
                    }
                }
            } catch (RuntimeException e) {
                refused.accept(e);
            }
        });
    }

    /** Pauses reading until the session has received more. Loop thread. */
    void pauseForSession(ConnectionRecord connection) {
        gate.pause(connection, ConnectionRecord.PAUSED_BY_SESSION);
    }

    /** Resumes reading, unless it has to be paused again when the loop gets there. */
    void resumeForSession(ConnectionRecord connection, BooleanSupplier isPaused) {
        mailbox.runAlways(() -> {
            if (!isPaused.getAsBoolean()) {
                gate.resume(connection, ConnectionRecord.PAUSED_BY_SESSION);
            }
        });
    }

    /** Finishes the connection of a session that has ended. */
    void finishSession(ConnectionRecord connection, CloseReason reason) {
        mailbox.runAlways(() -> lifecycle.finish(connection, reason));
    }

    /** Ends the connection of a session that has thrown. */
    void failSession(ConnectionRecord connection, Throwable failure) {
        mailbox.runAlways(() -> callbacks.failed(connection, failure));
    }

    // ---- tasks

    void execute(Runnable task) {
        mailbox.execute(task);
    }

    ScheduledTask schedule(ConnectionRecord connection, Duration delay, Runnable task) {
        return timers.schedule(Deadline.after(clock.nanoTime(), Limits.nanos(delay)), connection, task);
    }

    // ---- socket options

    <T> void setOption(ConnectionRecord connection, SocketOption<T> option, T value) throws IOException {
        if (option.equals(StandardSocketOptions.SO_LINGER)) {
            throw new IllegalArgumentException(
                    "finish(), close() and reset() determine how a connection ends, and not SO_LINGER, "
                            + "with which the kernel would make the loop wait");
        }
        requireSocket(connection);
        proactor.setOption(connection.handle, option, value);
    }

    <T> T getOption(ConnectionRecord connection, SocketOption<T> option) throws IOException {
        requireSocket(connection);
        return proactor.getOption(connection.handle, option);
    }

    private void requireSocket(ConnectionRecord connection) throws ClosedSocketException {
        if (!mailbox.isOwnThread()) {
            throw new IllegalStateException("options are set and read on the connection's loop: in a callback, or by execute()");
        }
        if (connection.isClosed()) {
            throw new ClosedSocketException(connection.toString());
        }
        if (connection.handle < 0) {
            throw new IllegalStateException("the connection has no socket yet: its connect has not started");
        }
    }

    // ---- information

    /**
     * Returns the peer's address, from the cache or from the socket.
     *
     * @throws IllegalStateException the connection has no address yet
     */
    InetSocketAddress remoteAddress(ConnectionRecord connection) {
        InetSocketAddress cached = connection.cachedAddress();
        if (cached != null) {
            return cached;
        }
        try {
            return proactor.remoteAddress(connection.handle); // the handle is valid: until there is one, the address is cached
        } catch (IllegalArgumentException e) { // closed just now; the address was cached before that
            cached = connection.cachedAddress();
        }
        if (cached == null) {
            throw new IllegalStateException("the connection has no address yet");
        }
        return cached;
    }

    /** Returns our address, or null if the handle is stale. */
    @Nullable
    InetSocketAddress localAddress(ConnectionRecord connection) {
        try {
            return proactor.localAddress(connection.handle);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Returns what a connection has negotiated by TLS, or null. */
    @Nullable
    TlsInfo tlsInfo(ConnectionRecord connection) {
        return handshakes.info(connection);
    }

    /** Returns how long the oldest message has waited, in nanoseconds; 0 if none waits. */
    long oldestAgeNanos(ConnectionRecord connection) {
        return pendingSends.oldestAgeNanos(connection, clock);
    }

    /**
     * Returns a snapshot of a connection.
     *
     * @param id its id
     */
    ConnectionSnapshot snapshot(ConnectionRecord connection, long id) {
        long now = clock.nanoTime();
        long handle = connection.handle;
        int interest = handle < 0 ? 0 : proactor.interest(handle);
        InetSocketAddress remote;
        try {
            remote = remoteAddress(connection);
        } catch (IllegalStateException e) { // not connected yet, or closed meanwhile
            remote = null;
        }
        ReadState readState = readState(connection);
        SendQueue waiting = connection.sendQueue(); // read once: the next read may return null
        TlsInfo tls = tlsInfo(connection);
        Limits limits = connection.profile().limits();
        return new ConnectionSnapshot(id, remote, loopIndex, connection.state(),
                (interest & Interest.READ) != 0, (interest & Interest.WRITE) != 0, (interest & Interest.PRIORITY) != 0,
                readState, why(connection, readState, interest), connection.queuedBytes(), limits.queueBytesMax(),
                connection.queuedMessages(), Duration.ofNanos(oldestAgeNanos(connection)),
                Duration.ofNanos(pendingSends.sinceProgressNanos(connection, clock)), limits.writeTimeout(),
                waiting == null ? 0 : waiting.timesFull, connection.bytesIn, connection.bytesOut,
                Duration.ofNanos(Math.max(0, now - connection.activityNanos(now))),
                tls == null ? null : tls.protocol() + " " + tls.cipherSuite(), connection.closeReason());
    }

    /** Returns a sentence that explains to a person why the connection is in its lists. */
    private static String why(ConnectionRecord connection, ReadState readState, int interest) {
        return switch (connection.state()) {
            case CONNECTING, LINGERING, CLOSED -> readState.description();
            case OPEN, INPUT_ENDED, DRAINING -> readState.description()
                    // The proactor decides: a ring also waits for room for bytes that the socket has refused since it accepted them.
                    + ((interest & Interest.WRITE) != 0 ? "; written: its socket was full" : "")
                    + (connection.is(ConnectionRecord.OUTPUT_ENDED) ? "; our output has ended" : "");
        };
    }

    private static ReadState readState(ConnectionRecord connection) {
        return switch (connection.state()) {
            case CONNECTING -> connection.is(ConnectionRecord.HANDSHAKING) ? ReadState.HANDSHAKING
                    : connection.is(ConnectionRecord.ACCEPTED) ? ReadState.AWAITING_PROXY_HEADER
                    : connection.handle < 0 ? ReadState.CONNECTING_BY_NAME
                    : ReadState.CONNECTING;
            case LINGERING -> ReadState.READING_TO_END;
            case CLOSED -> ReadState.CLOSED;
            case DRAINING -> ReadState.DRAINING;
            case OPEN, INPUT_ENDED -> readStateWhileOpen(connection);
        };
    }

    private static ReadState readStateWhileOpen(ConnectionRecord connection) {
        if (connection.is(ConnectionRecord.PAUSED_BY_QUEUE)) {
            return ReadState.PAUSED_BY_QUEUE;
        }
        if (connection.is(ConnectionRecord.PAUSED_BY_APPLICATION)) {
            return ReadState.PAUSED_BY_APPLICATION;
        }
        if (connection.is(ConnectionRecord.PAUSED_BY_SESSION)) {
            return ReadState.PAUSED_BY_SESSION;
        }
        if (connection.is(ConnectionRecord.PAUSED_BY_RELAY)) {
            return ReadState.PAUSED_BY_RELAY;
        }
        if (connection.is(ConnectionRecord.DELIVERY_PENDING)) {
            return ReadState.DELIVERY_PENDING;
        }
        return connection.is(ConnectionRecord.INPUT_ENDED) ? ReadState.INPUT_ENDED
                : connection.inputSink() != null ? ReadState.RELAYING : ReadState.READING;
    }
}
