package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.Proactor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The slots of a ring: which connection a handle means, and when a slot is free again. */
final class RingSlots {
    private final RingAgenda agenda;
    private final List<RingConnection> slots = new ArrayList<>();
    private final List<RingConnection> free = new ArrayList<>();
    private final List<RingConnection> gone = new ArrayList<>();

    RingSlots(RingAgenda agenda) {
        this.agenda = agenda;
    }

    RingConnection add(SimTcpStream stream) {
        RingConnection connection;
        if (free.isEmpty()) {
            connection = new RingConnection(slots.size(), agenda);
            slots.add(connection);
        } else {
            connection = free.removeLast();
        }
        connection.stream = stream;
        stream.end.watch(connection);
        agenda.touch(connection);
        return connection;
    }

    /** Null: the handle is stale, or was closed. */
    @Nullable
    RingConnection find(long handle) {
        int slot = Proactor.slot(handle);
        RingConnection connection = slot < slots.size() ? slots.get(slot) : null;
        return connection != null && connection.isMeantBy(handle) ? connection : null;
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

    /** Of a slot; it may be free. */
    RingConnection get(int slot) {
        return slots.get(slot);
    }

    /** The kernel has let go of the connection: its descriptor is closed, and that is the end. */
    void remove(RingConnection connection) {
        connection.gone = true;
        close(connection);
        gone.add(connection);
    }

    void close(RingConnection connection) {
        SimTcpStream stream = connection.stream();
        stream.end.unwatch(connection);
        stream.close();
    }

    int tellGone(Completions completions) {
        int told = 0;
        for (int i = 0; i < gone.size(); i++) { // telling may close further ones
            RingConnection connection = gone.get(i);
            told++;
            completions.closed(connection.handle());
            connection.clear();
            free.add(connection); // only now: the caller has let go of the slot
        }
        gone.clear();
        return told;
    }
}
