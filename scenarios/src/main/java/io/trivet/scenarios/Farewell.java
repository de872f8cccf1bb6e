package io.trivet.scenarios;

/** What the application does when a client has ended its output. */
enum Farewell {
    /** What a handler does that does not care. */
    FINISH,
    /** A last message, then the end. */
    LAST_WORD,
    /** A message after some time, then the end. */
    LATER,
    /** The end at once. */
    CLOSE
}
