package io.trivet.observe;

import java.util.List;

/**
 * A server's counters.
 *
 * @param total the sum of all loops
 * @param loops each loop's, in order
 * @param queueBytes the bytes that wait in all queues together, and of input that is held back
 * @param queueBytesMax the budget for them
 */
public record ServerStats(LoopStats total, List<LoopStats> loops, long queueBytes, long queueBytesMax) {}
