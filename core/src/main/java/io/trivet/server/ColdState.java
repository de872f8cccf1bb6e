package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.tls.TlsInfo;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Rarely used state of a connection, allocated on demand so that an idle connection stays small. Loop thread only, except for
 * snapshots and the number of timers.
 */
final class ColdState implements SendQueue.Companion {
    /** Value of the number of timers after the connection has dropped this object. */
    static final int DROPPED = -1;
    /** Value of the number of bytes to be delivered in parts if there are none. */
    static final long NO_PARTS = -1;
    private static final VarHandle TIMERS;

    static {
        try {
            TIMERS = MethodHandles.lookup().findVarHandle(ColdState.class, "timers", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Input that has not been delivered yet. */
    @Nullable PartialInput partialInput;
    /** Output that the socket refused. */
    @Nullable SendQueue sendQueue;
    /** Streamed messages that have not been sent; never empty. The send queue is behind them. */
    @Nullable TransferQueue transfers;
    /** Takes the input in place of the decoder; null: the decoder takes it. */
    @Nullable InputSink inputSink;
    /** The peer's address, while there is no socket to ask. */
    @Nullable InetSocketAddress remote;
    /** What was negotiated by TLS, after the connection was closed. */
    @Nullable TlsInfo tlsInfo;
    /** Ends a connect by name. Null unless one is in progress. */
    @Nullable Runnable connectCancellation;
    /**
     * The header of the PROXY protocol that is being received or sent; null: there is none, or it is complete. Received bytes are
     * before the position.
     */
    @Nullable ByteBuffer proxyHeader;
    /** The error that ended the connection. */
    @Nullable IOException failure;
    /** When the current state ends by itself: a connect, a first message, a linger. */
    long stateDeadlineNanos = Loop.NO_DEADLINE;
    /** The number of bytes that are still to be delivered in parts; {@link #NO_PARTS}: messages are delivered. */
    long partBytesLeft = NO_PARTS;
    /** When the peer last sent a byte, if that is limited; otherwise {@link Loop#NO_DEADLINE}. */
    long receivedNanos = Loop.NO_DEADLINE;
    /** Dropped messages of which the handler has yet to be notified. */
    @Nullable DroppedMessages pendingDrops;
    /** The bytes that arrived after our FIN. */
    long lingerBytes;
    /** Head of the linked list of this connection's timers that are in the loop's queue. */
    private @Nullable Timer firstTimer;
    /** The number of timers, including those on their way to the loop; or {@link #DROPPED}. Any thread may write it. */
    private volatile int timers;

    /**
     * Marks this object as dropped if it is empty. Afterwards {@link #addTimer} fails, so that no timer is counted in a dropped
     * object. Returns whether it was marked.
     */
    boolean dropIfEmpty() {
        return partialInput == null && sendQueue == null && transfers == null && remote == null && connectCancellation == null
                && failure == null && tlsInfo == null && proxyHeader == null && inputSink == null
                && pendingDrops == null
                && stateDeadlineNanos == Loop.NO_DEADLINE && receivedNanos == Loop.NO_DEADLINE
                && partBytesLeft == NO_PARTS && lingerBytes == 0
                && firstTimer == null && timers == 0
                && TIMERS.compareAndSet(this, 0, DROPPED);
    }

    /** Makes a dropped object usable again, by any connection. See {@link #dropIfEmpty}. */
    void reuse() {
        timers = 0;
    }

    @Nullable
    Timer firstTimer() {
        return firstTimer;
    }

    /** Adds a timer at the front of the list. */
    void link(Timer timer) {
        Timer first = firstTimer;
        if (first != null) {
            first.previous = timer;
        }
        timer.next = first;
        firstTimer = timer;
    }

    /** Removes a timer from the list, if it is there. */
    @SuppressWarnings("ReferenceEquality") // this very timer
    void unlink(Timer timer) {
        Timer previous = timer.previous;
        Timer next = timer.next;
        if (firstTimer == timer) {
            firstTimer = next;
        } else if (previous != null) {
            previous.next = next;
        }
        if (next != null) {
            next.previous = previous;
        }
        timer.previous = null;
        timer.next = null;
    }

    /** Returns the number of timers, or {@link #DROPPED}. Any thread. */
    int timers() {
        return timers;
    }

    /** Increments the number of timers, unless it differs from the expected one. Any thread. */
    boolean addTimer(int expected) {
        return TIMERS.compareAndSet(this, expected, expected + 1);
    }

    /** Decrements the number of timers. Any thread. */
    void removeTimer() {
        TIMERS.getAndAdd(this, -1);
    }
}
