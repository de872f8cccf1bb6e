package io.trivet.server;

import io.trivet.net.Loop;
import io.trivet.net.Proactor;

/**
 * Decides by which time deadlines are judged. After a stall, of the process or of a handler, the bytes of many peers lie in the
 * kernel: these peers are not late. So a deadline counts as over only if it was over when the last poll started, and once
 * everything that had arrived by then was seen. One thread.
 */
final class StallGuard {
    /**
     * The completions, per connection, for which overdue connections are spared while the proactor is behind. By then, every
     * connection has had its share. On a server that is always behind, deadlines must still be met.
     */
    private static final int COMPLETIONS_MAX = 32;
    /**
     * The polls without a completion for which they are spared: on a ring, a call may yield completions of none but its own
     * operations.
     */
    private static final int FRUITLESS_POLLS_MAX = 12;

    private final Proactor proactor;
    private final TurnClock clock;
    private final ConnectionTable table;
    /** True if there was a deadline when the last poll started. Otherwise, the clock was not read. */
    private boolean isAwaited;

    private long pollStartedNanos;
    private int completions;
    /** The completions since overdue connections are spared; polls without any count, too. */
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

    /** Returns the time by which deadlines are judged: that of the last poll's start. */
    long judgeByNanos() {
        return pollStartedNanos;
    }

    /** Returns true if a deadline is over, and is not spared because more may have arrived than was seen. */
    boolean isOver(long deadlineNanos) {
        if (!isAwaited || !Deadline.isOver(deadlineNanos, pollStartedNanos)) {
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
