package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.Proactor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The slots of a ring: maps handles to connections, and reuses the slots of closed ones. */
final class RingSlots {
    private final RingSchedule schedule;
    private final List<RingConnection> slots = new ArrayList<>();
    private final List<RingConnection> free = new ArrayList<>();
    /** Closed connections whose completion {@code closed} has not been delivered yet. */
    private final List<RingConnection> removed = new ArrayList<>();

    RingSlots(RingSchedule schedule) {
        this.schedule = schedule;
    }

    RingConnection add(SimTcpStream stream) {
        RingConnection connection;
        if (free.isEmpty()) {
            connection = new RingConnection(slots.size(), schedule);
            slots.add(connection);
        } else {
            connection = free.removeLast();
        }
        connection.stream = stream;
        stream.end.watch(connection);
        schedule.visit(connection);
        return connection;
    }

    /** Returns the connection of a handle, or null if the handle is stale or the caller has closed it. */
    @Nullable
    RingConnection find(long handle) {
        int slot = Proactor.slot(handle);
        RingConnection connection = slot < slots.size() ? slots.get(slot) : null;
        return connection != null && connection.matches(handle) ? connection : null;
    }

    RingConnection open(long handle) {
        RingConnection connection = find(handle);
        if (connection == null) {
            throw new IllegalArgumentException("the handle is stale");
        }
        return connection;
    }

    int count() {
        return slots.size();
    }

    /** Returns the record of a slot, which may be free. */
    RingConnection get(int slot) {
        return slots.get(slot);
    }

    /** Called when the last operation of a closed connection has ended: closes the descriptor. */
    void remove(RingConnection connection) {
        connection.removed = true;
        close(connection);
        removed.add(connection);
    }

    void close(RingConnection connection) {
        SimTcpStream stream = connection.stream();
        stream.end.unwatch(connection);
        stream.close();
    }

    /** Delivers {@code closed} for the removed connections, and frees their slots. Returns the number delivered. */
    int deliverClosed(Completions completions) {
        int delivered = 0;
        for (int i = 0; i < removed.size(); i++) { // a callback may close further ones
            RingConnection connection = removed.get(i);
            delivered++;
            completions.closed(connection.handle());
            connection.clear();
            free.add(connection); // not earlier: the slot belongs to the caller until the callback returns
        }
        removed.clear();
        return delivered;
    }
}
