package io.trivet.scenarios;

/** What the application does in {@code onEndOfInput}. */
enum EndOfInputReaction {
    /** Finishes, which is the default of a handler. */
    FINISH,
    /** Sends a message and finishes. */
    SEND_THEN_FINISH,
    /** Sends a message after some time, and then finishes. */
    SEND_LATER_THEN_FINISH,
    /** Closes at once. */
    CLOSE,
    /** Does nothing: the connection stays open for output. */
    NOTHING
}
