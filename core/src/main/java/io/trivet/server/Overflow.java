package io.trivet.server;

/** What happens when more is sent to a peer than it reads. */
public enum Overflow {
    /**
     * Above the high mark nothing more is read from the peer, and no message that was already read is delivered, until its queue
     * has fallen to the low mark. What {@code onMessage} sends to its own connection is accepted even beyond the cap, and is
     * bounded only by the budget of all queues. So a server that answers requests never reaches the cap, even if one message
     * contains many requests. For other messages and for {@code offer} the cap holds. A message beyond it is
     * {@link SendResult#FULL}, and {@code send} then closes the connection, which is logged.
     */
    PAUSE_READING,
    /** Reading continues. A message beyond the cap is {@link SendResult#FULL}, and {@code send} then closes the connection. */
    DISCONNECT,
    /**
     * The oldest whole messages, of which nothing has been sent, make room for the new one. They are counted, and the handler is
     * notified. Not available with raw framing, where a message has no end. A message that does not fit even so is {@link
     * SendResult#FULL}, and {@code send} then closes the connection.
     */
    DROP_OLDEST
}
