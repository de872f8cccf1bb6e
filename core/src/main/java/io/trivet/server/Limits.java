package io.trivet.server;

import java.time.Duration;
import java.util.Objects;

/**
 * The bounds of a server: every queue has a cap, and every peer a deadline. Immutable; {@code with…} returns a changed copy. A
 * duration of zero switches its limit off.
 *
 * {@snippet :
 * Limits limits = Limits.defaults().withQueueBytesMax(256 * 1024).withIdleTimeout(Duration.ofMinutes(5));
 * }
 *
 * @param connectionsMax maximum number of accepted connections. At the limit nothing more is accepted, and further clients wait
 *     in the backlog
 * @param connectionsPerAddressMax maximum number of accepted connections from one IP address; 0: no limit. A further connection
 *     is closed at once, without a call of the handler, and logged
 * @param queueBytesMax the cap of a connection's queue, in bytes, frames included; see {@link Overflow}
 * @param queueHighBytes the high mark of a queue: from here on the peer is considered slow
 * @param queueLowBytes the low mark of a queue: from here on the peer is no longer considered slow
 * @param queueBudgetBytes the cap on the memory that all connections hold together: the buffers of their queues and of input that
 *     is held back, with their whole capacity. Beyond it, the connections that hold the most are closed. A value above three
 *     quarters of the JVM's direct memory is lowered to that
 * @param messageBytesMax the longest message that is received; with raw framing, the longest piece that is delivered at a time
 * @param messageTimeout maximum time from a message's first byte to its last; not with raw framing
 * @param firstMessageTimeout maximum time from the opening of a connection to the end of its first message. The time does not run
 *     while reading is paused, by the application or by a queue that is high, and starts again when reading continues
 * @param idleTimeout maximum time without a byte in either direction
 * @param readIdleTimeout maximum time without a byte from the peer, whatever is sent to it: for peers that must send keep-alives.
 *     The time does not run while reading is paused, and starts again when reading continues. It ends with the peer's output
 * @param writeTimeout maximum time in which the peer accepts no byte of the messages that wait for it
 * @param connectTimeout maximum time to establish an outgoing connection
 * @param lingerTimeout maximum time for the peer to end its output after ours has ended. After a message that is too long, a
 *     handler's exception, or a message, first message or idle timeout, the time starts at once, and includes the sending of what
 *     was accepted before. Without a linger timeout, the idle timeout also ends a connection that lingers
 * @param lingerBytesMax maximum number of bytes that are read and dropped during that time
 * @param handlerTimeout the time after which a running handler is logged, with its stack (in a started server)
 */
public record Limits(int connectionsMax, int connectionsPerAddressMax, int queueBytesMax, int queueHighBytes, int queueLowBytes,
        long queueBudgetBytes, int messageBytesMax, Duration messageTimeout, Duration firstMessageTimeout, Duration idleTimeout,
        Duration readIdleTimeout, Duration writeTimeout, Duration connectTimeout, Duration lingerTimeout, long lingerBytesMax,
        Duration handlerTimeout) {
    private static final Duration FOREVER = Duration.ofDays(36_525);
    private static final Limits DEFAULTS = new Limits(
            Integer.MAX_VALUE, 0, 1 << 20, 64 << 10, 32 << 10, DirectMemory.defaultBudgetBytes(),
            64 << 10,
            Duration.ofSeconds(10), Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(10), Duration.ofSeconds(10),
            Duration.ofSeconds(5), 1 << 20, Duration.ofMillis(100));

    /** Checks that the bounds are consistent. */
    public Limits {
        positive(connectionsMax, "connectionsMax");
        positive(queueBytesMax, "queueBytesMax");
        positive(messageBytesMax, "messageBytesMax");
        positive(queueHighBytes, "queueHighBytes");
        positive(queueBudgetBytes, "queueBudgetBytes");
        if (connectionsPerAddressMax < 0 || lingerBytesMax < 0 || queueLowBytes < 0) {
            throw new IllegalArgumentException("a limit must not be negative");
        }
        if (queueLowBytes > queueHighBytes || queueHighBytes > queueBytesMax) {
            throw new IllegalArgumentException(
                    "a queue's marks must be in order: low " + queueLowBytes + ", high " + queueHighBytes
                            + ", cap " + queueBytesMax);
        }
        notNegative(messageTimeout, "messageTimeout");
        notNegative(firstMessageTimeout, "firstMessageTimeout");
        notNegative(idleTimeout, "idleTimeout");
        notNegative(readIdleTimeout, "readIdleTimeout");
        notNegative(writeTimeout, "writeTimeout");
        notNegative(connectTimeout, "connectTimeout");
        notNegative(lingerTimeout, "lingerTimeout");
        notNegative(handlerTimeout, "handlerTimeout");
    }

    /**
     * Returns the limits of a server that sets none: queues of 1 MiB with marks at 64 and 32 KiB, all together a quarter of the
     * maximum heap or of direct memory (-XX:MaxDirectMemorySize), whichever is less; messages of 64 KiB within 10 s; 10 s for a
     * peer to accept a byte; no idle timeout.
     *
     * @return the limits
     */
    public static Limits defaults() {
        return DEFAULTS;
    }

    /**
     * Returns a duration in nanoseconds, limited to the range from 0 to a hundred years. That is practically forever, and sums
     * and differences of it do not overflow.
     */
    static long nanos(Duration duration) {
        return duration.compareTo(FOREVER) > 0 ? FOREVER.toNanos() : duration.isNegative() ? 0 : duration.toNanos();
    }

    private static void positive(long value, String name) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }

    private static void notNegative(Duration value, String name) {
        if (Objects.requireNonNull(value, name).isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative: " + value);
        }
    }

    /**
     * Returns a copy with another connectionsMax.
     *
     * @param connectionsMax as in the record
     * @return the copy
     */
    public Limits withConnectionsMax(int connectionsMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another connectionsPerAddressMax.
     *
     * @param connectionsPerAddressMax as in the record
     * @return the copy
     */
    public Limits withConnectionsPerAddressMax(int connectionsPerAddressMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another queueBytesMax.
     *
     * @param queueBytesMax as in the record; marks above it are lowered to it
     * @return the copy
     */
    public Limits withQueueBytesMax(int queueBytesMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, Math.min(queueHighBytes, queueBytesMax),
                Math.min(queueLowBytes, queueBytesMax), queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout,
                idleTimeout, readIdleTimeout, writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another queueBudgetBytes.
     *
     * @param queueBudgetBytes as in the record
     * @return the copy
     */
    public Limits withQueueBudgetBytes(long queueBudgetBytes) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another messageBytesMax.
     *
     * @param messageBytesMax as in the record
     * @return the copy
     */
    public Limits withMessageBytesMax(int messageBytesMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another messageTimeout.
     *
     * @param messageTimeout as in the record
     * @return the copy
     */
    public Limits withMessageTimeout(Duration messageTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another firstMessageTimeout.
     *
     * @param firstMessageTimeout as in the record
     * @return the copy
     */
    public Limits withFirstMessageTimeout(Duration firstMessageTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another idleTimeout.
     *
     * @param idleTimeout as in the record
     * @return the copy
     */
    public Limits withIdleTimeout(Duration idleTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another readIdleTimeout.
     *
     * @param readIdleTimeout as in the record
     * @return the copy
     */
    public Limits withReadIdleTimeout(Duration readIdleTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another writeTimeout.
     *
     * @param writeTimeout as in the record
     * @return the copy
     */
    public Limits withWriteTimeout(Duration writeTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another connectTimeout.
     *
     * @param connectTimeout as in the record
     * @return the copy
     */
    public Limits withConnectTimeout(Duration connectTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another lingerTimeout.
     *
     * @param lingerTimeout as in the record
     * @return the copy
     */
    public Limits withLingerTimeout(Duration lingerTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another lingerBytesMax.
     *
     * @param lingerBytesMax as in the record
     * @return the copy
     */
    public Limits withLingerBytesMax(long lingerBytesMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with another handlerTimeout.
     *
     * @param handlerTimeout as in the record
     * @return the copy
     */
    public Limits withHandlerTimeout(Duration handlerTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * Returns a copy with other marks.
     *
     * @param queueHighBytes as in the record
     * @param queueLowBytes as in the record
     * @return the copy
     */
    public Limits withQueueMarks(int queueHighBytes, int queueLowBytes) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, readIdleTimeout,
                writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }
}
