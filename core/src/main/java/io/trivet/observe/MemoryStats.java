package io.trivet.observe;

/**
 * The native memory of a server, by purpose, in bytes. The native memory tracking of the JVM (man 1 java,
 * {@code -XX:NativeMemoryTracking}) reports all of it as "Other", except {@code rings}, which the JVM does not account for.
 * Memory of the kernel, such as socket buffers, is not included.
 *
 * @param rings memory shared with the kernel: the queues of io_uring, and the buffers that it receives into
 * @param buffers fixed memory of the loops, for receiving and for composing replies; independent of the number of connections
 * @param queues buffers of messages that wait to be sent, with their whole capacity. The message of a broadcast counts once
 * @param input buffers of received bytes that have not been delivered yet, with their whole capacity
 * @param spare buffers that are kept for reuse
 * @param tls buffers of TLS connections, for incomplete records and for ciphertext that the socket has refused, in use or kept for
 *     reuse. Memory that OpenSSL allocates itself is not included
 */
public record MemoryStats(long rings, long buffers, long queues, long input, long spare, long tls) {
    /**
     * Returns the sum over all purposes.
     *
     * @return the number of bytes
     */
    public long total() {
        return rings + buffers + queues + input + spare + tls;
    }

    /**
     * Returns the sum of this memory and other memory.
     *
     * @param other the memory to add
     * @return the sum for each purpose
     */
    public MemoryStats plus(MemoryStats other) {
        return new MemoryStats(rings + other.rings, buffers + other.buffers, queues + other.queues, input + other.input,
                spare + other.spare, tls + other.tls);
    }
}
