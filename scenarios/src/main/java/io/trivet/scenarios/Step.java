package io.trivet.scenarios;

/**
 * One step of a client's script.
 *
 * @param afterNanos how long after the step before it
 * @param deed what is done
 */
record Step(long afterNanos, Deed deed) {
    @Override
    public String toString() {
        return "+" + Words.time(afterNanos) + " " + deed;
    }
}
