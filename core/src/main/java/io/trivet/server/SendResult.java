package io.trivet.server;

/** What became of a message that was to be sent. */
public enum SendResult {
    /** The whole message was accepted: it is delivered to the kernel, or the connection ends with a reason. */
    QUEUED,
    /** Nothing was accepted: the message does not fit under the queue's cap. */
    FULL,
    /**
     * Nothing was accepted: the connection is closed, or its output has ended, or it is being closed because the server's budget
     * is used up.
     */
    CLOSED
}
