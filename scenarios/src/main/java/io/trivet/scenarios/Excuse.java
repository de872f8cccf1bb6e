package io.trivet.scenarios;

/**
 * Why a checker accepts what would otherwise be a failure: it cannot know better. The table of {@code trivet sim} counts how often each
 * was used. For each there is a bug in {@code src/test/mutants} that it must not hide: see the table in {@code docs/coverage.md}.
 */
enum Excuse {
    /** A client that the server accepted itself had been reset before: whether it counts for the limits is not visible. */
    ADMITTED_UNSEEN,
    /** A client was never served, and its server is ending. */
    SERVER_ENDS,
    /** A client was never served, and a fault of the network has affected its connect. */
    CONNECT_FAULT,
    /** A connect has timed out, and the backlog may have been full all the time. */
    BACKLOG_FULL,
    /** A server's connect has failed, and its host may have had no descriptor. */
    NO_DESCRIPTOR,
    /** A queue is full, or holds other bytes than expected, and a broadcast that could not be observed may be in it. */
    UNSEEN_BROADCAST,
    /** A connection is over the budget, and an upper bound of all queues is. */
    BUDGET_BOUND,
    /** Messages are missing, and the connection may have dropped them, but no callback could report it. */
    DROPS_UNREPORTED,
    /** A message has the wrong length or place, and an urgent byte may be part of it. */
    URGENT_MIXED,
    /** A deadline has passed, and the proactor has not delivered everything that has arrived. */
    BEHIND,
    /** Nothing arrives, and a fault delays what was sent. */
    LINK_STALLED,
    /** The last urgent byte was not delivered, and the call that would have returned it was interrupted. */
    URGENT_INTERRUPTED,
    /**
     * A client at a Unix domain socket has read an end of input, and what was queued for it is missing: its server has cut the connection,
     * and cannot reset it.
     */
    UNIX_CUT,
    /** A cancel returns false, and the connection's end may have dropped the timer. */
    TIMER_DROPPED
}
