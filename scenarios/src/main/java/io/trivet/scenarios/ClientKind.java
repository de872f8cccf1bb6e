package io.trivet.scenarios;

/** The behaviour of a client. */
enum ClientKind {
    /** Sends something, reads the replies, and finishes. */
    STEADY,
    /** Sends many messages in small groups. */
    CHATTY,
    /** Reads few bytes at a time, with gaps. */
    SLOW_READER,
    /** Reads nothing until the recovery phase. */
    NEVER_READS,
    /** Writes one byte at a time. */
    SLOW_WRITER,
    /** Ends its output early, and continues to read. */
    HALF_CLOSER,
    /** Resets the connection at some point. */
    RESETTER,
    /** Closes the connection at some point. */
    ABRUPT_CLOSER,
    /** Sends all its messages at once. */
    FLOODER,
    /** Sends urgent bytes among the others. */
    URGENT_SENDER,
    /** Sends a message that exceeds the limit. */
    OVERSIZED_SENDER,
    /** Starts a message and never completes it. */
    SLOWLORIS,
    /** Sends nothing. */
    SILENT
}
