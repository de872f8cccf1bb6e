package io.trivet.view;

import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ReadState;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A connection as the view shows it: a snapshot, and what follows from the one before.
 *
 * @param now the snapshot
 * @param readSince since when it is in the list of readable sockets, or is not
 * @param writeSince since when it is in the list of writable sockets, or is not
 * @param inRate bytes received in a second
 * @param outRate bytes sent in a second
 */
record Row(ConnectionSnapshot now, Since readSince, Since writeSince, double inRate, double outRate) {
    /** A peer for which bytes wait, and that accepts none for this long, is slow. */
    private static final Duration SLOW_AFTER = Duration.ofSeconds(1);

    /**
     * When something began.
     *
     * @param nanos by {@link System#nanoTime}
     * @param exact false: it was so when the view saw it first, so it may have begun long before
     */
    record Since(long nanos, boolean exact) {}

    /**
     * Returns the row of a connection.
     *
     * @param before the row of the sample before, or null
     * @param elapsedNanos the time since that sample
     * @param isFirst true if there was no sample before: the connection may be old
     */
    static Row of(ConnectionSnapshot now, @Nullable Row before, long nanos, long elapsedNanos, boolean isFirst) {
        if (before == null) {
            Since since = new Since(nanos, !isFirst);
            // A peer that accepts nothing keeps its socket in the list: the server knows for how long, even if the view was not open.
            Since writeSince = isFirst && now.writable() ? new Since(nanos - now.sinceProgress().toNanos(), false) : since;
            return new Row(now, since, writeSince, 0, 0);
        }
        double seconds = Math.max(elapsedNanos, 1) / 1e9;
        return new Row(now,
                now.readable() == before.now.readable() ? before.readSince : new Since(nanos, true),
                now.writable() == before.now.writable() ? before.writeSince : new Since(nanos, true),
                Math.max(0, now.bytesIn() - before.now.bytesIn()) / seconds,
                Math.max(0, now.bytesOut() - before.now.bytesOut()) / seconds);
    }

    /** Returns true if the peer reads more slowly than the server sends: its queue pauses reading, or it accepts nothing. */
    boolean isSlow() {
        return now.readState() == ReadState.PAUSED_BY_QUEUE
                || (now.writable() && now.queueBytes() > 0 && now.sinceProgress().compareTo(SLOW_AFTER) >= 0);
    }

    long id() {
        return now.id();
    }
}
