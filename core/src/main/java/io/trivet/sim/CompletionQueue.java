package io.trivet.sim;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The completion queue of a ring. The completions of one connection are delivered in order; those of different connections in any
 * order. A completion may be late, and one that found the queue full is delivered by a later poll; completions of other
 * connections overtake it.
 */
final class CompletionQueue {
    /** What has completed. */
    enum Kind {
        /** Bytes were received into a buffer. */
        RECEIVED,
        /** The multishot receive has ended: no buffer was free, it was cancelled, or it ended by itself. */
        RECEIVE_ENDED, INPUT_ENDED, FAILED,
        /** A send is done, as far as there was room, or was cancelled. */
        SENT,
        /** There is room to send again. */
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

        /** Returns the buffer of a {@link Kind#RECEIVED}. */
        int buffer() {
            return buffer;
        }

        /** Returns the number of bytes of a {@link Kind#RECEIVED}. */
        int bytes() {
            return bytes;
        }

        /** Returns the cause of a {@link Kind#FAILED}. */
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
    /** The number of entries at the start: what is posted during the delivery waits for the next. */
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

    /** Starts to deliver what has completed by now. */
    void beginDelivery() {
        at = 0;
        count = size;
        kept = 0;
        overflows = false;
    }

    /** Returns the next completion to deliver, or null if the others are held back. */
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
        // The callbacks post nothing but cancelled receives, which go behind what was there.
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

    /** Moves an entry behind those held back; a delivered entry takes its place, to be reused. */
    private void keep(int index) {
        Entry entry = entries[index];
        entries[index] = entries[kept];
        entries[kept++] = entry;
    }
}
