package io.trivet.nats;

/**
 * The callbacks of a {@link Relay}. All methods have defaults that do nothing.
 *
 * <p><b>Threads.</b> Called on the server's first loop: a method must not block. An exception is logged, and the relay continues.
 */
public interface RelayListener {
    /** The name of the stream of messages that {@link Relay#send} sends to clients of this server, in {@link #onGap}. */
    String DIRECT = "";

    /**
     * Messages of another server are lost: they were published, and will not be delivered to this server's members. With a
     * {@linkplain RelayOptions#history history}, these are the messages that it does not have, or that could not be read within the limits of memory
     * and time. Called before the next message of that server on that topic is delivered, or after a heartbeat has shown that there is none.
     *
     * @param topic the topic, or {@link #DIRECT} for messages to clients
     * @param from the server that published them, its {@linkplain Relay#id() id}
     * @param missed the number of messages, at least 1
     */
    default void onGap(String topic, String from, long missed) {}

    /**
     * The history of the bus cannot be used, so gaps are not filled. Called at most once for each connection to the bus.
     *
     * @param problem the problem, in one line
     */
    default void onHistory(String problem) {}

    /**
     * The relay's own queue has dropped messages, because the bus is slow or away. Local members have received them. The
     * other servers report a gap when the bus is back.
     *
     * @param messages the number of messages since the last call
     * @param bytes their bytes
     */
    default void onDropped(long messages, long bytes) {}

    /** With {@link BusOverflow#PAUSE}: the queue was full and has fallen to half. */
    default void onDrained() {}

    /**
     * A client has appeared on another server, or has left it.
     *
     * @param client the client's id
     * @param server the server's id
     * @param isPresent true if it has appeared
     */
    default void onPresence(String client, String server, boolean isPresent) {}

    /**
     * Another server has appeared, was shut down cleanly, or has sent no heartbeat for too long. In the last case it may have been killed:
     * what it had accepted and not sent is lost then, and the number of these messages is unknown. While this server cannot reach the bus,
     * all others are reported as lost after {@link RelayOptions#expiry}.
     *
     * @param server the server's id
     * @param change what has happened
     */
    default void onServer(String server, ServerChange change) {}

    /**
     * A message of {@link Relay#send} could not be delivered. Called on the sending server if no server has a client of that id, and on
     * the receiving server if the client has just left it.
     *
     * @param client the client's id
     */
    default void onUndeliverable(String client) {}

    /**
     * A connection could not join a topic, or a message could not be published to it, because the relay is draining or has too many topics: {@link
     * RelayOptions#topicsMax}.
     *
     * @param topic the topic
     */
    default void onRefused(String topic) {}

    /**
     * The state of the link to the bus has changed.
     *
     * @param state the new state
     * @param reason why the bus is away; empty otherwise
     */
    default void onBus(BusState state, String reason) {}

    /** What has become of another server. */
    enum ServerChange {
        /** Something from it has arrived, for the first time or again. */
        APPEARED,
        /** It was shut down cleanly, after it had sent everything. */
        LEFT,
        /** Nothing from it has arrived for {@link RelayOptions#expiry}. */
        LOST
    }
}
