package io.trivet.scenarios;

import io.trivet.sim.SimClock;
import org.jspecify.annotations.Nullable;

/** Keeps the first failed check of a run. Later ones are ignored, since they may follow from it. */
final class FailureLog {
    private final SimClock clock;
    private final Timeline timeline;
    private @Nullable CheckFailure first;

    /** Ends a run after a failure. It is thrown only between turns, because a server would handle it like any other exception. */
    static final class RunAborted extends RuntimeException {
        private static final long serialVersionUID = 1;

        RunAborted() {
            super(null, null, false, false);
        }
    }

    FailureLog(SimClock clock, Timeline timeline) {
        this.clock = clock;
        this.timeline = timeline;
    }

    void report(Rule rule, String text) {
        report(rule, text, null);
    }

    void report(Rule rule, String text, @Nullable Throwable cause) {
        if (first == null) {
            CheckFailure failure = new CheckFailure(rule, clock.elapsedNanos(), text, cause);
            first = failure;
            timeline.failed(failure);
        }
    }

    @Nullable
    CheckFailure first() {
        return first;
    }

    /** Throws {@link RunAborted} if a check has failed. Called between the turns of loops. */
    void abortIfFailed() {
        if (first != null) {
            throw new RunAborted();
        }
    }
}
