package io.trivet.server;

import io.trivet.net.Proactor;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The pending send of each connection of a loop, by slot. It is not part of {@link ColdState}, since on a ring every message is
 * pending for a moment; nor of {@link ConnectionRecord}, where every idle connection would pay for it. The table stays empty
 * where no send is ever pending. One thread, except {@link #get},
 * {@link #oldestAgeNanos} and {@link #sinceProgressNanos}.
 */
final class PendingSends {
    private @Nullable PendingSend[] bySlot = new @Nullable PendingSend[0];
    private final ArrayDeque<PendingSend> spare = new ArrayDeque<>();

    /** Returns the pending send of a connection, or null. Any thread: it may be out of date. */
    @Nullable
    PendingSend get(ConnectionRecord connection) {
        int slot = Proactor.slot(connection.handle);
        @Nullable PendingSend[] all = bySlot;
        return slot >= 0 && slot < all.length ? all[slot] : null;
    }

    void put(ConnectionRecord connection, PendingSend send) {
        int slot = Proactor.slot(connection.handle);
        if (slot >= bySlot.length) {
            bySlot = Arrays.copyOf(bySlot, Math.max(slot + 1, bySlot.length * 2));
        }
        bySlot[slot] = send;
    }

    void remove(ConnectionRecord connection) {
        int slot = Proactor.slot(connection.handle);
        if (slot < bySlot.length) {
            bySlot[slot] = null;
        }
    }

    /** Returns an object to describe a send with. */
    PendingSend create() {
        PendingSend reused = spare.pollLast();
        return reused == null ? new PendingSend() : reused;
    }

    /** Keeps the object of a completed send for reuse. */
    void recycle(PendingSend completed) {
        spare.addLast(completed);
    }

    /** Returns true if bytes wait for the peer. */
    boolean isWaiting(ConnectionRecord connection) {
        return get(connection) != null || connection.sendQueue() != null;
    }

    /**
     * Returns when the peer last accepted some of the bytes that wait for it, or when they started to wait. Requires
     * {@link #isWaiting}.
     */
    long progressNanos(ConnectionRecord connection) {
        PendingSend pending = get(connection);
        return pending != null ? pending.progressNanos() : Objects.requireNonNull(connection.sendQueue()).progressNanos;
    }

    /** Returns how long the oldest message has waited, in nanoseconds; 0 if none waits. Any thread. */
    long oldestAgeNanos(ConnectionRecord connection, TurnClock clock) {
        PendingSend pending = get(connection);
        SendQueue waiting = connection.sendQueue(); // read once: the next read may return null
        return pending != null ? clock.sinceNanos(pending.sinceNanos()) : waiting != null ? clock.sinceNanos(waiting.sinceNanos())
                : 0;
    }

    /** Returns how long the peer has accepted none of the bytes that wait for it, in nanoseconds; 0 if none wait. Any thread. */
    long sinceProgressNanos(ConnectionRecord connection, TurnClock clock) {
        PendingSend pending = get(connection);
        SendQueue waiting = connection.sendQueue(); // read once: the next read may return null
        return pending != null ? clock.sinceNanos(pending.progressNanos())
                : waiting != null ? clock.sinceNanos(waiting.progressNanos) : 0;
    }
}
