package io.trivet.server;

import org.jspecify.annotations.Nullable;

/**
 * A send that is pending: its memory may not be touched before it has completed, or the connection is gone. Either a batch, which has left its
 * staged bytes where they were put together (the received memory is the proactor's to keep); or a backlog, which newer messages do not join.
 * Used again and again, since on a ring every send is pending for a moment.
 */
final class InFlight {
    private int messages;
    private long bytes;
    private long begunNanos;
    private Batch.@Nullable Staging staging;
    private @Nullable Backlog backlog;

    InFlight batch(int messagesOfIt, long bytesOfIt, long nowNanos, Batch.@Nullable Staging lent) {
        messages = messagesOfIt;
        bytes = bytesOfIt;
        begunNanos = nowNanos;
        staging = lent;
        backlog = null;
        return this;
    }

    InFlight backlog(Backlog pending, long nowNanos) {
        messages = 0;
        bytes = 0;
        begunNanos = nowNanos;
        staging = null;
        backlog = pending;
        return this;
    }

    /** The messages of a batch. */
    int messages() {
        return messages;
    }

    /** The bytes of a batch. */
    long bytes() {
        return bytes;
    }

    /** Where a batch has staged bytes; null: nowhere, or it is a backlog. */
    Batch.@Nullable Staging staging() {
        return staging;
    }

    /** The backlog; null for a batch. */
    @Nullable
    Backlog backlog() {
        return backlog;
    }

    /** When its oldest message came, to within those that came with it. */
    long sinceNanos() {
        Backlog of = backlog;
        return of == null ? begunNanos : of.sinceNanos();
    }

    /** When the peer last took something, or the first message came. */
    long progressNanos() {
        Backlog of = backlog;
        return of == null ? begunNanos : of.progressNanos;
    }
}
