package io.trivet.observe;

/** Whether a loop reads from a connection, and the reason. */
public enum ReadState {
    /** Input is received and delivered as messages. */
    READING("read"),
    /** Input is received and passed on to another connection. */
    RELAYING("read: its input is relayed"),
    /** Our output has ended, and the rest of the input is received and dropped. */
    READING_TO_END("read to its end: our output has ended"),
    /** The TLS handshake is in progress. */
    HANDSHAKING("read: in its TLS handshake"),
    /** A trusted proxy has yet to send the PROXY header. */
    AWAITING_PROXY_HEADER("read: a proxy has yet to send the PROXY header"),
    /** The connection is being established: it becomes writable when it is connected, or has failed. */
    CONNECTING("connecting: writable when it has connected"),
    /** The name of the host is being looked up, or its addresses are being tried. */
    CONNECTING_BY_NAME("connecting by name: looked up, or tried at its addresses"),
    /** The connection ends when everything queued has been sent. Further input is not wanted. */
    DRAINING("not read: it ends when its queue is sent"),
    /** The send queue has reached its high mark. Reading continues at the low mark. */
    PAUSED_BY_QUEUE("not read: its queue was at the high mark"),
    /** The application has called {@code pauseReading}. */
    PAUSED_BY_APPLICATION("not read: paused by the application"),
    /** The session has not received the messages that were delivered to it. */
    PAUSED_BY_SESSION("not read: its session has messages to receive"),
    /** The target of the relay has not accepted what was received. */
    PAUSED_BY_RELAY("not read: the target of its relay has yet to accept what was received"),
    /** A delivery has reached its limit of messages. The rest follows in the next turn, after the other connections. */
    DELIVERY_PENDING("not read: a delivery has left messages over"),
    /** The peer has ended its output: there is nothing more to read. */
    INPUT_ENDED("not read: the peer has finished"),
    /** The connection is closed. */
    CLOSED("closed");

    private final String description;

    ReadState(String description) {
        this.description = description;
    }

    /**
     * Returns the state as a clause for logs and messages.
     *
     * @return a clause in lower case, without a full stop
     */
    public String description() {
        return description;
    }
}
