package io.trivet.sim;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The completion queue of a ring: what has completed, in order for each connection, and in no certain order between them. A completion may be
 * late, and one that found the queue full comes with a later poll; those of other connections pass it by.
 */
final class CompletionQueue {
    /** What has completed. */
    enum Kind {
        /** Bytes in a buffer. */
        RECEIVED,
        /** The receive has ended: no buffer was free, it was cancelled, or it ended by itself. */
        RECEIVE_ENDED, INPUT_ENDED, FAILED,
        /** A pending send has gone out, as far as there was room, or was cancelled. */
        SENT,
        /** There is room again. */
        ROOM, CONNECTED
    }

    /** One entry; used again and again. */
    static final class Entry {
        private @Nullable RingConnection connection;
        private Kind kind = Kind.ROOM;
        private int buffer;
        private int bytes;
        private @Nullable IOException failure;
        private long notBeforeNanos;

        RingConnection connection() {
            return Objects.requireNonNull(connection);
        }

        Kind kind() {
            return kind;
        }

        /** Of what was received: where it lies. */
        int buffer() {
            return buffer;
        }

        /** Of what was received: how much it is. */
        int bytes() {
            return bytes;
        }

        /** Of what has failed: why. */
        IOException failure() {
            return Objects.requireNonNull(failure);
        }

        /** It was told. */
        void clear() {
            connection = null;
            failure = null;
        }
    }

    private final Kernel kernel;
    private final Faults faults;
    private final RingAgenda agenda;
    private @Nullable Entry[] entries = new @Nullable Entry[32];
    private int size;

    // While it is gone through.

    /** The next entry to look at, of so many: what is posted meanwhile is not. */
    private int at;
    private int count;
    /** Those held back so far; they stand at the front. */
    private int kept;
    private boolean overflows;

    CompletionQueue(SimHost host, RingAgenda agenda) {
        kernel = host.kernel;
        faults = host.faults;
        this.agenda = agenda;
    }

    boolean isEmpty() {
        return size == 0;
    }

    // Completing.

    void post(RingConnection connection, Kind kind) {
        add(connection, kind);
    }

    void postReceived(RingConnection connection, int buffer, int bytes) {
        Entry entry = add(connection, Kind.RECEIVED);
        entry.buffer = buffer;
        entry.bytes = bytes;
    }

    void postFailed(RingConnection connection, IOException failure) {
        add(connection, Kind.FAILED).failure = failure;
    }

    private Entry add(RingConnection connection, Kind kind) {
        if (size == entries.length) {
            entries = Arrays.copyOf(entries, size * 2);
        }
        Entry entry = entries[size];
        if (entry == null) {
            entry = new Entry();
            entries[size] = entry;
        }
        size++;
        if (faults.happens(Fault.COMPLETION_LATE)) {
            connection.notBeforeNanos = Math.max(connection.notBeforeNanos, agenda.drawTime(Fault.COMPLETION_LATE));
        }
        entry.connection = connection;
        entry.kind = kind;
        entry.notBeforeNanos = connection.notBeforeNanos;
        entry.failure = null;
        connection.waiting++;
        return entry;
    }

    // Telling.

    /** Begins to go through what has completed by now. */
    void begin() {
        at = 0;
        count = size;
        kept = 0;
        overflows = false;
    }

    /** The next one to be told; null: the others are held back. */
    @Nullable
    Entry next() {
        while (at < count) {
            Entry entry = Objects.requireNonNull(entries[at]);
            RingConnection connection = entry.connection();
            overflows = overflows || faults.happens(Fault.COMPLETIONS_OVERFLOW);
            if (!overflows && !connection.held && entry.notBeforeNanos <= kernel.now()) {
                at++;
                connection.waiting--;
                return entry;
            }
            connection.held = true;
            agenda.remind(entry.notBeforeNanos);
            keep(at++);
        }
        return null;
    }

    /** Lets go of those that were told. */
    void end() {
        // Nothing is posted by what is called back, but for cancelled receives: these stand behind what was there.
        for (int i = count; i < size; i++) {
            keep(i);
        }
        size = kept;
        for (int i = 0; i < kept; i++) {
            Objects.requireNonNull(entries[i]).connection().held = false;
        }
        if (overflows) {
            agenda.again();
        }
    }

    /** Puts one behind those held back, and one that was told in its place, to be used again. */
    private void keep(int index) {
        Entry entry = entries[index];
        entries[index] = entries[kept];
        entries[kept++] = entry;
    }
}
