package io.trivet.scenarios;

/** The result of a run. */
public enum Verdict {
    /** All checks passed. */
    PASSED,
    /** Something was lost, duplicated, mixed up, or reported wrongly. */
    WRONG,
    /** Something never became quiescent, or did not stop turning. */
    STUCK,
    /** An unexpected exception was thrown. */
    CRASHED
}
