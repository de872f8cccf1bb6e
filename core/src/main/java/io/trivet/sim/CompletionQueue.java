package io.trivet.sim;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The completion queue of a ring. Completions of one connection are delivered in order. Completions of different connections may
 * overtake each other. A fault can delay a completion, or make the queue overflow: a later poll then delivers the rest.
 */
final class CompletionQueue {
    /** The kind of a completion. */
    enum Kind {
        /** Bytes were received into a buffer. */
        RECEIVED,
        /** The multishot receive has ended: no buffer was free, it was cancelled, or it ended by itself. */
        RECEIVE_ENDED, INPUT_ENDED, FAILED,
        /** A send has ended: the bytes that fit were sent, or it was cancelled. */
        SENT,
        /** The socket has room for another send. */
        ROOM, CONNECTED
    }

    /** One completion; reused. */
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

        /** Returns the ring buffer of a {@link Kind#RECEIVED} completion. */
        int buffer() {
            return buffer;
        }

        /** Returns the number of bytes of a {@link Kind#RECEIVED} completion. */
        int bytes() {
            return bytes;
        }

        /** Returns the cause of a {@link Kind#FAILED} completion. */
        IOException failure() {
            return Objects.requireNonNull(failure);
        }

        /** Drops the references after the delivery. */
        void clear() {
            connection = null;
            failure = null;
        }
    }

    private final Kernel kernel;
    private final FaultInjector faults;
    private final RingSchedule schedule;
    private @Nullable Entry[] entries = new @Nullable Entry[32];
    private int size;

    // The state of one delivery.

    /** The next entry to deliver. */
    private int at;
    /** The number of entries when the delivery started. Entries that are posted during it wait for the next delivery. */
    private int count;
    /** The number of entries held back so far; they are moved to the front. */
    private int kept;
    private boolean overflows;

    CompletionQueue(SimHost host, RingSchedule schedule) {
        kernel = host.kernel;
        faults = host.faults;
        this.schedule = schedule;
    }

    boolean isEmpty() {
        return size == 0;
    }

    // Posting.

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
            connection.notBeforeNanos = Math.max(connection.notBeforeNanos, schedule.drawLateTime(Fault.COMPLETION_LATE));
        }
        entry.connection = connection;
        entry.kind = kind;
        entry.notBeforeNanos = connection.notBeforeNanos;
        entry.failure = null;
        connection.undelivered++;
        return entry;
    }

    // Delivering.

    /** Starts a delivery of the completions posted so far. */
    void beginDelivery() {
        at = 0;
        count = size;
        kept = 0;
        overflows = false;
    }

    /** Returns the next completion to deliver; null if none is left, or all others are held back. */
    @Nullable
    Entry next() {
        while (at < count) {
            Entry entry = Objects.requireNonNull(entries[at]);
            RingConnection connection = entry.connection();
            overflows = overflows || faults.happens(Fault.COMPLETIONS_OVERFLOW);
            if (!overflows && !connection.heldBack && entry.notBeforeNanos <= kernel.now()) {
                at++;
                connection.undelivered--;
                return entry;
            }
            connection.heldBack = true;
            schedule.wakeAt(entry.notBeforeNanos);
            keep(at++);
        }
        return null;
    }

    /** Ends a delivery and removes what was delivered. */
    void endDelivery() {
        // The callbacks post only the ends of cancelled receives, which follow the earlier entries.
        for (int i = count; i < size; i++) {
            keep(i);
        }
        size = kept;
        for (int i = 0; i < kept; i++) {
            Objects.requireNonNull(entries[i]).connection().heldBack = false;
        }
        if (overflows) {
            schedule.pollAgain();
        }
    }

    /** Moves an entry to the end of those held back. The delivered entry that was there takes its place, for reuse. */
    private void keep(int index) {
        Entry entry = entries[index];
        entries[index] = entries[kept];
        entries[kept++] = entry;
    }
}
