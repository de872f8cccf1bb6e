package io.trivet.scenarios;

/** How a run went. */
public enum Verdict {
    /** As it should. */
    RIGHT,
    /** Something was lost, doubled, mixed up, or said that is not so. */
    WRONG,
    /** Something never came to rest, or turned for ever. */
    STUCK,
    /** Something threw what it should not. */
    CRASHED
}
