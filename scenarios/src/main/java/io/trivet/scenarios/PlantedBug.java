package io.trivet.scenarios;

/** A bug that a run plants on purpose, to show that the checkers find it. */
enum PlantedBug {
    NONE,
    /** A checker reports the first message that a client receives. */
    CANARY,
    /** The connections of a server are reset when they are closed, unless both sides have finished. */
    RESET_AT_CLOSE,
    /** A loop that belongs to no server always has something to do. */
    SPINNING_LOOP
}
