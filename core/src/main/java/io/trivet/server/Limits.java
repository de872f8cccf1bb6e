package io.trivet.server;

import java.time.Duration;
import java.util.Objects;

/**
 * The bounds of a server: every queue has a cap, every peer a deadline. Immutable; {@code with…} gives a changed copy. A duration of zero
 * switches its limit off.
 *
 * {@snippet :
 * Limits limits = Limits.defaults().withQueueBytesMax(256 * 1024).withIdleTimeout(Duration.ofMinutes(5));
 * }
 *
 * @param connectionsMax the most accepted connections at a time; at the limit nothing more is accepted, and those who come wait in the backlog
 * @param connectionsPerAddressMax the most connections from one IP address; one more is closed at once, no handler is told, and the log
 *     says so; 0: no limit
 * @param queueBytesMax the cap of a connection's queue, in bytes, frames included
 * @param queueHighBytes the high mark of a queue: from there on a peer is taken for slow
 * @param queueLowBytes the low mark: from there on it is no longer
 * @param queueBudgetBytes the cap for the queues of all connections together, and for input that is held back
 * @param messageBytesMax the longest message that is received; with raw framing, the longest piece that is given at a time
 * @param messageTimeout from a message's first byte to its last; not with raw framing
 * @param firstMessageTimeout from the beginning of a connection to the end of its first message; while reading is paused, by the application
 *     or by a queue that is high, it does not run, and it begins anew when reading goes on
 * @param idleTimeout without a byte in either direction
 * @param writeTimeout without the peer taking a byte of what waits for it
 * @param connectTimeout for an outgoing connection
 * @param lingerTimeout for the peer to read to the end after our output has ended
 * @param lingerBytesMax so much is read and dropped meanwhile
 * @param handlerTimeout a handler that takes longer is named in the log, with its stack (of a started server)
 */
public record Limits(int connectionsMax, int connectionsPerAddressMax, int queueBytesMax, int queueHighBytes, int queueLowBytes,
        long queueBudgetBytes, int messageBytesMax, Duration messageTimeout, Duration firstMessageTimeout, Duration idleTimeout,
        Duration writeTimeout, Duration connectTimeout, Duration lingerTimeout, long lingerBytesMax, Duration handlerTimeout) {
    private static final Duration FOR_EVER = Duration.ofDays(36_525);
    private static final Limits DEFAULTS = new Limits(
            Integer.MAX_VALUE, 0, 1 << 20, 64 << 10, 32 << 10, Math.max(64L << 20, Runtime.getRuntime().maxMemory() / 4),
            64 << 10,
            Duration.ofSeconds(10), Duration.ZERO, Duration.ZERO, Duration.ofSeconds(10), Duration.ofSeconds(10),
            Duration.ofSeconds(5), 1 << 20, Duration.ofMillis(100));

    /** Checks that the bounds go together. */
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
        notNegative(writeTimeout, "writeTimeout");
        notNegative(connectTimeout, "connectTimeout");
        notNegative(lingerTimeout, "lingerTimeout");
        notNegative(handlerTimeout, "handlerTimeout");
    }

    /**
     * The limits of a server that names none: queues of 1 MiB with marks at 64 and 32 KiB, all together a quarter of the heap's maximum (at
     * least 64 MiB); messages of 64 KiB in 10 s; 10 s for a peer to take something; no limit to idle ones.
     *
     * @return the limits
     */
    public static Limits defaults() {
        return DEFAULTS;
    }

    /** A duration in nanoseconds; a hundred years are as good as for ever, and leave room for sums and differences. */
    static long nanos(Duration duration) {
        return duration.compareTo(FOR_EVER) > 0 ? FOR_EVER.toNanos() : duration.isNegative() ? 0 : duration.toNanos();
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
     * A copy with another connectionsMax.
     *
     * @param connectionsMax see the record's parameter
     * @return the copy
     */
    public Limits withConnectionsMax(int connectionsMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another connectionsPerAddressMax.
     *
     * @param connectionsPerAddressMax see the record's parameter
     * @return the copy
     */
    public Limits withConnectionsPerAddressMax(int connectionsPerAddressMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another queueBytesMax.
     *
     * @param queueBytesMax see the record's parameter; marks above it come down to it
     * @return the copy
     */
    public Limits withQueueBytesMax(int queueBytesMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, Math.min(queueHighBytes, queueBytesMax),
                Math.min(queueLowBytes, queueBytesMax), queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout,
                idleTimeout, writeTimeout, connectTimeout, lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another queueBudgetBytes.
     *
     * @param queueBudgetBytes see the record's parameter
     * @return the copy
     */
    public Limits withQueueBudgetBytes(long queueBudgetBytes) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another messageBytesMax.
     *
     * @param messageBytesMax see the record's parameter
     * @return the copy
     */
    public Limits withMessageBytesMax(int messageBytesMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another messageTimeout.
     *
     * @param messageTimeout see the record's parameter
     * @return the copy
     */
    public Limits withMessageTimeout(Duration messageTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another firstMessageTimeout.
     *
     * @param firstMessageTimeout see the record's parameter
     * @return the copy
     */
    public Limits withFirstMessageTimeout(Duration firstMessageTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another idleTimeout.
     *
     * @param idleTimeout see the record's parameter
     * @return the copy
     */
    public Limits withIdleTimeout(Duration idleTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another writeTimeout.
     *
     * @param writeTimeout see the record's parameter
     * @return the copy
     */
    public Limits withWriteTimeout(Duration writeTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another connectTimeout.
     *
     * @param connectTimeout see the record's parameter
     * @return the copy
     */
    public Limits withConnectTimeout(Duration connectTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another lingerTimeout.
     *
     * @param lingerTimeout see the record's parameter
     * @return the copy
     */
    public Limits withLingerTimeout(Duration lingerTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another lingerBytesMax.
     *
     * @param lingerBytesMax see the record's parameter
     * @return the copy
     */
    public Limits withLingerBytesMax(long lingerBytesMax) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with another handlerTimeout.
     *
     * @param handlerTimeout see the record's parameter
     * @return the copy
     */
    public Limits withHandlerTimeout(Duration handlerTimeout) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }

    /**
     * A copy with other marks.
     *
     * @param queueHighBytes see the record's parameter
     * @param queueLowBytes see the record's parameter
     * @return the copy
     */
    public Limits withQueueMarks(int queueHighBytes, int queueLowBytes) {
        return new Limits(connectionsMax, connectionsPerAddressMax, queueBytesMax, queueHighBytes, queueLowBytes,
                queueBudgetBytes, messageBytesMax, messageTimeout, firstMessageTimeout, idleTimeout, writeTimeout, connectTimeout,
                lingerTimeout, lingerBytesMax, handlerTimeout);
    }
}
