package io.trivet.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A send that is pending: its memory may not be touched before it has completed, or the connection is gone. Either a batch, which has left its
 * staged bytes where they were put together (the received memory is the proactor's to keep); or a backlog, which newer messages do not join.
 * Used again and again, since on a ring every send is pending for a moment.
 */
final class InFlight {
    private static final int[] NONE = {};

    private int messages;
    private long bytes;
    private long begunNanos;
    private Batch.@Nullable Staging staging;
    /** The received memory that a batch lies in, as far as it was not staged. */
    private @Nullable ByteBuffer received;
    private int rangeCount;
    /** Where the batch lies: begin and end of each part; the begin of one that was staged as its complement. */
    private int[] ranges = NONE;
    /** How long each message of the batch is. */
    private int[] lengths = NONE;
    private @Nullable Backlog backlog;

    InFlight batch(Batch batch, long nowNanos) {
        messages = batch.messages();
        bytes = batch.bytes();
        begunNanos = nowNanos;
        staging = batch.lend();
        received = batch.received();
        rangeCount = batch.partCount();
        ranges = batch.ranges(ranges);
        lengths = batch.lengths(lengths);
        backlog = null;
        return this;
    }

    /** No send of ours: what the proactor has called taken is on its way. */
    InFlight nothing(long nowNanos) {
        return backlog(null, 0, nowNanos);
    }

    InFlight backlog(@Nullable Backlog pending, long offered, long nowNanos) {
        messages = 0;
        bytes = offered;
        begunNanos = nowNanos;
        staging = null;
        received = null;
        backlog = pending;
        return this;
    }

    /** Copies what was not taken of a batch into a lane; how many messages have left whole. */
    int spill(long taken, Lane lane) {
        int gone = Batch.beginRest(lengths, messages, taken, lane);
        long skip = taken;
        for (int i = 0; i < rangeCount; i++) {
            int begin = ranges[2 * i];
            boolean isStaged = begin < 0;
            ByteBuffer memory = isStaged && staging != null ? staging.buffer : received;
            begin = isStaged ? ~begin : begin;
            int end = ranges[2 * i + 1];
            int skipped = (int) Math.min(skip, end - begin);
            skip -= skipped;
            if (memory != null) {
                lane.put(memory.duplicate().clear().limit(end).position(begin + skipped), begunNanos);
            }
        }
        return gone;
    }

    /** The messages of a batch. */
    int messages() {
        return messages;
    }

    /** The bytes of a batch, or those of a backlog that were offered. */
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
