package io.trivet.server;

/** What happens when more is sent to a peer than it reads. */
public enum Overflow {
    /**
     * Above the high mark nothing more is read from the peer, and no message that was already read is delivered, until its queue
     * has fallen to the low mark. So a server that only answers requests does not reach the cap, unless its replies to one
     * message exceed the room between the high mark and the cap. A message beyond the cap is {@link SendResult#FULL}, and {@code
     * send} then closes the connection.
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
