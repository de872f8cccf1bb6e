package io.trivet.scenarios;

/**
 * One step of a client's script.
 *
 * @param afterNanos the delay after the previous step
 * @param action what the client does
 */
record Step(long afterNanos, ClientAction action) {
    @Override
    public String toString() {
        return "+" + ReportText.duration(afterNanos) + " " + action;
    }
}
