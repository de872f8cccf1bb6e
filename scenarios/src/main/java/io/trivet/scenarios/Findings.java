package io.trivet.scenarios;

import io.trivet.sim.SimClock;
import org.jspecify.annotations.Nullable;

/** What the judges of one run have found; the first is what counts, since others follow from it. */
final class Findings {
    private final SimClock clock;
    private final Timeline timeline;
    private @Nullable Finding first;

    /** Ends a run at once. It goes through no server: there it would be an exception like any other. */
    static final class Found extends RuntimeException {
        private static final long serialVersionUID = 1;

        Found() {
            super(null, null, false, false);
        }
    }

    Findings(SimClock clock, Timeline timeline) {
        this.clock = clock;
        this.timeline = timeline;
    }

    void report(Rule rule, String text) {
        report(rule, text, null);
    }

    void report(Rule rule, String text, @Nullable Throwable cause) {
        if (first == null) {
            first = new Finding(rule, clock.elapsedNanos(), text, cause);
            if (timeline.isTold()) {
                timeline.tell("JUDGE " + rule + ": " + text);
            }
        }
    }

    @Nullable
    Finding first() {
        return first;
    }

    /** Called between the turns of loops. */
    void endIfAny() {
        if (first != null) {
            throw new Found();
        }
    }
}
