package io.trivet.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A send that is pending: its memory may not be touched before it has completed, or the connection is gone. Either a batch, whose staging
 * buffer was lent (the received memory is the proactor's to keep); or a backlog, which newer messages do not join.
 *
 * @param messages the messages of a batch
 * @param bytes their bytes
 * @param staging a batch's staging buffer; null for a backlog
 * @param backlog a backlog; null for a batch
 */
record InFlight(int messages, long bytes, @Nullable ByteBuffer staging, @Nullable Backlog backlog) {
    static InFlight ofBatch(int messages, long bytes, ByteBuffer staging) {
        return new InFlight(messages, bytes, staging, null);
    }

    static InFlight ofBacklog(Backlog backlog) {
        return new InFlight(0, 0, null, backlog);
    }

    /** Gives the memory back. */
    void release(BufferPool pool) {
        if (staging != null) {
            pool.giveBack(staging);
        }
        if (backlog != null) {
            backlog.clear();
        }
    }
}
