package io.trivet.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A send that is pending: its memory may not be touched before it has completed, or the connection is gone. Either a batch, whose staging
 * buffer was lent (the received memory is the proactor's to keep); or a backlog, which newer messages do not join.
 *
 * @param messages the messages of a batch
 * @param bytes their bytes
 * @param begunNanos when the send began
 * @param staging a batch's staging buffer; null for a backlog
 * @param backlog a backlog; null for a batch
 */
record InFlight(int messages, long bytes, long begunNanos, @Nullable ByteBuffer staging, @Nullable Backlog backlog) {
    static InFlight ofBatch(int messages, long bytes, long begunNanos, ByteBuffer staging) {
        return new InFlight(messages, bytes, begunNanos, staging, null);
    }

    static InFlight ofBacklog(Backlog backlog, long begunNanos) {
        return new InFlight(0, 0, begunNanos, null, backlog);
    }

    /** When its oldest message came, to within those that came with it. */
    long sinceNanos() {
        return backlog == null ? begunNanos : backlog.sinceNanos();
    }

    /** When the peer last took something, or the first message came. */
    long progressNanos() {
        return backlog == null ? begunNanos : backlog.progressNanos;
    }
}
