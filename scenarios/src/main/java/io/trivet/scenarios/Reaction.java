package io.trivet.scenarios;

/** What an application does in a callback without a request by its client. The name starts with the callback. */
enum Reaction {
    /** Sends a message with sendFirst, before any other. */
    OPEN_SENDS_FIRST,
    /** Sends messages until the queue is high. */
    OPEN_FILLS,
    /** Pauses reading for some time. */
    OPEN_PAUSES,
    /** Pauses reading and resumes it at once. */
    OPEN_PAUSES_AND_RESUMES,
    /** Sends a message about the dropped ones, which may drop others. */
    DROPPED_SENDS,
    /** Finishes, since messages were dropped. */
    DROPPED_FINISHES,
    /** Closes at once. */
    DROPPED_CLOSES, URGENT_FINISHES, URGENT_CLOSES,
    /** Sends one more message, after which the queue may be high again. */
    DRAINED_SENDS, DRAINED_FINISHES, DRAINED_CLOSES,
    /** Sends a message to the closed connection and one to another connection. */
    CLOSE_SENDS,
    /** If the server had made the connection, connects to the client again, up to a few times. */
    CLOSE_RECONNECTS,
    /**
     * When the server connects: finishes the output or the connection before it is established, or sets a different connect
     * timeout.
     */
    CONNECT_FINISHES_OUTPUT, CONNECT_FINISHES, CONNECT_WITH_TIMEOUT,
    /** Throws an exception. */
    OPEN_THROWS, URGENT_THROWS, END_THROWS, DRAINED_THROWS, DROPPED_THROWS, CLOSE_THROWS,
    /** When the server connects: passes the address as a host name, which is resolved without a lookup. */
    CONNECT_BY_NAME,
    /** When the server connects: sends more than the queue may hold, before the connection is established. */
    CONNECT_FILLS;

    /** Returns true if this reaction ends the connection. */
    boolean ends() {
        return switch (this) {
            case DROPPED_FINISHES, DROPPED_CLOSES, URGENT_FINISHES, URGENT_CLOSES, DRAINED_FINISHES, DRAINED_CLOSES, OPEN_THROWS,
                    URGENT_THROWS, END_THROWS, DRAINED_THROWS, DROPPED_THROWS ->
                true;
            case OPEN_SENDS_FIRST, OPEN_FILLS, OPEN_PAUSES, OPEN_PAUSES_AND_RESUMES, DROPPED_SENDS, DRAINED_SENDS, CLOSE_SENDS,
                    CLOSE_RECONNECTS, CONNECT_FINISHES_OUTPUT, CONNECT_FINISHES, CONNECT_WITH_TIMEOUT, CLOSE_THROWS,
                    CONNECT_BY_NAME, CONNECT_FILLS ->
                false;
        };
    }
}
