package io.trivet.observe;

import java.util.List;

/**
 * The counters of a server.
 *
 * @param total the sum over all loops
 * @param loops the counters of each loop, by its index
 * @param queueBytes bytes held for all connections together: their send queues, and received input that is not delivered yet
 * @param queueBytesMax the server's budget, the maximum of {@code queueBytes}
 */
public record ServerStats(LoopStats total, List<LoopStats> loops, long queueBytes, long queueBytesMax) {}
