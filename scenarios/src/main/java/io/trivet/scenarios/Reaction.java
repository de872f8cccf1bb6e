package io.trivet.scenarios;

/** What an application does of its own accord when it is told something, and that no message has asked for. */
enum Reaction {
    /** A message ahead of all, before anything else. */
    OPEN_SENDS_FIRST,
    /** Messages until the queue is high. */
    OPEN_FILLS,
    /** Nothing is read for some time, from the beginning. */
    OPEN_PAUSES,
    /** It pauses, and resumes at once. */
    OPEN_BLINKS,
    /** A message about what was dropped, which may drop others. */
    DROPPED_SENDS,
    /** The end, orderly, since something was dropped. */
    DROPPED_FINISHES,
    /** The end at once. */
    DROPPED_CLOSES, URGENT_FINISHES, URGENT_CLOSES,
    /** One more message, so that the queue may be high again. */
    DRAINED_SENDS, DRAINED_FINISHES, DRAINED_CLOSES,
    /** A message to a connection that is closed, and one to another. */
    CLOSE_SENDS,
    /** A new connection in place of one that the server had made, a few times. */
    CLOSE_CALLS_AGAIN,
    /** Where the server connects: the output, or all, is finished before the connection is there; and it has a time of its own to come about. */
    CALL_FINISHES_OUTPUT, CALL_FINISHES, CALL_WITHIN,
    /** An exception, as any of the following. */
    OPEN_THROWS, URGENT_THROWS, END_THROWS, DRAINED_THROWS, DROPPED_THROWS, CLOSE_THROWS;

    /** Whether it ends the connection. */
    boolean ends() {
        return switch (this) {
            case DROPPED_FINISHES, DROPPED_CLOSES, URGENT_FINISHES, URGENT_CLOSES, DRAINED_FINISHES, DRAINED_CLOSES, OPEN_THROWS,
                    URGENT_THROWS, END_THROWS, DRAINED_THROWS, DROPPED_THROWS ->
                true;
            case OPEN_SENDS_FIRST, OPEN_FILLS, OPEN_PAUSES, OPEN_BLINKS, DROPPED_SENDS, DRAINED_SENDS, CLOSE_SENDS,
                    CLOSE_CALLS_AGAIN, CALL_FINISHES_OUTPUT, CALL_FINISHES, CALL_WITHIN, CLOSE_THROWS ->
                false;
        };
    }
}
