package io.trivet.server;

import io.trivet.net.Clock;
import io.trivet.observe.CloseReason;
import io.trivet.observe.LoopStats;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * The counters of one loop. Only the loop thread writes them, with opaque stores, which cost no fence; any thread may read them.
 * {@link #SESSION_MEMORY} is the exception: any thread writes it. Where something is counted, an observer may want to know of it,
 * so the loop's {@link #trace} is here, too.
 */
@SuppressWarnings("EnumOrdinal") // reasons are counted by ordinal, and never leave this class as numbers
final class Counters {
    static final int TURNS = 0;
    static final int COMPLETIONS = 1;
    static final int ACCEPTED = 2;
    static final int ACCEPT_FAILURES = 3;
    static final int MESSAGES_IN = 4;
    static final int MESSAGES_OUT = 5;
    static final int BYTES_IN = 6;
    static final int BYTES_OUT = 7;
    static final int CLOSED = 8;
    static final int DROPPED = 9;
    static final int TASKS = 10;
    /** Direct memory of buffers, in bytes: held by send queues, held as undelivered input, kept for reuse. */
    static final int SEND_MEMORY = 11;

    static final int INPUT_MEMORY = 12;
    static final int SPARE_MEMORY = 13;
    /** Heap memory of messages on their way between the loop and its sessions, in bytes. Changed by {@link #addFromAnyThread}. */
    static final int SESSION_MEMORY = 14;
    static final int REFUSED = 15;
    /** Memory for unsent bytes in the proactor, in bytes. */
    static final int PROACTOR_MEMORY = 16;
    /** The first of the counters of closed connections by reason. */
    private static final int CLOSED_BY = 17;
    private static final CloseReason[] REASONS = CloseReason.values();
    private static final int COUNT = CLOSED_BY + REASONS.length;
    /** A cache line before the first counter and one after the last, against false sharing with neighbours in memory. */
    private static final int PADDING = 8;

    private final AtomicLongArray values = new AtomicLongArray(PADDING + COUNT + PADDING);

    final LoopTrace trace;

    Counters(int loop, Clock clock) {
        trace = new LoopTrace(loop, clock);
    }

    void add(int counter, long count) {
        values.setOpaque(PADDING + counter, values.getPlain(PADDING + counter) + count);
    }

    /** Adds to a counter that other threads change, too: {@link #SESSION_MEMORY}. */
    void addFromAnyThread(int counter, long count) {
        values.getAndAdd(PADDING + counter, count);
    }

    long value(int counter) {
        return values.getOpaque(PADDING + counter);
    }

    /** Counts a closed connection. */
    void addClosed(CloseReason reason) {
        add(CLOSED, 1);
        add(CLOSED_BY + reason.ordinal(), 1);
    }

    /** Adds the number of closed connections to the sums of each reason. Any thread. */
    void addClosedTo(Map<CloseReason, Long> sums) {
        for (CloseReason reason : REASONS) {
            long closed = value(CLOSED_BY + reason.ordinal());
            if (closed > 0) {
                sums.merge(reason, closed, Long::sum);
            }
        }
    }

    LoopStats stats(int connections) {
        return new LoopStats(connections, value(TURNS), value(COMPLETIONS), value(ACCEPTED), value(ACCEPT_FAILURES),
                value(REFUSED), value(MESSAGES_IN),
                value(MESSAGES_OUT), value(BYTES_IN), value(BYTES_OUT), value(CLOSED), value(DROPPED), value(TASKS));
    }
}
