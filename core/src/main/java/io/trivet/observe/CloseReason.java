package io.trivet.observe;

/** Why a connection was closed: the handler, the log and the view see the same. */
public enum CloseReason {
    /** The peer finished, everything for it was delivered, and we finished too. */
    PEER_FINISHED("the peer finished"),
    /** We finished: everything was delivered, and the peer has read to the end, or was given the time for it. */
    FINISHED("finished"),
    /** The application closed it at once; what waited was dropped. */
    CLOSED("closed by the application"),
    /** The server drained: no further message was taken, everything for the peer was delivered. */
    DRAINED("the server drained"),
    /** The server was closed, or its time to drain was over. */
    SERVER_CLOSED("the server closed"),
    /** The peer reset the connection, or it failed in the net. */
    RESET("reset by the peer"),
    /** A call of the kernel failed. */
    FAILED("a call failed"),
    /** The connect failed. */
    CONNECT_FAILED("the connect failed"),
    /** The connect took too long. */
    CONNECT_TIMEOUT("the connect took too long"),
    /** The queue stood at its cap, and a message did not fit. */
    QUEUE_FULL("the queue was full"),
    /** The queues of all connections together stood at the server's budget. */
    BUDGET_EXCEEDED("the queues of all connections were full"),
    /** The peer took nothing of what waits for it, for too long. */
    WRITE_TIMEOUT("the peer took nothing for too long"),
    /** Nothing came and nothing went, for too long. */
    IDLE_TIMEOUT("idle for too long"),
    /** A message was begun and not ended in time. */
    MESSAGE_TIMEOUT("a message took too long"),
    /** The first message did not come in time. */
    FIRST_MESSAGE_TIMEOUT("the first message took too long"),
    /** A message is longer than the limit. */
    MESSAGE_TOO_LONG("a message was too long"),
    /** The handler threw an exception. */
    HANDLER_FAILED("the handler failed"),
    /** There are as many connections from that address as are allowed. */
    TOO_MANY_FROM_ADDRESS("too many connections from that address"),
    /** Its readiness made the loop spin. */
    SPINNING("it made the loop spin");

    private final String sentence;

    CloseReason(String sentence) {
        this.sentence = sentence;
    }

    /**
     * The reason in words.
     *
     * @return half a sentence, without a full stop
     */
    public String sentence() {
        return sentence;
    }
}
