package io.trivet.scenarios;

/** What kind of a client it is. */
enum Manner {
    /** Says something, reads the answer, goes. */
    STEADY,
    /** Says very much in small pieces. */
    CHATTY,
    /** Reads little at a time, and seldom. */
    SLOW_READER,
    /** Reads nothing until everything heals. */
    NEVER_READS,
    /** Writes one byte at a time. */
    DRIBBLER,
    /** Ends its output early, and reads on. */
    HALF_CLOSER,
    /** Resets in the middle of something. */
    RESETTER,
    /** Hangs up in the middle of something. */
    QUITTER,
    /** Says as much as it can at once. */
    FLOODER,
    /** Sends urgent bytes among the others. */
    URGENT_SENDER,
    /** Says a message that is too long. */
    LONG_WINDED,
    /** Begins a message and does not end it. */
    SLOWLORIS,
    /** Says nothing. */
    SILENT
}
