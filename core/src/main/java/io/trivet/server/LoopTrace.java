package io.trivet.server;

import io.trivet.net.Clock;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ClosedConnection;
import io.trivet.observe.LoopEvent;
import io.trivet.observe.LoopObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Passes what happens in a loop's turns to its observer, if there is one, and keeps the ends of the last connections. Without an
 * observer, an event costs the read of two fields. Loop thread, except {@link #observer} and {@link #recentlyClosed}.
 */
final class LoopTrace {
    /** The number of ends that are kept. */
    static final int CLOSED_MAX = 128;
    /** Position of the loop's index in an id. It uses upper bits of the slot, which are free: no loop has 16 million connections. */
    private static final int ID_LOOP_SHIFT = 24;

    /** A closed connection, and when it was closed by the network's clock. */
    private record End(ClosedConnection connection, long nanos) {
        ClosedConnection after(Duration since) {
            return new ClosedConnection(connection.id(), connection.remoteAddress(), connection.loop(), connection.reason(),
                    connection.failure(), connection.reset(), connection.bytesIn(), connection.bytesOut(), since);
        }
    }

    private final int loop;
    private final Clock clock;
    private final @Nullable End[] ends = new @Nullable End[CLOSED_MAX];
    private long endCount;
    private volatile @Nullable LoopObserver observer;
    /** False until the first turn begins, which sees an observer that was set before. */
    private volatile boolean hasTurned;
    /** The observer of the current turn. */
    private @Nullable LoopObserver active;
    private @Nullable RuntimeException failure;
    private long waitStartedNanos;
    private long workStartedNanos;
    /** True from the beginning of an observed wait until something happens, or it is over. */
    private boolean isWaiting;
    /** The work of this turn, for a flight recording; null if there is none. */
    private @Nullable Object work;

    LoopTrace(int loop, Clock clock) {
        this.loop = loop;
        this.clock = clock;
    }

    /** Returns the id of a connection of this loop. */
    long id(long handle) {
        return id(loop, handle);
    }

    /** Returns the id of a connection. */
    static long id(int loop, long handle) {
        return handle < 0 ? -1 : (long) loop << ID_LOOP_SHIFT ^ handle;
    }

    /** Returns the index of the loop of the connection with that id. */
    static int loopOf(long id) {
        return (int) id >>> ID_LOOP_SHIFT;
    }

    /** Returns the handle of the connection with that id. */
    static long handleOf(long id) {
        return id ^ (long) loopOf(id) << ID_LOOP_SHIFT;
    }

    /** Sets or removes the observer, from the next turn on. Any thread. */
    void observer(@Nullable LoopObserver next) {
        observer = next;
    }

    /** Returns true once the first turn has begun. Any thread. */
    boolean hasTurned() {
        return hasTurned;
    }

    // ---- events

    void event(LoopEvent event, long handle, long amount) {
        endWait(); // completions are delivered within the poll
        LoopObserver current = active;
        if (current != null) {
            try {
                current.event(loop, event, id(loop, handle), amount);
            } catch (RuntimeException e) {
                failed(e);
            }
        }
    }

    /** Called before a turn. */
    void beginTurn() {
        if (!hasTurned) {
            hasTurned = true; // written before the observer is read: see EventLoop.observer
        }
        active = observer;
    }

    /** Called before the loop waits. */
    void beginWait() {
        if (active != null || FlightEvents.recordsStalls()) {
            waitStartedNanos = clock.nanoTime();
            isWaiting = true;
        }
    }

    /** Called when the wait is over, if no event was first. */
    void endWait() {
        if (isWaiting) {
            isWaiting = false;
            workStartedNanos = clock.nanoTime();
            work = FlightEvents.recordsStalls() ? FlightEvents.beginWork() : null;
        }
    }

    /**
     * Called after a turn, outside of it: the observer may make the loop stand still.
     *
     * @return what the observer has thrown in this turn, or null
     */
    @Nullable
    RuntimeException endTurn(int done) {
        LoopObserver current = active;
        Object worked = work;
        active = null;
        if (worked != null) {
            work = null;
            FlightEvents.endWork(worked, loop, done);
        }
        boolean isNew = current == null;
        if (isNew) {
            current = observer; // attached during this turn, which it has ended
        }
        if (current != null) {
            try {
                current.turned(loop, isNew ? 0 : workStartedNanos - waitStartedNanos,
                        isNew ? 0 : clock.nanoTime() - workStartedNanos, done);
            } catch (RuntimeException e) {
                failed(e);
            }
        }
        RuntimeException thrown = failure;
        failure = null;
        return thrown;
    }

    private void failed(RuntimeException e) {
        failure = e;
        active = null;
        observer = null;
    }

    // ---- ends

    /**
     * Keeps the end of a connection.
     *
     * @param failure the error that ended it, or null
     */
    void closed(long handle, @Nullable InetSocketAddress remote, CloseReason reason, @Nullable IOException failure,
            boolean isReset,
            long bytesIn, long bytesOut) {
        ClosedConnection closed = new ClosedConnection(id(loop, handle), remote, loop, reason,
                failure == null ? null : failure.getMessage(), isReset, bytesIn, bytesOut, Duration.ZERO);
        synchronized (ends) {
            ends[(int) (endCount++ % CLOSED_MAX)] = new End(closed, clock.nanoTime());
        }
    }

    /** Returns the ends of the last connections, the newest first. Any thread. */
    List<ClosedConnection> recentlyClosed() {
        List<ClosedConnection> newestFirst = new ArrayList<>();
        long now = clock.nanoTime();
        synchronized (ends) {
            for (long i = endCount - 1; i >= Math.max(0, endCount - CLOSED_MAX); i--) {
                End end = ends[(int) (i % CLOSED_MAX)];
                if (end != null) {
                    newestFirst.add(end.after(Duration.ofNanos(Math.max(0, now - end.nanos()))));
                }
            }
        }
        return newestFirst;
    }
}
