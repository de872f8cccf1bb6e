package io.trivet.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A send that the proactor has not completed. Its memory must not be changed until it has completed or the connection has been
 * released.
 *
 * <p>It is either a batch, whose staged bytes stay where they were put together (the received memory belongs to the proactor
 * anyway), or a send queue, to which no further messages are added meanwhile. Objects are reused, since on a ring every send is
 * pending for a moment.
 */
final class PendingSend {
    private static final int[] NONE = {};

    private int messages;
    private long bytes;
    private long startedNanos;
    private @Nullable StagingBuffer staging;
    /** The received memory, which contains the parts of a batch that were not staged. */
    private @Nullable ByteBuffer received;
    private int rangeCount;
    /** The start and the end of each part of a batch. The start of a staged part is stored as its bitwise complement. */
    private int[] ranges = NONE;
    /** The length of each message of a batch. */
    private int[] lengths = NONE;
    private @Nullable SendQueue queue;

    /** Makes this the pending send of a batch. */
    PendingSend ofBatch(ReplyBatch batch, long nowNanos) {
        messages = batch.messages();
        bytes = batch.bytes();
        startedNanos = nowNanos;
        staging = batch.retain();
        received = batch.received();
        rangeCount = batch.partCount();
        ranges = batch.ranges(ranges);
        lengths = batch.lengths(lengths);
        queue = null;
        return this;
    }

    /**
     * Makes this represent bytes that the proactor has accepted for sending and not yet sent. The loop itself has no send
     * pending.
     */
    PendingSend ofUnsentBytes(long nowNanos) {
        return ofQueue(null, 0, nowNanos);
    }

    /** Makes this the pending send of a queue's first bytes. */
    PendingSend ofQueue(@Nullable SendQueue pending, long offered, long nowNanos) {
        messages = 0;
        bytes = offered;
        startedNanos = nowNanos;
        staging = null;
        received = null;
        queue = pending;
        return this;
    }

    /**
     * Copies the bytes of a batch that the socket did not accept to a lane.
     *
     * @return the number of messages that were sent whole
     */
    int spill(long taken, Lane lane) {
        int completed = ReplyBatch.beginRest(lengths, messages, taken, lane);
        long skip = taken;
        for (int i = 0; i < rangeCount; i++) {
            int begin = ranges[2 * i];
            boolean isStaged = begin < 0;
            ByteBuffer memory = isStaged && staging != null ? staging.memory : received;
            begin = isStaged ? ~begin : begin;
            int end = ranges[2 * i + 1];
            int skipped = (int) Math.min(skip, end - begin);
            skip -= skipped;
            if (memory != null) {
                lane.put(memory.duplicate().clear().limit(end).position(begin + skipped), startedNanos);
            }
        }
        return completed;
    }

    /** Returns the number of messages of a batch. */
    int messages() {
        return messages;
    }

    /** Returns the bytes of a batch, or the bytes of a queue that were offered to the proactor. */
    long bytes() {
        return bytes;
    }

    /** Returns the staging buffer of a batch; null if nothing was staged, or it is a queue. */
    @Nullable
    StagingBuffer staging() {
        return staging;
    }

    /** Returns the queue, or null for a batch. */
    @Nullable
    SendQueue queue() {
        return queue;
    }

    /** Returns when the oldest message was accepted, or one accepted soon after it. */
    long sinceNanos() {
        SendQueue of = queue;
        return of == null ? startedNanos : of.sinceNanos();
    }

    /** Returns when the peer last accepted bytes, or when the first message was accepted. */
    long progressNanos() {
        SendQueue of = queue;
        return of == null ? startedNanos : of.progressNanos;
    }
}
