package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.tls.TlsInfo;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The state of one connection, packed: a server has very many connections, and most are idle. {@link Connection} adds the public
 * methods and one reference; together they take 64 bytes (the test of this class holds that), and an idle connection has nothing
 * else.
 *
 * <p>The parts of a loop work on this class and do not know {@link Connection}. It holds flags, gauges and rarely used state, and
 * no policy.
 *
 * <p><b>Threads.</b> Only the loop thread writes, except {@link #reserve}, {@link #release} and the number of timers. Other
 * threads may read. A value may be out of date by the time it is used.
 */
@SuppressWarnings("EnumOrdinal") // state and reason are packed into one int, and never leave this class as numbers
abstract class ConnectionRecord extends HandlerCalls {
    private static final VarHandle QUEUED;
    private static final VarHandle BITS;
    private static final VarHandle COLD;
    /** A bit of {@link #queued}: the queue has reached its high mark. */
    private static final long REACHED_HIGH = Long.MIN_VALUE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            QUEUED = lookup.findVarHandle(ConnectionRecord.class, "queued", long.class);
            BITS = lookup.findVarHandle(ConnectionRecord.class, "bits", int.class);
            COLD = lookup.findVarHandle(ConnectionRecord.class, "cold", ColdState.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static final int PAUSED_BY_APPLICATION = 1;
    static final int PAUSED_BY_QUEUE = 1 << 1;
    /** The proactor receives for this connection. */
    static final int RECEIVING = 1 << 2;
    /** To be closed with a reset: the application has requested it, or something accepted for sending was dropped. */
    static final int RESET_ON_CLOSE = 1 << 3;
    /** Queued for a flush at the end of this turn. */
    static final int FLUSH_PENDING = 1 << 4;
    /** Queued to continue its delivery, because whole messages are left. */
    static final int DELIVERY_PENDING = 1 << 5;
    /** The peer's FIN has arrived. */
    static final int INPUT_ENDED = 1 << 6;
    /** The peer's FIN has arrived, and the handler has yet to be notified: messages that were held back come first. */
    static final int END_OF_INPUT_PENDING = 1 << 7;
    /** The socket buffer is full, or a send is pending: waiting for a completion. */
    static final int AWAITS_WRITABLE = 1 << 8;
    /** At least one whole message has arrived. */
    static final int RECEIVED_MESSAGE = 1 << 9;
    /** The peer connected to us. If not set, we connected to the peer. */
    static final int ACCEPTED = 1 << 10;
    /** No further message is accepted for sending. The output ends when the queue is empty. */
    static final int OUTPUT_FINISHED = 1 << 11;
    /** Our FIN has been sent. */
    static final int OUTPUT_ENDED = 1 << 12;
    /** {@code onClose} has been called; no further callbacks follow. */
    static final int CLOSE_NOTIFIED = 1 << 13;

    /** A session has yet to receive what was delivered to it. */
    static final int PAUSED_BY_SESSION = 1 << 14;

    /** The target of the relay has yet to accept what was received. */
    static final int PAUSED_BY_RELAY = 1 << 15;
    /** The TLS handshake has started, and is not over. */
    static final int HANDSHAKING = 1 << 16;
    /** The peer's stream has ended without TLS's close_notify. */
    static final int INPUT_TRUNCATED = 1 << 17;
    /**
     * {@code startTls} was called. Neither input is delivered nor messages are sent that were accepted afterwards, until the handshake
     * is over.
     */
    static final int STARTING_TLS = 1 << 18;
    /** After {@code startTls}: everything that was accepted before has been sent. Nothing is sent until the handshake is over. */
    static final int PLAINTEXT_SENT = 1 << 19;

    static final int PAUSED = PAUSED_BY_APPLICATION | PAUSED_BY_QUEUE | PAUSED_BY_SESSION | PAUSED_BY_RELAY | STARTING_TLS;

    /** Above the flags: the close reason's ordinal plus 1, or 0 for none. */
    private static final int REASON_SHIFT = 20;
    private static final int REASON_MASK = 0x3f;
    /** Above the reason: the state's ordinal. */
    private static final int STATE_SHIFT = 26;

    private static final ConnectionState[] STATES = ConnectionState.values();
    private static final CloseReason[] REASONS = CloseReason.values();
    /** Activity is recorded in ticks of about a millisecond, 2^20 ns. Differences of up to 26 days are correct. */
    private static final int TICK_SHIFT = 20;

    /** The proactor's handle; -1 before the connect has started. */
    long handle = -1;
    /**
     * The size of the queue: messages in the upper half, bytes in the lower half. Both are reserved together, by any thread, when
     * a message is accepted for sending. The reservation that reaches the high mark also sets the uppermost bit,
     * {@link #REACHED_HIGH}. So a caller that sees the queue high can rely on {@code onDrained}.
     */
    private volatile long queued;
    /** Flags, reason and state. */
    private volatile int bits;
    /** Null while the connection is idle. Any thread may create it, to count a timer. Only the loop drops it. */
    private volatile @Nullable ColdState cold;

    long bytesIn;
    long bytesOut;
    private int activityTick;

    /**
     * Creates the record of a connection.
     *
     * @param accepted true: the peer connected to us, and the connection is open; false: we are about to connect
     */
    ConnectionRecord(boolean accepted) {
        bits = accepted
                ? ACCEPTED | ConnectionState.OPEN.ordinal() << STATE_SHIFT
                : ConnectionState.CONNECTING.ordinal() << STATE_SHIFT;
    }

    // ---- state and flags

    ConnectionState state() {
        return STATES[bits >>> STATE_SHIFT];
    }

    void state(ConnectionState next) {
        // A volatile write, and a full fence is needed: a sending thread reserves and then reads the state; the loop writes the
        // state and then reads the reservations.
        bits = (bits & ((1 << STATE_SHIFT) - 1)) | next.ordinal() << STATE_SHIFT;
    }

    boolean isClosed() {
        return bits >>> STATE_SHIFT == ConnectionState.CLOSED.ordinal();
    }

    @Nullable
    CloseReason closeReason() {
        int number = bits >>> REASON_SHIFT & REASON_MASK;
        return number == 0 ? null : REASONS[number - 1];
    }

    void closeReason(CloseReason reason) {
        BITS.setRelease(this, (bits & ~(REASON_MASK << REASON_SHIFT)) | (reason.ordinal() + 1) << REASON_SHIFT);
    }

    /** Returns the close reason, or FINISHED if none was set. */
    CloseReason finishReason() {
        CloseReason reason = closeReason();
        return reason == null ? CloseReason.FINISHED : reason;
    }

    /**
     * Returns true if the connection was closed, or ends after sending, because a rule was broken: by the peer, or by the
     * handler. Then no callback follows but {@code onClose}.
     */
    boolean hasBrokenOff() {
        CloseReason reason = closeReason();
        return reason != null && !isGraceful(reason);
    }

    private static boolean isGraceful(CloseReason reason) {
        return reason == CloseReason.FINISHED || reason == CloseReason.PEER_FINISHED || reason == CloseReason.DRAINED;
    }

    /** Returns true if any of these flags is set. */
    boolean is(int flags) {
        return (bits & flags) != 0;
    }

    void set(int flag) {
        int before = bits;
        if ((before & flag) != flag) {
            BITS.setRelease(this, before | flag);
        }
    }

    void clear(int flag) {
        BITS.setRelease(this, bits & ~flag);
    }

    /** Accepts no further message for sending. */
    void refuseMessages() {
        bits = bits | OUTPUT_FINISHED; // a volatile write, for the same reason as in state()
    }

    // ---- questions about state and flags

    /** Returns true if reading is paused: by the application, the queue, a session or a relay. */
    boolean isPaused() {
        return is(PAUSED);
    }

    /** Returns true unless reading is paused or a delivery has left messages over. */
    boolean mayDeliver() {
        return !is(PAUSED | DELIVERY_PENDING);
    }

    /** Returns true if the state is {@link ConnectionState#OPEN}. */
    boolean isOpen() {
        return bits >>> STATE_SHIFT == ConnectionState.OPEN.ordinal();
    }

    /** Returns true if a received message may be delivered to the handler: the connection is open, and not paused. */
    boolean takesInput() {
        int now = bits;
        return now >>> STATE_SHIFT == ConnectionState.OPEN.ordinal() && (now & PAUSED) == 0;
    }

    /**
     * Returns true if input is delivered or relayed, unless reading is paused. A connection that drains delivers none, but its
     * relay continues: what is relayed was not sent by this side.
     */
    boolean wantsInput() {
        ConnectionState now = state();
        return now == ConnectionState.OPEN || (now == ConnectionState.DRAINING && inputSink() != null);
    }

    /** Returns true if messages are accepted for sending: in the first three states, until the output is finished. */
    boolean takesMessages() {
        int now = bits;
        return now >>> STATE_SHIFT <= ConnectionState.INPUT_ENDED.ordinal() && (now & OUTPUT_FINISHED) == 0;
    }

    /** Returns true if the output ends once the queue is empty. */
    boolean awaitsEndOfOutput() {
        return state() == ConnectionState.DRAINING || (is(OUTPUT_FINISHED) && !is(OUTPUT_ENDED));
    }

    /**
     * Returns true if the message deadline runs: a message is incomplete, and it is the peer that has not sent the rest.
     */
    boolean awaitsRestOfMessage() {
        return partialInput() != null && mayDeliver();
    }

    /**
     * Returns true if the handler may be notified of dropped messages. This includes a connection that was closed gracefully in
     * this turn: everything else was delivered, so the handler must be notified of what was not.
     */
    boolean mayNotifyDrops() {
        return !hasBrokenOff() && !is(CLOSE_NOTIFIED);
    }

    // ---- the gauges of the queue

    int queuedBytes() {
        return (int) queued;
    }

    int queuedMessages() {
        return (int) (queued >>> 32) & Integer.MAX_VALUE;
    }

    /**
     * Reserves room for one message, and records whether that reaches the high mark. Any thread.
     *
     * @return false if the message does not fit under {@code bytesMax}
     */
    boolean reserve(int bytes, int bytesMax, int highBytes) {
        while (true) {
            long before = queued;
            long bytesAfter = (long) (int) before + bytes;
            if (bytesAfter > bytesMax) {
                return false;
            }
            long after = before + (1L << 32) + bytes | (bytesAfter >= highBytes ? REACHED_HIGH : 0);
            if (QUEUED.compareAndSet(this, before, after)) {
                return true;
            }
        }
    }

    /** Counts bytes that were read to be sent, even beyond the cap, and records whether they reach the high mark. */
    void hold(int bytes, int highBytes) {
        long before;
        long after;
        do {
            before = queued;
            after = before + bytes | ((long) (int) before + bytes >= highBytes ? REACHED_HIGH : 0);
        } while (!QUEUED.compareAndSet(this, before, after));
    }

    /** Releases the room of messages and bytes that were sent or dropped. Any thread. */
    void release(int messages, long bytes) {
        QUEUED.getAndAdd(this, -((long) messages << 32) - bytes);
    }

    /**
     * Releases the room of messages that were accepted and are dropped. From now on the connection can only end with a reset.
     * Loop thread.
     */
    void releaseDropped(int messages, long bytes) {
        if (messages > 0) {
            set(RESET_ON_CLOSE);
            release(messages, bytes);
        }
    }

    /** Returns true if the queue has reached the high mark, and has not been seen at the low mark since. */
    boolean hasReachedHigh() {
        return queued < 0;
    }

    /** Records that the queue has reached the high mark, if it has: the mark was lowered. Any thread. */
    void markHighAt(int highBytes) {
        while (true) {
            long before = queued;
            if (before < 0 || (int) before < highBytes || QUEUED.compareAndSet(this, before, before | REACHED_HIGH)) {
                return;
            }
        }
    }

    /**
     * Clears the record of the high mark if the queue is at the low mark or below.
     *
     * @return true if it is
     */
    boolean clearHighAt(int lowBytes) {
        while (true) {
            long before = queued;
            if ((int) before > lowBytes) {
                return false;
            }
            if (QUEUED.compareAndSet(this, before, before & ~REACHED_HIGH)) {
                return true;
            }
        }
    }

    // ---- activity

    /** Records that bytes have arrived. */
    void received(int bytes, long nowNanos) {
        if (bytes > 0) {
            bytesIn += bytes;
            active(nowNanos);
            if (profile().limitsReadIdle()) {
                receivedNanos(nowNanos);
            }
        }
    }

    /** Records that bytes arrived or left. */
    void active(long nowNanos) {
        activityTick = (int) (nowNanos >> TICK_SHIFT) + 1; // rounded up, so that an idle timeout never fires early
    }

    /**
     * Returns when bytes last arrived or left. The result does not depend on the time of the call, so deadlines can be computed
     * from it.
     */
    long activityNanos(long nowNanos) {
        long nowTick = nowNanos >> TICK_SHIFT;
        return (nowTick - ((int) nowTick - activityTick)) << TICK_SHIFT;
    }

    // ---- rarely used state

    /** Returns the number of bytes that are still to be delivered in parts, or {@link ColdState#NO_PARTS}. */
    long partBytesLeft() {
        ColdState some = cold;
        return some == null ? ColdState.NO_PARTS : some.partBytesLeft;
    }

    void partBytesLeft(long bytes) {
        if (cold != null || bytes != ColdState.NO_PARTS) {
            coldState().partBytesLeft = bytes;
            dropEmptyColdState();
        }
    }

    /** Returns when the peer last sent a byte, or {@link Loop#NO_DEADLINE} if that was not recorded. */
    long receivedNanos() {
        ColdState some = cold;
        return some == null ? Loop.NO_DEADLINE : some.receivedNanos;
    }

    void receivedNanos(long nowNanos) {
        if (cold != null || nowNanos != Loop.NO_DEADLINE) {
            coldState().receivedNanos = nowNanos;
            dropEmptyColdState();
        }
    }

    /** Returns the input that has not been delivered yet, or null. */
    @Nullable
    PartialInput partialInput() {
        ColdState some = cold;
        return some == null ? null : some.partialInput;
    }

    void partialInput(@Nullable PartialInput input) {
        if (cold != null || input != null) {
            coldState().partialInput = input;
            dropEmptyColdState();
        }
    }

    /** Returns the output that the socket has not accepted yet, without a pending send; or null. */
    @Nullable
    SendQueue sendQueue() {
        ColdState some = cold;
        return some == null ? null : some.sendQueue;
    }

    /**
     * Sets the send queue. A broadcast does so for each connection and each message, so a {@code ColdState} that holds only a queue moves with
     * it to the next connection.
     */
    void sendQueue(@Nullable SendQueue queue) {
        ColdState some = cold;
        if (queue != null) {
            if (some == null) {
                COLD.compareAndSet(this, null, takeColdState(queue));
            }
            coldState().sendQueue = queue;
        } else if (some != null) {
            SendQueue removed = some.sendQueue;
            some.sendQueue = null;
            if (dropEmptyColdState() && removed != null) {
                removed.companion = some;
            }
        }
    }

    /** Returns an empty object for the connection that gets a queue. */
    private static ColdState takeColdState(SendQueue queue) {
        if (queue.companion instanceof ColdState reused) {
            queue.companion = null;
            reused.reuse();
            return reused;
        }
        return new ColdState();
    }

    /** Returns the streamed messages that have not been sent, or null. If there are any, there is a send queue, too. */
    @Nullable
    TransferQueue transfers() {
        ColdState some = cold;
        return some == null ? null : some.transfers;
    }

    void transfers(@Nullable TransferQueue transfers) {
        if (cold != null || transfers != null) {
            coldState().transfers = transfers;
            dropEmptyColdState();
        }
    }

    /** Returns what takes the input in place of the decoder, or null. */
    @Nullable
    InputSink inputSink() {
        ColdState some = cold;
        return some == null ? null : some.inputSink;
    }

    void inputSink(@Nullable InputSink sink) {
        if (cold != null || sink != null) {
            coldState().inputSink = sink;
            dropEmptyColdState();
        }
    }

    /** Returns the drops of which the handler has yet to be notified, or null. */
    @Nullable
    DroppedMessages pendingDrops() {
        ColdState some = cold;
        return some == null ? null : some.pendingDrops;
    }

    void pendingDrops(@Nullable DroppedMessages drops) {
        if (cold != null || drops != null) {
            coldState().pendingDrops = drops;
            dropEmptyColdState();
        }
    }

    /** Returns the time at which the current state ends by itself, or {@link Loop#NO_DEADLINE}. */
    long stateDeadlineNanos() {
        ColdState some = cold;
        return some == null ? Loop.NO_DEADLINE : some.stateDeadlineNanos;
    }

    void stateDeadlineNanos(long deadlineNanos) {
        if (cold != null || deadlineNanos != Loop.NO_DEADLINE) {
            coldState().stateDeadlineNanos = deadlineNanos;
            dropEmptyColdState();
        }
    }

    /** Adds to the bytes that arrived after our FIN, and returns their sum. */
    long addLingerBytes(int bytes) {
        return coldState().lingerBytes += bytes;
    }

    /** Returns the peer's address if it is cached: before the connection exists, after it was closed, and if a proxy has told it. */
    @Nullable
    InetSocketAddress cachedAddress() {
        return rare(state -> state.remote);
    }

    void cachedAddress(InetSocketAddress address) {
        coldState().remote = address;
    }

    /** Returns what was negotiated by TLS, if the connection was closed; otherwise null. */
    @Nullable
    TlsInfo tlsInfo() {
        return rare(state -> state.tlsInfo);
    }

    void tlsInfo(@Nullable TlsInfo info) {
        if (info != null) {
            coldState().tlsInfo = info;
        }
    }

    /** Returns the header of the PROXY protocol that is being received or sent, or null. */
    @Nullable
    ByteBuffer proxyHeader() {
        ColdState some = cold;
        return some == null ? null : some.proxyHeader;
    }

    void proxyHeader(@Nullable ByteBuffer header) {
        if (cold != null || header != null) {
            coldState().proxyHeader = header;
            dropEmptyColdState();
        }
    }

    /** Sets the task that ends a connect by name when the connection is closed; null: no such connect is in progress. */
    void connectCancellation(@Nullable Runnable cancellation) {
        if (cold != null || cancellation != null) {
            coldState().connectCancellation = cancellation;
            dropEmptyColdState();
        }
    }

    /**
     * Returns true if the end of the connection must be a reset: a FIN would tell the peer that it has received everything. Counts
     * messages of other threads that are on their way to the loop: these were accepted, too.
     */
    boolean endsWithReset() {
        return queuedMessages() > 0 || is(RESET_ON_CLOSE);
    }

    /** Ends the connect by name, if one is in progress. */
    void cancelConnect() {
        Runnable cancellation = cold == null ? null : cold.connectCancellation;
        if (cancellation != null) {
            connectCancellation(null);
            cancellation.run();
        }
    }

    /** Returns the error that ended the connection, or null. */
    @Nullable
    IOException failure() {
        return rare(state -> state.failure);
    }

    void failure(IOException failure) {
        coldState().failure = failure;
    }

    /** Reads from the rare state, for any thread: the object may pass to another connection while it is read. */
    private <T> @Nullable T rare(Function<ColdState, @Nullable T> field) {
        while (true) {
            ColdState some = cold;
            if (some == null) {
                return null;
            }
            T value = field.apply(some);
            if (cold == some) {
                return value;
            }
        }
    }

    private ColdState coldState() {
        while (true) {
            ColdState some = cold;
            if (some != null) {
                return some;
            }
            some = new ColdState();
            if (COLD.compareAndSet(this, null, some)) { // another thread may create it for a timer at the same time
                return some;
            }
        }
    }

    /** Returns true if it was dropped. */
    private boolean dropEmptyColdState() {
        ColdState some = cold;
        if (some == null || !some.dropIfEmpty()) {
            return false;
        }
        cold = null;
        return true;
    }

    // ---- timers

    /**
     * Reserves a place for a timer. Any thread.
     *
     * @return false if the connection has {@code timersMax} timers
     */
    boolean reserveTimer(int timersMax) {
        while (true) {
            ColdState some = coldState();
            int timers = some.timers();
            if (timers >= timersMax && cold == some) {
                return false;
            }
            if (timers == ColdState.DROPPED) {
                Thread.onSpinWait(); // the loop is about to set it to null. Only the loop may: the object may be in use here again by now
            } else if (some.addTimer(timers)) {
                if (cold == some) {
                    return true;
                }
                some.removeTimer(); // it was dropped and is that of another connection now
            }
        }
    }

    /** Frees the place of a timer. Any thread. */
    void releaseTimer() {
        coldState().removeTimer(); // still the same object: while it counts a timer, it is not dropped
    }

    /** Returns the number of timers. Any thread. */
    int timers() {
        Integer timers = rare(ColdState::timers);
        return timers == null ? 0 : Math.max(0, timers);
    }

    /** Returns the first of the connection's timers that are in the loop's queue, or null. */
    @Nullable
    Timer firstTimer() {
        ColdState some = cold;
        return some == null ? null : some.firstTimer();
    }

    /** Adds a timer to the list. Requires that its place is reserved. */
    void link(Timer timer) {
        coldState().link(timer);
    }

    /** Removes a timer from the list, if it is there. */
    void unlink(Timer timer) {
        ColdState some = cold;
        if (some != null) {
            some.unlink(timer);
            dropEmptyColdState();
        }
    }
}
