package io.trivet.nats;

import io.nats.client.Options;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link Relay}. Immutable.
 *
 * @param servers the URLs of NATS servers, one of which is used; the client of NATS documents their form
 * @param nats changes the settings of the client of NATS, such as TLS and credentials. The relay itself sets what concerns
 *     reconnecting, listeners and echo
 * @param prefix the first part of every subject. Only servers with the same prefix share messages
 * @param heartbeat the interval of heartbeats
 * @param expiry a server from which nothing has arrived for this long counts as lost, with its clients; at least twice the interval
 * @param backoffMin the wait before the first attempt to reconnect
 * @param backoffMax the longest wait. The wait doubles with each failed attempt, and is drawn between half of it and all of it, so that many
 *     servers do not reconnect at the same time. It counts from the start of the failed attempt, and ends at least half of backoffMin
 *     after the attempt has failed. So an attempt that ran into the connect timeout of 2 s is followed by the next one within 100 ms
 * @param queueBytesMax the most bytes that wait for the bus; the same number again may be on its way from other threads
 * @param queueMessagesMax the most messages that wait for the bus
 * @param queueAgeMax the longest wait of a message; zero: no limit
 * @param overflow what happens when the queue is full
 * @param inboundBytesMax the most received bytes of messages that wait for the loop. For heartbeats, the same limit applies separately. What
 *     exceeds it is dropped, counted, and found as a gap
 * @param messageBytesMax the longest message. NATS' own limit is 1 MiB, unless its max_payload says otherwise
 * @param topicsMax the most topics that the server publishes to, and the most that its connections join
 * @param history the stream from which gaps are filled; null if gaps are only reported
 */
public record RelayOptions(List<String> servers, UnaryOperator<Options.Builder> nats, String prefix, Duration heartbeat,
        Duration expiry,
        Duration backoffMin, Duration backoffMax, int queueBytesMax, int queueMessagesMax, Duration queueAgeMax,
        BusOverflow overflow, int inboundBytesMax, int messageBytesMax, int topicsMax, @Nullable History history) {
    /** The most of what a message has besides its content. */
    static final int OVERHEAD_BYTES = 512;

    /**
     * Creates settings.
     *
     * @throws IllegalArgumentException a value is out of range, or a URL is wrong; the message names it
     */
    public RelayOptions {
        servers = List.copyOf(servers);
        servers.forEach(NatsBus::checkUrl);
        Objects.requireNonNull(nats, "nats");
        Objects.requireNonNull(overflow, "overflow");
        require(prefix.matches("[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*"), "prefix",
                "letters, digits, _ and -, in parts with dots between");
        require(heartbeat.toMillis() >= 1, "heartbeat", "at least 1 ms");
        require(expiry.compareTo(heartbeat.multipliedBy(2)) >= 0, "expiry", "at least twice the interval of heartbeats");
        require(backoffMin.toMillis() >= 1, "backoffMin", "at least 1 ms");
        require(backoffMax.compareTo(backoffMin) >= 0, "backoffMax", "at least backoffMin");
        require(messageBytesMax >= 1, "messageBytesMax", "at least 1");
        requireRoom(queueBytesMax, messageBytesMax, "queueBytesMax");
        require(queueMessagesMax >= 1, "queueMessagesMax", "at least 1");
        require(!queueAgeMax.isNegative(), "queueAgeMax", "at least 0");
        requireRoom(inboundBytesMax, messageBytesMax, "inboundBytesMax");
        require(topicsMax >= 1, "topicsMax", "at least 1");
    }

    private static void require(boolean condition, String name, String rule) {
        if (!condition) {
            throw new IllegalArgumentException(name + " must be " + rule);
        }
    }

    private static void requireRoom(int bytes, int messageBytes, String name) {
        long min = (long) messageBytes + OVERHEAD_BYTES;
        require(bytes >= min, name,
                "at least messageBytesMax and " + OVERHEAD_BYTES + " more, which is " + min + ", not " + bytes);
    }

    /**
     * Returns the default settings for NATS servers.
     *
     * @param servers their URLs, such as {@code nats://127.0.0.1:4222}; one of them is used
     * @return settings: a heartbeat a second, expiry after 3.5 s, back-off from 100 ms to 1.5 s, a queue of 4 MiB, 65,536 messages and 30 s
     *     that drops the oldest, 16 MiB of received bytes, messages up to 512 KiB, 10,000 topics, no history
     */
    public static RelayOptions of(String... servers) {
        return new RelayOptions(List.of(servers), UnaryOperator.identity(), "trivet", Duration.ofSeconds(1),
                Duration.ofMillis(3500),
                Duration.ofMillis(100), Duration.ofMillis(1500), 4 << 20, 1 << 16, Duration.ofSeconds(30),
                BusOverflow.DROP_OLDEST,
                16 << 20, 1 << 19, 10_000, null);
    }

    /**
     * Returns these settings with a change of the settings of the client of NATS.
     *
     * @param change for instance {@code builder -> builder.sslContext(context)}
     * @return new settings
     */
    public RelayOptions withNats(UnaryOperator<Options.Builder> change) {
        return new RelayOptions(servers, change, prefix, heartbeat, expiry, backoffMin, backoffMax, queueBytesMax,
                queueMessagesMax,
                queueAgeMax, overflow, inboundBytesMax, messageBytesMax, topicsMax, history);
    }

    /**
     * Returns these settings with another prefix.
     *
     * @param first the first part of every subject
     * @return new settings
     */
    public RelayOptions withPrefix(String first) {
        return new RelayOptions(servers, nats, first, heartbeat, expiry, backoffMin, backoffMax, queueBytesMax, queueMessagesMax,
                queueAgeMax, overflow, inboundBytesMax, messageBytesMax, topicsMax, history);
    }

    /**
     * Returns these settings with other heartbeats.
     *
     * @param interval the interval
     * @param lost after this long without a heartbeat, a server is lost
     * @return new settings
     */
    public RelayOptions withHeartbeat(Duration interval, Duration lost) {
        return new RelayOptions(servers, nats, prefix, interval, lost, backoffMin, backoffMax, queueBytesMax, queueMessagesMax,
                queueAgeMax, overflow, inboundBytesMax, messageBytesMax, topicsMax, history);
    }

    /**
     * Returns these settings with other waits before reconnecting.
     *
     * @param min the first
     * @param max the longest
     * @return new settings
     */
    public RelayOptions withBackoff(Duration min, Duration max) {
        return new RelayOptions(servers, nats, prefix, heartbeat, expiry, min, max, queueBytesMax, queueMessagesMax, queueAgeMax,
                overflow,
                inboundBytesMax, messageBytesMax, topicsMax, history);
    }

    /**
     * Returns these settings with another queue.
     *
     * @param bytesMax the most bytes
     * @param messagesMax the most messages
     * @param ageMax the longest wait; zero: no limit
     * @param policy what happens when the queue is full
     * @return new settings
     */
    public RelayOptions withQueue(int bytesMax, int messagesMax, Duration ageMax, BusOverflow policy) {
        return new RelayOptions(servers, nats, prefix, heartbeat, expiry, backoffMin, backoffMax, bytesMax, messagesMax, ageMax,
                policy,
                inboundBytesMax, messageBytesMax, topicsMax, history);
    }

    /**
     * Returns these settings with other limits.
     *
     * @param inboundBytes the most received bytes that wait for the loop
     * @param messageBytes the longest message
     * @param topics the most topics
     * @return new settings
     */
    public RelayOptions withLimits(int inboundBytes, int messageBytes, int topics) {
        return new RelayOptions(servers, nats, prefix, heartbeat, expiry, backoffMin, backoffMax, queueBytesMax, queueMessagesMax,
                queueAgeMax, overflow, inboundBytes, messageBytes, topics, history);
    }

    /**
     * Returns these settings with a history, from which gaps are filled.
     *
     * @param kept the history; null for none
     * @return new settings
     */
    public RelayOptions withHistory(@Nullable History kept) {
        return new RelayOptions(servers, nats, prefix, heartbeat, expiry, backoffMin, backoffMax, queueBytesMax, queueMessagesMax,
                queueAgeMax, overflow, inboundBytesMax, messageBytesMax, topicsMax, kept);
    }
}
