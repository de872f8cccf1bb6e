package io.trivet.server;

/** What became of a message that was to be sent. */
public enum SendResult {
    /** Taken, whole: it is delivered to the kernel, or the connection ends with a reason. */
    QUEUED,
    /** Nothing of it was taken: it does not fit under the cap. */
    FULL,
    /** Nothing of it was taken: the connection is closed, or its output has ended; or it is being closed, as the server's budget is used up. */
    CLOSED
}
