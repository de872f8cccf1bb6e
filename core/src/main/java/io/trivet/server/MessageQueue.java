package io.trivet.server;

import java.time.Duration;

/**
 * The gauges of a connection's message queue: what was taken from {@code send} and not yet handed to the kernel. Any thread may read
 * them; each is right at the moment it is read.
 */
public final class MessageQueue {
    private final Connection connection;

    MessageQueue(Connection connection) {
        this.connection = connection;
    }

    /**
     * The bytes that wait, frames included.
     *
     * @return from 0 to {@link #bytesMax}; with {@link Overflow#DROP_OLDEST} up to twice that, for the moment until the loop comes to what other
     *     threads have sent
     */
    public int bytes() {
        return connection.queuedBytes();
    }

    /**
     * The messages that wait; one of which a part has left counts.
     *
     * @return from 0
     */
    public int messages() {
        return connection.queuedMessages();
    }

    /**
     * How long the oldest message has waited.
     *
     * @return zero when none waits, or when the socket has not refused one yet
     */
    public Duration oldestAge() {
        return Duration.ofNanos(connection.oldestAgeNanos());
    }

    /**
     * The cap.
     *
     * @return bytes
     */
    public int bytesMax() {
        return connection.limits().queueBytesMax();
    }

    /**
     * The high mark: a good moment to stop producing.
     *
     * @return bytes
     */
    public int highBytes() {
        return connection.limits().queueHighBytes();
    }

    /**
     * The low mark: {@link Handler#onDrained} is told there.
     *
     * @return bytes
     */
    public int lowBytes() {
        return connection.limits().queueLowBytes();
    }

    /**
     * Whether the queue stands at its high mark or above.
     *
     * @return true: hold back until {@link Handler#onDrained}, which is sure to be told after this, unless the connection ends before
     */
    public boolean isHigh() {
        return bytes() >= highBytes();
    }
}
