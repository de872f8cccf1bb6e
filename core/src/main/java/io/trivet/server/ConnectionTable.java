package io.trivet.server;

import io.trivet.net.Proactor;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one loop, by the slot of their handle; and how many it has. The loop thread writes; other threads may
 * iterate, and may then see a connection that has just been removed.
 */
final class ConnectionTable {
    private volatile @Nullable ConnectionRecord[] bySlot = new @Nullable ConnectionRecord[64];
    /** Connections that connect by name and have no handle yet. Copied on each change. */
    private volatile ConnectionRecord[] withoutHandle = {};
    private final AtomicInteger load = new AtomicInteger();

    // ---- load: any thread

    /** Counts a connection that is on its way to this loop. */
    void expect() {
        load.incrementAndGet();
    }

    /** Uncounts a connection that was closed, or that was expected but does not arrive. */
    void uncount() {
        load.decrementAndGet();
    }

    /** Returns the number of connections, including those on their way to this loop. */
    int load() {
        return load.get();
    }

    // ---- entries

    /** Returns the connection with that handle, or null if it is closed or the handle is stale. */
    @Nullable
    ConnectionRecord get(long handle) {
        int slot = Proactor.slot(handle);
        ConnectionRecord connection = slot < bySlot.length ? bySlot[slot] : null;
        return connection == null || connection.handle != handle || connection.isClosed() ? null : connection;
    }

    /** Returns an upper bound (exclusive) of the slots in use. */
    int slots() {
        return bySlot.length;
    }

    /** Returns the open connection in a slot, or null. */
    @Nullable
    ConnectionRecord at(int slot) {
        ConnectionRecord connection = bySlot[slot];
        return connection == null || connection.isClosed() ? null : connection;
    }

    /** Returns the connections that have no handle yet; not to be changed. */
    ConnectionRecord[] withoutHandle() {
        return withoutHandle;
    }

    void put(ConnectionRecord connection) {
        int slot = Proactor.slot(connection.handle);
        if (slot >= bySlot.length) {
            bySlot = Arrays.copyOf(bySlot, Math.max(slot + 1, bySlot.length + bySlot.length / 2));
        }
        bySlot[slot] = connection;
    }

    /** Adds a connection that has no handle yet. */
    void putWithoutHandle(ConnectionRecord connection) {
        ConnectionRecord[] before = withoutHandle;
        ConnectionRecord[] after = Arrays.copyOf(before, before.length + 1);
        after[before.length] = connection;
        withoutHandle = after;
    }

    /** Removes a connection that was added without a handle. */
    @SuppressWarnings("ReferenceEquality") // this very connection
    void removeWithoutHandle(ConnectionRecord connection) {
        withoutHandle = Arrays.stream(withoutHandle).filter(other -> other != connection).toArray(ConnectionRecord[]::new);
    }

    /** Removes and returns the connection with that handle, closed or not; null if the handle is stale. */
    @Nullable
    ConnectionRecord remove(long handle) {
        int slot = Proactor.slot(handle);
        ConnectionRecord connection = slot < bySlot.length ? bySlot[slot] : null;
        if (connection == null || connection.handle != handle) {
            return null;
        }
        bySlot[slot] = null;
        return connection;
    }

    /**
     * Calls the consumer with each connection in the order of the slots, then with those that have no handle yet. Includes closed
     * connections that the proactor has not released yet.
     */
    void forEach(Consumer<ConnectionRecord> consumer) {
        for (ConnectionRecord connection : bySlot) {
            if (connection != null) {
                consumer.accept(connection);
            }
        }
        for (ConnectionRecord connection : withoutHandle) {
            consumer.accept(connection);
        }
    }

    /** Calls the consumer with each connection that is not closed, in the order of {@link #forEach}. */
    void forEachOpen(Consumer<ConnectionRecord> consumer) {
        forEach(connection -> {
            if (!connection.isClosed()) {
                consumer.accept(connection);
            }
        });
    }
}
