package io.trivet.server;

import io.trivet.observe.CloseReason;
import io.trivet.tls.Tls;
import io.trivet.tls.TlsClient;
import io.trivet.tls.TlsServer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection as a {@link SessionHandler} sees it: {@link #receive} waits for the next message, and {@link #send} waits while the
 * queue is high. A thread that waits is parked; an idle session takes less than 2 KiB of heap.
 *
 * <p><b>End.</b> In each case, messages that were received before are delivered first.
 * <ul>
 *   <li>The peer has finished its output: {@link #receive} returns null. The session may still send, and the connection is
 *       closed when {@code run} returns.
 *   <li>The server {@linkplain Server#drain drains}: the same. The session can still answer until the drain's timeout expires.
 *   <li>The connection was closed for another reason: {@link #receive} and {@link #send} throw {@link ConnectionClosedException}.
 *   <li>The application has finished the connection ({@link Connection#finish}): {@code receive} returns null, {@code send} throws.
 *   <li>{@code run} returns: everything that was sent is delivered, then the connection is closed. Messages that were not received
 *       are dropped.
 *   <li>{@code run} throws: the same, within the linger timeout, with {@link CloseReason#HANDLER_FAILED}.
 * </ul>
 * A thread that blocks on something else notices the end at its next call. It is not interrupted.
 *
 * <p><b>Back-pressure.</b> When 16 KiB of messages wait to be received, nothing more is read from the peer. Messages on their way to
 * and from a session count against {@link Limits#queueBudgetBytes}, like those in queues. If the budget is exceeded and this connection
 * holds the most, it is closed with {@link CloseReason#BUDGET_EXCEEDED}, and messages that wait to be received are dropped.
 *
 * <p><b>Interrupt.</b> {@link Thread#interrupt} ends a wait with {@link InterruptedIOException}, and the interrupt status stays set. A
 * call that need not wait is not affected.
 *
 * <p><b>Threads.</b> Only the session's thread may call these methods, except {@link #connection}. The methods of {@link Connection}
 * may be called from any thread. Messages that are sent through them are not ordered with those of {@code send}.
 *
 * <p><b>Simulated network.</b> On a network that turns its loops by itself, one session runs at a time, whenever its loop delivers
 * something, until it waits again. So a run is determined by the seed. There a session must not block on anything but its own methods:
 * use {@link #sleep}, not {@link Thread#sleep}. If it blocks for 10 seconds, its connection is closed with
 * {@code HANDLER_FAILED}.
 */
public final class Session {
    /** Received bytes at which reading is paused until the session has taken them. */
    private static final int INBOX_HIGH_BYTES = 16 * 1024;
    private static final long NO_LIMIT = -1;

    private final Connection connection;
    private final SessionHandler handler;
    private final SessionThreads.SessionThread thread;
    /** Messages from the loop. Its monitor also guards the flags below. */
    private final MessageHandover inbox;
    /** Messages to the loop. */
    private final MessageHandover outbox;
    private final Runnable sendTask = this::sendOutbox;

    /** The thread waits or is about to wait, so it has to be woken. */
    private boolean waits;
    private boolean inputEnded;
    private boolean draining;
    /** Reading is paused, or is about to be. */
    private boolean paused;
    /** {@code run} has ended. */
    private boolean ended;
    private @Nullable CloseReason closed;
    /** {@link #startTls} waits for the handshake. */
    private boolean startingTls;
    /** TLS was asked for and has failed: what arrives in plaintext must not be received any more. */
    private boolean dropsInput;
    /** Why TLS could not be started. */
    private @Nullable RuntimeException refusal;

    Session(Connection connection, SessionHandler handler) {
        this.connection = connection;
        this.handler = handler;
        Server server = connection.server();
        thread = server.sessionThreads(connection.loop()).create();
        inbox = connection.calls().newHandover();
        outbox = connection.calls().newHandover();
    }

    // ---- receiving

    /**
     * Waits for the next message, without limit.
     *
     * @return the message, without its frame, from position to limit; null at the end of the input. The caller may modify the
     *     buffer. It is valid until the next call of this method: copy what you keep
     * @throws ConnectionClosedException the connection was closed, and nothing received before is left
     * @throws InterruptedIOException the thread was interrupted
     */
    public @Nullable ByteBuffer receive() throws IOException {
        checkThread();
        ByteBuffer next = inbox.next();
        return next != null ? next : awaitMessage(NO_LIMIT);
    }

    /**
     * Waits for the next message for a limited time.
     *
     * @param timeout the longest wait; zero does not wait
     * @return as for {@link #receive()}
     * @throws SocketTimeoutException no message has arrived in time; the connection is still usable
     * @throws IllegalArgumentException the timeout is negative
     * @throws ConnectionClosedException the connection was closed, and nothing received before is left
     * @throws InterruptedIOException the thread was interrupted
     */
    public @Nullable ByteBuffer receive(Duration timeout) throws IOException {
        checkThread();
        long timeoutNanos = nanos(timeout);
        ByteBuffer next = inbox.next();
        return next != null ? next : awaitMessage(timeoutNanos);
    }

    private @Nullable ByteBuffer awaitMessage(long timeoutNanos) throws IOException {
        long start = timeoutNanos < 0 ? 0 : now();
        while (true) {
            boolean resumes;
            synchronized (inbox) {
                waits = !inbox.take();
                if (waits && hasInputEnded()) {
                    waits = false;
                    return null;
                }
                resumes = !waits && paused;
                paused = paused && !resumes;
            }
            ByteBuffer next = inbox.next();
            if (next != null) {
                if (resumes) {
                    connection.calls().resumeForSession(connection, this::isPaused);
                }
                return next;
            }
            long left = left(start, timeoutNanos);
            if (left == 0) {
                stopWaiting();
                throw new SocketTimeoutException("no message within " + Duration.ofNanos(timeoutNanos) + " from " + connection);
            }
            park(left);
        }
    }

    /** Returns true if no further message will arrive. */
    private boolean hasInputEnded() throws ConnectionClosedException {
        if (closed == null) {
            return inputEnded || draining;
        }
        if (closed == CloseReason.FINISHED || closed == CloseReason.PEER_FINISHED || closed == CloseReason.DRAINED) {
            return true;
        }
        waits = false;
        throw closedException();
    }

    // ---- sending

    /**
     * Sends the bytes from position to limit as one message. Waits while the connection's queue is at its high mark.
     *
     * @param message the message, without its frame; copied. Its position moves to its limit
     * @throws ConnectionClosedException the connection was closed or finished; the message was not sent
     * @throws InterruptedIOException the thread was interrupted while the queue was high; the message was not sent
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public void send(ByteBuffer message) throws IOException {
        checkThread();
        SendResult result = connection.calls().sendFromSession(connection, message, outbox, sendTask);
        while (result != SendResult.QUEUED) {
            if (result == SendResult.CLOSED) {
                throw closedException();
            }
            awaitDrained();
            result = connection.calls().sendFromSession(connection, message, outbox, sendTask);
        }
    }

    /**
     * Sends bytes as one message, like {@link #send(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @throws IOException as {@link #send(ByteBuffer)} does
     */
    public void send(byte[] message) throws IOException {
        send(ByteBuffer.wrap(message));
    }

    /**
     * Sends a text as one message, in UTF-8, like {@link #send(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @throws IOException as {@link #send(ByteBuffer)} does
     */
    public void send(String message) throws IOException {
        send(Admission.utf8(message));
    }

    private void awaitDrained() throws IOException {
        while (true) {
            synchronized (inbox) {
                waits = closed == null && connection.hasReachedHigh() && connection.takesMessages();
                if (!waits) {
                    return;
                }
            }
            park(NO_LIMIT);
        }
    }

    private void sendOutbox() {
        connection.calls().arriveFromSession(connection, outbox);
    }

    // ---- TLS

    /**
     * Changes from plaintext to TLS as a server, for protocols with a command for that (STARTTLS): sends an answer, the last message in
     * plaintext, and waits until the handshake is over. The answer belongs to the call: if it were sent before, the peer's handshake
     * could arrive as plaintext.
     *
     * <p>If messages have arrived that the session has not received, or a part of one, the connection ends with {@link
     * CloseReason#PROTOCOL_ERROR}: the peer must wait for the answer before it starts its handshake. Otherwise an attacker could
     * insert commands in plaintext, and the session would execute them as if they had been sent over TLS. When this method throws
     * {@code ConnectionClosedException} or {@code InterruptedIOException}, messages that were not received are dropped.
     *
     * {@snippet :
     * session.startTls(tls, "220 go ahead"); // in plaintext; the next message is the first one under TLS
     * }
     *
     * @param tls the settings, with which the peer's handshake is awaited
     * @param answer the answer, without its frame
     * @throws ConnectionClosedException the handshake has failed, or the connection was closed otherwise: its reason says why
     * @throws InterruptedIOException the thread was interrupted; the connection is closed
     * @throws IllegalStateException the connection has TLS already, or its input is being relayed, or the server has neither a
     *     listener with TLS nor {@link ServerBuilder#enableTls}
     * @throws IllegalArgumentException the frame cannot hold an answer of that length
     * @throws UnsupportedOperationException the connection watches for urgent data, which TLS does not have
     */
    public void startTls(TlsServer tls, String answer) throws IOException {
        byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
        startTls(tls, () -> connection.send(bytes));
    }

    /**
     * Changes from plaintext to TLS as a client: starts the handshake, and waits until it is over. Everything that was sent before goes
     * out in plaintext. To be called when the server has answered the command that asks for TLS.
     *
     * @param tls the settings, as for {@link Connection#startTls}
     * @throws ConnectionClosedException the handshake has failed, or the connection was closed otherwise: its reason says why; or,
     *     with {@link CloseReason#PROTOCOL_ERROR}, messages had arrived that the session has not received
     * @throws InterruptedIOException the thread was interrupted; the connection is closed
     * @throws IllegalStateException as for {@link #startTls(TlsServer, String)}
     * @throws UnsupportedOperationException the connection watches for urgent data, which TLS does not have
     */
    public void startTls(TlsClient tls) throws IOException {
        startTls(tls, () -> {});
    }

    private void startTls(Tls tls, Runnable answer) throws IOException {
        checkThread();
        Runnable change = connection.secured(tls);
        synchronized (inbox) {
            startingTls = true;
        }
        connection.calls().startTlsForSession(connection, outbox, answer, change, this::refuse);
        try {
            while (isStartingTls()) {
                park(NO_LIMIT);
            }
        } catch (IOException e) {
            synchronized (inbox) {
                dropsInput = true;
                inbox.drop();
            }
            connection.close(); // it is still open if the thread was interrupted
            throw e;
        }
    }

    private boolean isStartingTls() throws ConnectionClosedException {
        synchronized (inbox) {
            waits = startingTls && closed == null && refusal == null;
            if (waits) {
                return true;
            }
            RuntimeException refused = refusal;
            boolean isOver = !startingTls;
            startingTls = false;
            refusal = null;
            if (refused != null) {
                throw refused;
            }
            if (!isOver) {
                throw closedException();
            }
            return false;
        }
    }

    // ---- other methods

    /**
     * Waits for a time on the network's clock. Messages that arrive meanwhile are kept.
     *
     * @param duration how long; zero does nothing
     * @throws IllegalArgumentException the duration is negative
     * @throws ConnectionClosedException the connection was closed meanwhile
     * @throws InterruptedIOException the thread was interrupted
     */
    public void sleep(Duration duration) throws IOException {
        checkThread();
        long nanos = nanos(duration);
        long start = now();
        while (true) {
            long left = left(start, nanos);
            synchronized (inbox) {
                if (closed != null) {
                    throw closedException();
                }
                waits = left > 0;
            }
            if (left == 0) {
                return;
            }
            park(left);
        }
    }

    /**
     * Returns the connection: addresses, gauges, attachment, and ways to end it. Any thread.
     *
     * @return the connection
     */
    public Connection connection() {
        return connection;
    }

    @Override
    public String toString() {
        return "session of " + connection;
    }

    // ---- waiting: the session's thread

    private void park(long leftNanos) throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            stopWaiting();
            throw new InterruptedIOException("interrupted while waiting in a session of " + connection);
        }
        if (leftNanos < 0 || !thread.needsTimer()) {
            thread.park(leftNanos);
            return;
        }
        ScheduledTask timer = connection.schedule(Duration.ofNanos(leftNanos), this::wake);
        try {
            thread.park(leftNanos);
        } finally {
            timer.cancel();
        }
    }

    private void stopWaiting() {
        synchronized (inbox) {
            waits = false;
        }
    }

    private long now() {
        return connection.server().network().clock().nanoTime();
    }

    private long left(long start, long timeoutNanos) {
        return timeoutNanos < 0 ? timeoutNanos : Math.max(0, timeoutNanos - (now() - start));
    }

    private static long nanos(Duration duration) {
        if (Objects.requireNonNull(duration, "duration").isNegative()) {
            throw new IllegalArgumentException("the time must not be negative: " + duration);
        }
        return Limits.nanos(duration);
    }

    private void checkThread() {
        if (!thread.isCurrent()) {
            throw new IllegalStateException("only the session's own thread may use it: other threads use its connection()");
        }
    }

    private ConnectionClosedException closedException() {
        // If the connection is still open, the message was refused for lack of memory, and the connection will be closed.
        boolean isOpen = connection.takesMessages();
        CloseReason reason = connection.closeReason();
        if (reason == null) {
            reason = isOpen ? CloseReason.BUDGET_EXCEEDED : CloseReason.FINISHED;
        }
        return new ConnectionClosedException(connection.toString(), reason, connection.failure());
    }

    // ---- the thread

    @SuppressWarnings("CatchThrowable") // an Error, too, ends only its session
    private void serve() {
        Throwable failure = null;
        try {
            handler.run(this);
        } catch (Throwable e) {
            failure = e;
        }
        boolean wasDraining;
        synchronized (inbox) {
            ended = true;
            wasDraining = draining;
            inbox.drop();
        }
        if (failure == null || failure instanceof ConnectionClosedException) {
            connection.calls().finishSession(connection, wasDraining ? CloseReason.DRAINED : CloseReason.FINISHED);
        } else {
            connection.calls().failSession(connection, failure);
        }
    }

    // ---- the loop's thread

    void start() {
        thread.start(this::serve);
    }

    void message(ByteBuffer message) {
        boolean pauses = false;
        boolean refused = false;
        synchronized (inbox) {
            if (!ended && !dropsInput) {
                refused = inbox.add(message, true) == MessageHandover.Added.NO_MEMORY;
                pauses = !paused && inbox.waitingBytes() >= INBOX_HIGH_BYTES;
                paused |= pauses;
            }
        }
        if (refused) {
            connection.calls().close(connection, CloseReason.BUDGET_EXCEEDED);
            return;
        }
        connection.calls().enforceBudget(connection);
        if (pauses) {
            connection.calls().pauseForSession(connection);
        }
    }

    /** Returns the bytes of messages on their way to and from the session. */
    long heldBytes() {
        return inbox.heldBytes() + outbox.heldBytes();
    }

    /** Drops the messages that wait to be received. The loop soon drops those that wait to be sent, if the connection is closed. */
    void dropReceived() {
        inbox.dropWaiting();
    }

    /** Returns the bytes of messages that were not received. While the session waits for TLS. */
    int unreadBytes() {
        return inbox.unreadBytes();
    }

    /** The connection has TLS now. */
    void secured() {
        synchronized (inbox) {
            startingTls = false;
        }
        wake();
    }

    private void refuse(RuntimeException reason) {
        synchronized (inbox) {
            refusal = reason;
        }
        wake();
    }

    void inputEnded() {
        synchronized (inbox) {
            inputEnded = true;
        }
        wake();
    }

    void drain() {
        synchronized (inbox) {
            draining = true;
            paused = true;
        }
        connection.calls().pauseForSession(connection);
        wake();
    }

    void closed(CloseReason reason) {
        synchronized (inbox) {
            closed = reason;
        }
        wake();
    }

    /** Wakes the thread if it waits. */
    void wake() {
        boolean wakes;
        synchronized (inbox) {
            wakes = waits;
            waits = false;
        }
        if (wakes) {
            thread.wake();
        }
    }

    private boolean isPaused() {
        synchronized (inbox) {
            return paused || draining;
        }
    }
}
