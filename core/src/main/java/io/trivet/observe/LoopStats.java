package io.trivet.observe;

/**
 * The counters of one loop since it began.
 *
 * @param connections the connections it has now
 * @param turns how often it went round
 * @param completions the completions it was told: bytes received, sends, accepts, …
 * @param accepted the connections accepted
 * @param acceptFailures the accepts that the kernel refused
 * @param messagesIn the messages given to handlers
 * @param messagesOut the messages taken from handlers
 * @param bytesIn the bytes received
 * @param bytesOut the bytes handed to the kernel
 * @param closed the connections closed
 * @param dropped the messages dropped by the policy DROP_OLDEST
 * @param tasks the tasks run for other threads
 */
public record LoopStats(int connections, long turns, long completions, long accepted, long acceptFailures, long messagesIn,
        long messagesOut, long bytesIn, long bytesOut, long closed, long dropped, long tasks) {
    /**
     * The sum of two loops' counters.
     *
     * @param other the other loop's
     * @return both together
     */
    public LoopStats plus(LoopStats other) {
        return new LoopStats(connections + other.connections, turns + other.turns, completions + other.completions,
                accepted + other.accepted, acceptFailures + other.acceptFailures, messagesIn + other.messagesIn,
                messagesOut + other.messagesOut, bytesIn + other.bytesIn, bytesOut + other.bytesOut, closed + other.closed,
                dropped + other.dropped, tasks + other.tasks);
    }
}
