package io.trivet.scenarios;

/** What is broken on purpose, to see that a judge finds it. */
enum Planted {
    NOTHING,
    /** A judge finds fault with the first message that is sent back. */
    CANARY,
    /** A server's connections are reset when they are closed, unless both sides have finished. */
    RESET_AT_CLOSE,
    /** A loop, of nobody's, always has something to do. */
    SPIN
}
