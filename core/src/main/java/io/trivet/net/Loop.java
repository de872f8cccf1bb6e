package io.trivet.net;

import java.io.IOException;

/**
 * Provider interface (SPI): a loop that has to be turned repeatedly, such as a server's event loop. A simulated network turns the
 * loops that were {@linkplain Network#attach attached} to it; on a real network, threads turn them.
 *
 * <p><b>Threads.</b> One thread at a time.
 */
public interface Loop {
    /** The result of {@link #nextDeadline} if there is no deadline. */
    long NO_DEADLINE = Long.MAX_VALUE;

    /**
     * Runs one turn, without waiting.
     *
     * @return the amount of work done (events, timers, tasks); 0 if nothing was due
     * @throws IOException the loop cannot continue
     */
    int turn() throws IOException;

    /**
     * Returns the time at which the loop has work to do even if nothing arrives.
     *
     * @return a time of the network's {@link Clock} in nanoseconds, or {@link #NO_DEADLINE}
     */
    long nextDeadline();
}
