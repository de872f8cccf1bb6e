package io.trivet.server;

/** What happens when a peer takes less than is sent to it. */
public enum Overflow {
    /**
     * Above the high mark nothing more is read from that peer, and no message is delivered that was already read, until its queue has
     * fallen to the low mark: a server that answers requests never reaches the cap. A message beyond the cap is {@link SendResult#FULL}
     * all the same, and closes the connection.
     */
    PAUSE_READING,
    /** Reading goes on; a message beyond the cap is {@link SendResult#FULL}, and closes the connection. */
    DISCONNECT,
    /**
     * Whole messages of which no byte has left make room for the new one, the oldest first; they are counted, and told to the handler.
     * Not with raw framing, where a message has no end. One that does not fit even so is {@link SendResult#FULL}.
     */
    DROP_OLDEST
}
