package io.trivet.observe;

import java.util.List;
import java.util.Map;

/**
 * The counters of a server.
 *
 * @param total the sum over all loops
 * @param loops the counters of each loop, by its index
 * @param queueBytes the memory held for all connections together, in bytes: the buffers of their send queues and of received
 *     input that is not delivered yet, including heap memory
 * @param queueBytesMax the server's budget. If {@code queueBytes} exceeds it, the connections that hold the most are closed
 * @param memory the native memory, by purpose
 * @param closed the number of closed connections by reason; reasons that have not occurred are missing
 */
public record ServerStats(LoopStats total, List<LoopStats> loops, long queueBytes, long queueBytesMax, MemoryStats memory,
        Map<CloseReason, Long> closed) {}
