package io.trivet.scenarios;

/** The result of a run. */
public enum Verdict {
    /** All checks passed. */
    PASSED,
    /** Something was lost, duplicated, mixed up, or reported wrongly. */
    WRONG,
    /** The run never became quiescent, or a loop did not stop turning. */
    STUCK,
    /** An unexpected exception was thrown. */
    CRASHED
}
