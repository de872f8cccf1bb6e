package io.trivet.scenarios;

/** What a client does when it has sent everything. */
enum ConversationEnd {
    /** Ends its output and reads to the end of its input. */
    HALF_CLOSE,
    /** Resets the connection. */
    RESET,
    /** Closes the connection, whether or not everything was read. */
    CLOSE
}
