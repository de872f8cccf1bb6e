package io.trivet.scenarios;

/** What a session does for a message of its client. */
enum SessionRequest {
    /** Sends the message back. */
    ECHO,
    /** Sleeps, and then replies. Messages that arrive meanwhile wait. */
    REPLY_LATE,
    /** Sends several messages, which may be more than the queue holds. */
    REPLIES,
    /** Replies, and waits for the next message with a deadline, up to a few times. */
    RECEIVE_WITHIN,
    /** Replies and returns. Further messages are dropped. */
    FINISH,
    /** Replies and throws an exception. */
    THROW
}
