package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.net.Proactor;

/**
 * Keeps connections open whose deadlines have passed only because the process or a handler has stalled. After a stall, bytes of
 * many peers are still in the kernel, so these peers are not late. A deadline therefore counts as over only if it had passed when
 * the last poll started, and if everything that had arrived by then was received. One thread.
 */
final class StallGuard {
    /**
     * While the proactor is behind, overdue connections stay open for up to this number of completions per connection. By then,
     * every connection has had its share. Even if a server is always behind, its deadlines must be enforced.
     */
    private static final int COMPLETIONS_MAX = 32;
    /**
     * While the proactor is behind, overdue connections stay open for up to this number of polls without a completion. On a ring,
     * a call may yield nothing but completions of the ring's internal operations.
     */
    private static final int FRUITLESS_POLLS_MAX = 12;

    private final Proactor proactor;
    private final TurnClock clock;
    private final ConnectionTable table;
    /** True if there was a deadline when the last poll started. Otherwise the clock was not read. */
    private boolean isAwaited;

    private long pollStartedNanos;
    private int completions;
    /** The number of completions since a deadline was first postponed. A poll without a completion counts as several. */
    private long seen;

    StallGuard(Proactor proactor, TurnClock clock, ConnectionTable table) {
        this.proactor = proactor;
        this.clock = clock;
        this.table = table;
    }

    /** Called before a poll, with the next deadline of a peer. */
    void beforePoll(long deadlineNanos) {
        isAwaited = deadlineNanos != Loop.NO_DEADLINE;
        pollStartedNanos = isAwaited ? clock.nanoTime() : 0;
    }

    /** Called after a poll, with the number of completions that it has delivered. */
    void afterPoll(int delivered) {
        completions = delivered;
    }

    /** Returns the time with which deadlines are compared: the start of the last poll. */
    long judgeByNanos() {
        return pollStartedNanos;
    }

    /** Returns true if a deadline is over. Returns false as long as more may have arrived than was received. */
    boolean isOver(long deadlineNanos) {
        if (!isAwaited || !Deadline.isOver(deadlineNanos, pollStartedNanos)) {
            seen = 0;
            return false;
        }
        long seenMax = (long) COMPLETIONS_MAX * (table.load() + 1);
        if (proactor.isBehind() && seen < seenMax) {
            seen += completions > 0 ? completions : seenMax / FRUITLESS_POLLS_MAX + 1;
            return false;
        }
        seen = 0;
        return true;
    }
}
