package io.trivet.net;

import java.io.IOException;

/**
 * Something that must be turned again and again: a server's event loop. A simulated network turns the loops that were
 * {@linkplain Network#attach attached} to it; a real network leaves that to threads.
 */
public interface Loop {
    /** {@link #nextDeadline} when there is none. */
    long NO_DEADLINE = Long.MAX_VALUE;

    /**
     * Goes round once, without waiting.
     *
     * @return how much was done (events, timers, tasks); 0: nothing was due
     * @throws IOException the loop cannot go on
     */
    int turn() throws IOException;

    /**
     * When the loop has something to do even if nothing arrives.
     *
     * @return a time of the network's {@link Clock}, in nanoseconds, or {@link #NO_DEADLINE}
     */
    long nextDeadline();
}
