package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One client of a server, or one connection that a server has made: where messages are sent, and what can be known of it.
 *
 * <p><b>States</b> ({@link ConnectionState}; from each, CLOSED can follow at once):
 *
 * <pre>
 *  CONNECTING ──connected──► OPEN ──peer's FIN──► INPUT_ENDED
 *                              │                      │
 *                              └───────finish()───────┤
 *                                                     ▼
 *                                 DRAINING: the queue goes out, nothing more is taken or delivered
 *                                                     │ empty: our FIN
 *                                                     ▼
 *                                 LINGERING: what still comes is read and dropped, bounded in bytes and time
 *                                                     │ the peer's FIN
 *                                                     ▼
 *                                                  CLOSED, with a {@link CloseReason}
 * </pre>
 *
 * <p><b>Sending</b> never waits. What is taken lies in this connection's {@linkplain #queue queue}, which has a cap, until the socket takes
 * it. A message is copied when it is taken, so its buffer can be used again at once.
 *
 * <p><b>Threads.</b> Every method may be called from any thread. Messages from one thread keep their order. Handlers run on the
 * connection's loop.
 */
@SuppressWarnings("EnumOrdinal") // state and reason are kept as numbers inside one word of memory, and leave it as themselves
public final class Connection {
    private static final VarHandle QUEUED;
    private static final VarHandle BITS;
    /** In {@link #queued}. */
    private static final long REACHED_HIGH = Long.MIN_VALUE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            QUEUED = lookup.findVarHandle(Connection.class, "queued", long.class);
            BITS = lookup.findVarHandle(Connection.class, "bits", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static final int PAUSED_BY_APPLICATION = 1;
    static final int PAUSED_BY_QUEUE = 1 << 1;
    /** The proactor receives for it. */
    static final int RECEIVING = 1 << 2;
    /** Stands in the loop's list of those to be flushed at the end of the turn. */
    static final int TOUCHED = 1 << 4;
    /** Stands in the loop's list of those with whole messages left to deliver. */
    static final int RUNNABLE = 1 << 5;
    /** The peer's FIN has come. */
    static final int INPUT_ENDED = 1 << 6;
    /** The peer's FIN has come, and waits behind messages that were held back. */
    static final int END_HELD = 1 << 7;
    /** The socket did not take all: the proactor tells when it has room. */
    static final int BLOCKED = 1 << 8;
    /** A whole message has come. */
    static final int SPOKEN = 1 << 9;
    /** Was accepted, not made by us. */
    static final int ACCEPTED = 1 << 10;
    /** Nothing more is taken; the output ends when all has left. */
    static final int OUTPUT_FINISHED = 1 << 11;
    /** Our FIN has been sent. */
    static final int OUTPUT_ENDED = 1 << 12;
    /** Its handler is told the end, and then nothing more. */
    static final int END_TOLD = 1 << 13;

    /** Above the flags: the reason for its end, by number from 1; 0: none. */
    private static final int REASON_SHIFT = 16;
    private static final int REASON_MASK = 0xff;
    /** Above that: the state, by number. */
    private static final int STATE_SHIFT = 24;

    private static final ConnectionState[] STATES = ConnectionState.values();
    private static final CloseReason[] REASONS = CloseReason.values();
    /** Activity is noted in units of about a millisecond, 2^20 ns; differences are right up to 26 days. */
    private static final int TICK_SHIFT = 20;

    // A server has very many connections, and most are idle: 64 bytes each, and nothing else.

    final EventLoop loop;
    /** The proactor's; -1 before the connect has begun. Only the loop's thread uses it, but for looking on. */
    long handle = -1;
    /**
     * Messages in the upper half, bytes in the lower: both reserved together, from any thread, when a message is taken. The uppermost bit,
     * {@link #REACHED_HIGH}, is set by the reservation that reaches the high mark, so that whoever sees the queue high can rely on being told
     * when it has drained.
     */
    private volatile long queued;
    /** Flags, reason and state. Written by the loop's thread. */
    private volatile int bits;
    /** What an idle connection does not need; null: nothing. The loop's thread, but for looking on. */
    private @Nullable Extra extra;

    private volatile @Nullable Object attachment;
    /** Written by the loop's thread; others read them as they happen to be. */
    long bytesIn;
    long bytesOut;
    private int activityTick;

    private Connection(EventLoop loop) {
        this.loop = loop;
    }

    static Connection accepted(EventLoop loop) {
        Connection connection = new Connection(loop);
        connection.bits = ACCEPTED | ConnectionState.OPEN.ordinal() << STATE_SHIFT;
        return connection;
    }

    static Connection connecting(EventLoop loop, Handler handler, InetSocketAddress address) {
        Connection connection = new Connection(loop);
        connection.bits = ConnectionState.CONNECTING.ordinal() << STATE_SHIFT;
        Extra extra = connection.needExtra();
        extra.handler = handler;
        extra.remote = address;
        return connection;
    }

    /**
     * Sends the bytes from position to limit as one message; the position moves to the limit when they were taken.
     *
     * @param message the message, without its frame
     * @return QUEUED: taken, and delivered to the kernel or the connection ends with a reason; FULL: nothing was taken, and the connection
     *     is being closed with {@link CloseReason#QUEUE_FULL}; CLOSED: nothing was taken
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult send(ByteBuffer message) {
        return closeIfFull(loop.output().put(this, message, false));
    }

    /**
     * Sends bytes as one message: as {@link #send(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as there
     */
    public SendResult send(byte[] message) {
        return closeIfFull(loop.output().put(this, ByteBuffer.wrap(message), false));
    }

    /**
     * Sends a text as one message, in UTF-8: as {@link #send(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as there
     */
    public SendResult send(String message) {
        return closeIfFull(loop.output().put(this, message));
    }

    /**
     * Sends a message if it fits, and does nothing if not: the connection stays open.
     *
     * @param message the message, without its frame; its position moves when it was taken
     * @return QUEUED, FULL or CLOSED
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult offer(ByteBuffer message) {
        return loop.output().put(this, message, false);
    }

    /**
     * Sends a message if it fits: as {@link #offer(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as there
     */
    public SendResult offer(byte[] message) {
        return offer(ByteBuffer.wrap(message));
    }

    /**
     * Sends a text, in UTF-8, if it fits: as {@link #offer(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as there
     */
    public SendResult offer(String message) {
        return offer(ByteBuffer.wrap(utf8(message)));
    }

    /**
     * Sends a message ahead of all that wait, at the next end of a message. Several keep their order.
     *
     * @param message the message, without its frame; its position moves when it was taken
     * @return as {@link #send(ByteBuffer)}
     * @throws IllegalArgumentException the frame cannot hold a message of that length
     */
    public SendResult sendFirst(ByteBuffer message) {
        return closeIfFull(loop.output().put(this, message, true));
    }

    /**
     * Sends bytes ahead of all that wait: as {@link #sendFirst(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as there
     */
    public SendResult sendFirst(byte[] message) {
        return sendFirst(ByteBuffer.wrap(message));
    }

    /**
     * Sends a text, in UTF-8, ahead of all that wait: as {@link #sendFirst(ByteBuffer)}.
     *
     * @param message the message, without its frame
     * @return as there
     */
    public SendResult sendFirst(String message) {
        return sendFirst(ByteBuffer.wrap(utf8(message)));
    }

    /**
     * Sends TCP's urgent byte, which passes the queue by. Done on the loop; when the socket is full, or the connection not there yet or
     * ended, the byte is not sent.
     *
     * @param b the byte
     * @throws UnsupportedOperationException the server's network cannot
     */
    public void sendUrgent(byte b) {
        loop.checkUrgent();
        loop.run(() -> loop.output().sendUrgent(this, b));
    }

    private SendResult closeIfFull(SendResult result) {
        if (result == SendResult.FULL) {
            loop.run(() -> loop.endings().close(this, CloseReason.QUEUE_FULL));
        }
        return result;
    }

    /** Reads nothing more from the peer, and delivers nothing more, until {@link #resumeReading}. Back-pressure does the rest. */
    public void pauseReading() {
        loop.run(() -> loop.pause(this, PAUSED_BY_APPLICATION));
    }

    /** Ends {@link #pauseReading}. Messages that were held back are delivered first. */
    public void resumeReading() {
        loop.run(() -> loop.resume(this, PAUSED_BY_APPLICATION));
    }

    /**
     * Takes nothing more to send; when what waits has been delivered, our output ends, and the peer is told so. What it still sends is delivered:
     * the connection ends when the peer has finished too. This is how a half-close is passed on. Also before a connect is there.
     */
    public void finishOutput() {
        loop.run(() -> loop.endings().finishOutput(this));
    }

    /**
     * Takes and delivers nothing more; what waits is delivered to the peer, then the connection ends in an orderly way. Also before a connect
     * is there: it is waited for if something waits.
     */
    public void finish() {
        loop.run(() -> loop.endings().finish(this, CloseReason.FINISHED));
    }

    /** Closes at once. What waits is dropped; if the peer has sent something that was not read yet, it sees a reset. */
    public void close() {
        loop.run(() -> loop.endings().close(this, CloseReason.CLOSED));
    }

    /**
     * Runs a task on the connection's loop, soon; also when the connection is closed by then.
     *
     * @param task the task; an exception is logged
     * @throws RejectedExecutionException the server is closed, or a million tasks wait already
     */
    public void execute(Runnable task) {
        loop.execute(task);
    }

    /**
     * Runs a task on the connection's loop after some time, unless the connection is closed by then.
     *
     * @param delay how long to wait
     * @param task the task; an exception closes the connection, as a handler's does
     * @throws RejectedExecutionException the server is closed, or a million tasks wait already
     */
    public void schedule(Duration delay, Runnable task) {
        loop.schedule(this, delay, task);
    }

    /**
     * The peer's address.
     *
     * @return the address, also after the connection is closed
     */
    public InetSocketAddress remoteAddress() {
        InetSocketAddress known = rememberedAddress();
        if (known != null) {
            return known;
        }
        try {
            return loop.remoteAddress(this);
        } catch (IllegalArgumentException e) { // closed just now, and remembered before
            known = rememberedAddress();
        }
        if (known == null) {
            throw new IllegalStateException("the connection has no address yet");
        }
        return known;
    }

    /**
     * Our own address on this connection: the one that the peer sees.
     *
     * @return the address
     * @throws IllegalStateException it is not connected yet, or closed
     */
    public InetSocketAddress localAddress() {
        if (state() != ConnectionState.CONNECTING && handle >= 0) {
            try {
                return loop.localAddress(this);
            } catch (IllegalArgumentException e) {
                // Closed.
            }
        }
        throw new IllegalStateException("the connection has no address of its own: it is " + state());
    }

    /**
     * What the network said when it ended the connection, or did not let it come about.
     *
     * @return the error, with the call, the error's name and the address, when the reason is {@link CloseReason#CONNECT_FAILED},
     *     {@link CloseReason#CONNECT_TIMEOUT}, {@link CloseReason#RESET} or {@link CloseReason#FAILED}; else, and before, null
     */
    public @Nullable IOException failure() {
        Extra some = extra;
        return some == null ? null : some.failure;
    }

    void failure(IOException failure) {
        needExtra().failure = failure;
    }

    private @Nullable InetSocketAddress rememberedAddress() {
        Extra some = extra;
        return some == null ? null : some.remote;
    }

    /**
     * The server it belongs to.
     *
     * @return the server, for instance to broadcast
     */
    public Server server() {
        return loop.server();
    }

    /**
     * The gauges of its message queue.
     *
     * @return an object that reads them anew each time
     */
    public MessageQueue queue() {
        return new MessageQueue(this);
    }

    /**
     * Where it stands.
     *
     * @return the state
     */
    public ConnectionState state() {
        return STATES[bits >>> STATE_SHIFT];
    }

    /**
     * Its number: no other connection of the server has it, or had it within some billions.
     *
     * @return loop, generation and slot; -1 as long as its connect has not begun
     */
    public long id() {
        return loop.id(handle);
    }

    /**
     * What the application has attached.
     *
     * @return the object, or null
     */
    public @Nullable Object attachment() {
        return attachment;
    }

    /**
     * Attaches an object of the application's.
     *
     * @param object the object, or null
     */
    public void attachment(@Nullable Object object) {
        attachment = object;
    }

    /** Why it stands in the lists it stands in, for a person. Any thread. */
    String why() {
        String reading = is(PAUSED_BY_QUEUE)
                ? "not read: its queue was above the high mark"
                : is(PAUSED_BY_APPLICATION)
                        ? "not read: paused by the application"
                : is(RUNNABLE)
                        ? "not read: it has messages left from before"
                : is(INPUT_ENDED) ? "not read: the peer has finished" : "read";
        return switch (state()) {
            case CONNECTING -> "connecting: writable when it is there";
            case LINGERING -> "read to its end, our output has ended";
            case CLOSED -> "closed";
            case OPEN, INPUT_ENDED, DRAINING -> reading + (is(BLOCKED) ? "; written: its socket was full" : "")
                    + (is(OUTPUT_ENDED) ? "; our output has ended" : "");
        };
    }

    void state(ConnectionState next) {
        // With a full fence: a thread that sends reserves and then looks here, the loop writes here and then looks for reservations.
        bits = (bits & ((1 << STATE_SHIFT) - 1)) | next.ordinal() << STATE_SHIFT;
    }

    /** From now on it takes no message. */
    void outputFinished() {
        bits = bits | OUTPUT_FINISHED; // with a full fence, as a state is
    }

    /** Whether its output is to end once everything has left. */
    boolean awaitsEndOfOutput() {
        return state() == ConnectionState.DRAINING || (is(OUTPUT_FINISHED) && !is(OUTPUT_ENDED));
    }

    @Nullable
    CloseReason closeReason() {
        int number = bits >>> REASON_SHIFT & REASON_MASK;
        return number == 0 ? null : REASONS[number - 1];
    }

    void closeReason(CloseReason reason) {
        BITS.setRelease(this, (bits & ~(REASON_MASK << REASON_SHIFT)) | (reason.ordinal() + 1) << REASON_SHIFT);
    }

    boolean is(int flag) {
        return (bits & flag) != 0;
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

    Handler handler() {
        Extra some = extra;
        return some == null || some.handler == null ? loop.handler() : some.handler;
    }

    @Nullable
    Held held() {
        Extra some = extra;
        return some == null ? null : some.held;
    }

    void held(@Nullable Held held) {
        if (extra != null || held != null) {
            needExtra().held = held;
            dropEmptyExtra();
        }
    }

    @Nullable
    Backlog backlog() {
        Extra some = extra;
        return some == null ? null : some.backlog;
    }

    void backlog(@Nullable Backlog backlog) {
        if (extra != null || backlog != null) {
            needExtra().backlog = backlog;
            dropEmptyExtra();
        }
    }

    @Nullable
    Dropped untold() {
        Extra some = extra;
        return some == null ? null : some.untold;
    }

    void untold(@Nullable Dropped untold) {
        if (extra != null || untold != null) {
            needExtra().untold = untold;
            dropEmptyExtra();
        }
    }

    @Nullable
    InFlight inFlight() {
        return loop.output().inFlight(this);
    }

    long stateDeadlineNanos() {
        Extra some = extra;
        return some == null ? Loop.NO_DEADLINE : some.stateDeadlineNanos;
    }

    void stateDeadlineNanos(long deadlineNanos) {
        if (extra != null || deadlineNanos != Loop.NO_DEADLINE) {
            needExtra().stateDeadlineNanos = deadlineNanos;
            dropEmptyExtra();
        }
    }

    /** Adds to what came after our end; the sum. */
    long addLingerBytes(int bytes) {
        Extra some = needExtra();
        some.lingerBytes += bytes;
        return some.lingerBytes;
    }

    private Extra needExtra() {
        Extra some = extra;
        if (some == null) {
            some = new Extra();
            extra = some;
        }
        return some;
    }

    private void dropEmptyExtra() {
        if (extra != null && extra.isEmpty()) {
            extra = null;
        }
    }

    /** Bytes came or went. */
    void active(long nowNanos) {
        activityTick = (int) (nowNanos >> TICK_SHIFT) + 1; // rounded up: never closed for idleness too early
    }

    /** When bytes last came or went: the same whenever it is asked, or a deadline that is counted from it would move with the asking. */
    long activityNanos(long nowNanos) {
        long nowTick = nowNanos >> TICK_SHIFT;
        return (nowTick - ((int) nowTick - activityTick)) << TICK_SHIFT;
    }

    boolean isClosed() {
        return bits >>> STATE_SHIFT == ConnectionState.CLOSED.ordinal();
    }

    /** Whether messages are taken for it: in the first three states, until its output is finished. */
    boolean takesMessages() {
        int now = bits;
        return now >>> STATE_SHIFT <= ConnectionState.INPUT_ENDED.ordinal() && (now & OUTPUT_FINISHED) == 0;
    }

    /** Also when it has ended in good order within this turn: then everything else was delivered, and what was not must be told. */
    boolean mayBeToldOfDrops() {
        CloseReason reason = closeReason();
        boolean orderly = reason == CloseReason.FINISHED || reason == CloseReason.PEER_FINISHED || reason == CloseReason.DRAINED;
        return !isClosed() || (orderly && !is(END_TOLD));
    }

    /** Whether received messages may be given to its handler just now. */
    boolean takesInput() {
        int now = bits;
        return now >>> STATE_SHIFT == ConnectionState.OPEN.ordinal() && (now & (PAUSED_BY_APPLICATION | PAUSED_BY_QUEUE)) == 0;
    }

    Limits limits() {
        return loop.limits();
    }

    int queuedBytes() {
        return (int) queued;
    }

    int queuedMessages() {
        return (int) (queued >>> 32) & Integer.MAX_VALUE;
    }

    /** Reserves room for a message, and notes when that reaches the high mark; false: it does not fit under that cap. From any thread. */
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

    /** Whether the queue has reached its high mark, and was not seen at the low one since. */
    boolean hasReachedHigh() {
        return queued < 0;
    }

    /** Forgets that the queue was high, if it stands at the low mark or below; whether it does. */
    boolean forgetHighAt(int lowBytes) {
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

    /** Gives back the room of what has left, or was dropped. */
    void release(int messages, long bytes) {
        QUEUED.getAndAdd(this, -((long) messages << 32) - bytes);
    }

    /** Read from any thread: the backlog may vanish while we look, and then there was none. */
    long oldestAgeNanos() {
        InFlight pending = inFlight();
        Backlog waiting = backlog();
        return pending != null ? loop.ageNanos(pending.sinceNanos()) : waiting != null ? loop.ageNanos(waiting.sinceNanos()) : 0;
    }

    /** When the peer last took something of what waits for it, or the wait began; {@link Loop#NO_DEADLINE}: nothing waits. */
    long writingSinceNanos() {
        InFlight pending = inFlight();
        Backlog waiting = backlog();
        return pending != null ? pending.progressNanos() : waiting != null ? waiting.progressNanos : Loop.NO_DEADLINE;
    }

    /** Keeps the peer's address while the socket is still there to tell it. */
    void rememberAddress() {
        if (rememberedAddress() == null && handle >= 0) {
            needExtra().remote = loop.remoteAddress(this);
        }
    }

    @Override
    public String toString() {
        return "connection " + Long.toHexString(id()) + " " + state();
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
