package io.trivet.observe;

/**
 * The counters of one event loop. All but {@code connections} count from the creation of the loop and never decrease.
 *
 * @param connections the current number of connections, those still connecting included
 * @param turns the number of turns of the loop
 * @param completions the number of completions handled: receives, sends, accepts and others
 * @param accepted the number of accepted connections
 * @param acceptFailures the number of failed accept calls, without those that were repeated while accepting was paused
 * @param refused the number of accepted connections that were refused because of their address: by an access list, or since too
 *     many came from it
 * @param messagesIn the number of messages delivered to handlers
 * @param messagesOut the number of messages accepted for sending
 * @param bytesIn the number of bytes received
 * @param bytesOut the number of bytes accepted by the kernel for sending
 * @param closed the number of closed connections
 * @param dropped the number of queued messages dropped by the overflow policy DROP_OLDEST
 * @param tasks the number of tasks executed, which other threads had submitted
 */
public record LoopStats(int connections, long turns, long completions, long accepted, long acceptFailures, long refused,
        long messagesIn, long messagesOut, long bytesIn, long bytesOut, long closed, long dropped, long tasks) {
    /**
     * Returns the sum of these counters and another loop's.
     *
     * @param other the counters to add
     * @return the sum of each counter
     */
    public LoopStats plus(LoopStats other) {
        return new LoopStats(connections + other.connections, turns + other.turns, completions + other.completions,
                accepted + other.accepted, acceptFailures + other.acceptFailures, refused + other.refused,
                messagesIn + other.messagesIn,
                messagesOut + other.messagesOut, bytesIn + other.bytesIn, bytesOut + other.bytesOut, closed + other.closed,
                dropped + other.dropped, tasks + other.tasks);
    }
}
