package io.trivet.server;

import java.time.Duration;

/**
 * The gauges of a connection's message queue: what was accepted for sending and not yet handed to the kernel. Any thread may read
 * them; each value is right at the moment it is read.
 */
public final class MessageQueue {
    private final ConnectionCalls calls;
    private final ConnectionRecord connection;

    MessageQueue(ConnectionCalls calls, ConnectionRecord connection) {
        this.calls = calls;
        this.connection = connection;
    }

    /**
     * Returns the number of bytes that wait, frames included.
     *
     * @return from 0 to {@link #bytesMax}. More with {@link Overflow#PAUSE_READING}, if {@code onMessage} has sent more to its own
     *     connection. With {@link Overflow#DROP_OLDEST} up to twice that, until the loop has processed the messages that other
     *     threads have sent
     */
    public int bytes() {
        return connection.queuedBytes();
    }

    /**
     * Returns the number of messages that wait, including one that has been sent in part.
     *
     * @return at least 0
     */
    public int messages() {
        return connection.queuedMessages();
    }

    /**
     * Returns how long the oldest message has waited.
     *
     * @return zero if none waits, or if the socket has not refused one yet
     */
    public Duration oldestAge() {
        return Duration.ofNanos(calls.oldestAgeNanos(connection));
    }

    /**
     * Returns the cap: a message that would exceed it is not accepted, except what {@link Overflow#PAUSE_READING} allows.
     *
     * @return bytes
     */
    public int bytesMax() {
        return connection.profile().limits().queueBytesMax();
    }

    /**
     * Returns the high mark, at which a producer should pause.
     *
     * @return bytes
     */
    public int highBytes() {
        return connection.profile().limits().queueHighBytes();
    }

    /**
     * Returns the low mark of the {@link Limits}. {@link Handler#onDrained} is called at the low mark, or one byte below the high
     * mark if both are equal.
     *
     * @return bytes
     */
    public int lowBytes() {
        return connection.profile().limits().queueLowBytes();
    }

    /**
     * Returns true if the queue is at its high mark or above.
     *
     * @return true: pause until {@link Handler#onDrained}, which is certain to be called, unless the connection ends before
     */
    public boolean isHigh() {
        return bytes() >= highBytes();
    }
}
